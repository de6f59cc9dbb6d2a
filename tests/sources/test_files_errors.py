"""What cannot be read is refused in one paragraph that names the file, the place and the way out."""

import gzip
import io
import json
import os
import time

import polars as pl
import pytest

from anomaly_detection.errors import ParameterError, SourceError, UnknownNameError
from anomaly_detection.sources import Limits, open_source


def refusal(path, **options):
    with pytest.raises(SourceError) as caught:
        open_source(path, **options).read()
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert path.name in message
    return message


@pytest.fixture
def write(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def test_a_missing_file_suggests_the_nearest_name(write):
    path = write("orders.csv", "a,b\n1,2\n")
    assert f"did you mean '{path}'?" in refusal(path.with_name("order.csv"))


def test_a_missing_folder_is_named(tmp_path):
    assert "no folder" in refusal(tmp_path / "nowhere" / "x.csv")


def test_a_directory_names_a_file_in_it(write):
    path = write("orders.csv", "a\n1\n")
    with pytest.raises(SourceError, match=r"is a directory.*orders\.csv"):
        open_source(path.parent)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(write):
    path = write("t.csv", "a,b\n1,2\n")
    path.chmod(0)
    assert "permissions" in refusal(path)


def test_a_file_that_may_not_be_read_by_anyone(write, monkeypatch):
    path = write("t.csv", "a,b\n1,2\n")
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "permissions" in refusal(path)


REFUSED = {
    "empty": ("t.csv", b"", "0 bytes"),
    "blank": ("t.csv", b"\n\n", "no records"),
    "header only": ("t.csv", b"a,b\n", "has a header ('a', 'b') and no records"),
    "too few fields": ("t.csv", b"a,b\n1,2\n3\n", "line 3 has 1 field where the header has 2"),
    "too many fields": ("t.csv", b'a,b\n"1\n\n",2\n3,4,5\n', "line 5 has 3 fields where the header has 2"),
    "duplicate names": ("t.csv", b"a,b,a\n1,2,3\n", "same name: 'a'"),
    "open quote": ("t.csv", b'a,b\n1,2\n"3,4\n5,6\n', "line 3: a quoted field"),
    "latin-1": ("t.csv", b"a,b\n1,\xe9\n", "byte 6 (0xe9) does not fit"),
    "cut utf-8": ("t.csv", b"a,b\n1,\xc3", "byte 6"),
    "NUL": ("t.csv", b"a,b\n1,2\n3,\x00\n", "line 3 has a NUL byte"),
    "garbage": ("t.csv", bytes(range(256)), "is binary"),
    "garbage parquet": ("t.parquet", bytes(range(256)), "is binary"),
    "prose": ("t.txt", b"Dear all\nhello\n", "--format csv"),
    "prose parquet": ("t.parquet", b"Dear all\nhello\n", "not Parquet"),
    "excel": ("t.xlsx", b"PK\x03\x04" + bytes(99), "Excel"),
    "pickle": ("t.pkl", b"\x80\x04\x95" + bytes(99), "never loaded"),
    "bzip2": ("t.csv.bz2", b"BZh91AY", "bzip2"),
    "broken JSON": ("t.json", b'[{"a": 1},\n {"a": }]', "line 2, column 8"),
    "cut JSON": ("t.json", b'[{"a": 1},\n {"a"', "line 2"),
    "JSON number": ("t.json", b"3\n", "a number"),
    "JSON numbers": ("t.json", b"[1, 2]", "item 0 of the array is a number"),
    "JSON mixed": ("t.json", b'[{"a": 1}, 2]', "item 1 of the array is a number"),
    "JSON of objects": ("t.json", b'{"a": {"b": 1}}', "holds no records but an object with 'a'"),
    "JSON ragged": ("t.json", b"[[1, 2], [3]]", "row 1 has 1 value where row 0 has 2"),
    "JSON uneven": ("t.json", b'{"a": [1, 2], "b": [1]}', "different lengths"),
    "JSON empty": ("t.json", b"[]", "no records"),
    "JSON deep": ("t.json", b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "nested too deeply"),
    "JSON lines deep": ("t.jsonl", b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nested too deeply"),
    "broken line": ("t.jsonl", b'{"a":1}\n{"a":2\n{"a":3}\n', "line 2, column 7: broken JSON"),
    "line of number": ("t.jsonl", b'{"a":1}\n\n3\n', "line 3: each line has to be one JSON object"),
    "JSON latin-1": ("t.jsonl", b'{"a":"x"}\n{"a":"\xe9"}\n', "byte 16 (0xe9)"),
    "cut gzip": ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999)[:-9], "cut short"),
    "broken gzip": ("t.csv.gz", gzip.compress(b"a,b\n1,2\n" * 999)[:10] + b"\xff" * 99, "damaged"),
    "cut parquet": ("t.parquet", b"PAR1" + bytes(99), "cut short"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_its_place(write, case):
    name, content, told = REFUSED[case]
    assert told in refusal(write(name, content))


def test_another_encoding_is_a_way_out(write):
    path = write("t.csv", b"a,b\n1,\xe9\n")
    assert "--encoding latin-1" in refusal(path)
    assert open_source(path, encoding="latin-1").read().rows() == [(1, "é")]


def test_unknown_words_are_refused_with_the_known_ones(write):
    path = write("t.csv", "a,b\n1,2\n")
    with pytest.raises(UnknownNameError, match="'csv'"):
        open_source(path, format="cvs")
    with pytest.raises(ParameterError, match="latin-1"):
        open_source(path, encoding="latin-99")
    with pytest.raises(ParameterError, match="at least 1 row"):
        open_source(path).batches(0)


def test_a_parquet_file_cut_anywhere_is_refused(write):
    out = io.BytesIO()
    pl.DataFrame({"a": range(5000), "b": ["x"] * 5000}).write_parquet(out)
    data = out.getvalue()
    for share in (0.1, 0.5, 0.99):
        assert "Parquet" in refusal(write("t.parquet", data[: int(len(data) * share)]))


def test_a_parquet_file_changed_inside_is_refused(write):
    out = io.BytesIO()
    pl.DataFrame({"a": [i * 0.37 for i in range(5000)]}).write_parquet(out)
    data = bytearray(out.getvalue())
    data[4:60] = b"\xff" * 56
    assert "damaged" in refusal(write("t.parquet", bytes(data)))


def test_cut_zstandard_is_refused(write):
    pyarrow = pytest.importorskip("pyarrow")
    packed = pyarrow.compress(b"a,b\n1,2\n" * 9999, codec="zstd", asbytes=True)
    assert "cut short" in refusal(write("t.csv.zst", packed[:-5]))


def test_a_parquet_file_without_rows_has_no_records(write):
    path = write("t.parquet", "")
    pl.DataFrame({"a": []}).write_parquet(path)
    assert "no records" in refusal(path)


@pytest.mark.parametrize(("name", "line"), [("t.csv.gz", b"a,b\n1,2\n"), ("t.jsonl.gz", b'{"a":1}\n')])
def test_a_decompression_bomb_is_refused_before_it_grows(write, name, line):
    path = write(name, gzip.compress(line + b" " * (8 << 20)))
    limits = Limits(expansion=100, expansion_from=1 << 20)
    assert "bomb" in refusal(path, limits=limits)


@pytest.mark.parametrize(
    ("name", "start"), [("t.csv", b'a,b\n1,"'), ("t.csv", b"a,"), ("t.jsonl", b'{"a":"x"}\n{"a":"')]
)
def test_an_endless_line_is_refused(write, name, start):
    path = write(name, start + b"x" * (10 << 20))
    assert "longer than 1 MiB" in refusal(path, limits=Limits(line=1 << 20))


def test_a_json_document_beyond_the_limit_is_refused(write):
    path = write("t.json", b'[{"a": 1}' + b',{"a": 1}' * 1000 + b"]")
    assert "JSON Lines" in refusal(path, limits=Limits(whole=1000))


def test_stdin_that_is_refused_leaves_no_copy(monkeypatch, tmp_path):
    class Pipe:
        buffer = io.BytesIO(b"a,b\n")

    monkeypatch.setattr("sys.stdin", Pipe)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SourceError, match="standard input has a header"):
        open_source("-")
    assert list(tmp_path.iterdir()) == []


def test_json_that_no_table_can_hold_is_refused_with_its_place(write):
    assert "line 2: a text holds half of a character" in refusal(write("t.jsonl", '{"a":"x"}\n{"a":"\\ud83d"}\n'))
    assert "half of a character" in refusal(write("t.json", '[{"\\udc00":1}]'))
    assert "line 1: a whole number has too many digits" in refusal(write("t.jsonl", f'{{"a":{"9" * 5000}}}\n'))
    assert "too many digits" in refusal(write("t.json", f'[{{"a":{"9" * 5000}}}]'))
    assert "broken JSON" in refusal(write("t.jsonl", '{"a":1}\n1\0\0\0\n'))


def test_a_long_line_of_json_is_shown_up_to_a_whole_character(write):
    assert "this one is '\"" in refusal(write("t.jsonl", '{"a":1}\n"' + "é" * 60 + '"\n'))


def test_a_number_beyond_all_floats_is_infinite_in_json_as_in_csv(write):
    big = "-" + "9" * 400
    assert open_source(write("t.jsonl", f'{{"a":{big}}}\n')).read().rows() == [(float("-inf"),)]
    mixed = f'{{"a":0.5}}\n{{"a":{2**70}}}\n{{"a":null}}\n{{"a":{-(10**400)}}}\n'
    assert open_source(write("t.jsonl", mixed)).read()["a"].to_list() == [0.5, 2.0**70, None, float("-inf")]
    assert open_source(write("t.json", f'[{{"a":{2**64 - 1}}}]')).read().rows() == [(float(2**64 - 1),)]
    assert open_source(write("t.csv", f"a\n{big}\n")).read().rows() == [(float("-inf"),)]


def test_utf_16_without_its_mark_names_the_way_out(write):
    path = write("t.csv", "a,b\n1,2\n".encode("utf-16-le"))
    with pytest.raises(SourceError, match="utf-16-le"):
        open_source(path, encoding="utf-16")
    assert open_source(path, encoding="utf-16-le").read().rows() == [(1, 2)]


@pytest.mark.parametrize("name", ["hex", "base64", "idna", "punycode", "unicode_escape", "undefined", "a\0b", "utf_7"])
def test_encodings_that_are_for_no_table_are_unknown(write, name):
    with pytest.raises(ParameterError, match="latin-1"):
        open_source(write("t.csv", "a,b\n1,2\n"), encoding=name)


@pytest.mark.parametrize("dtype", [pl.List(pl.Int64), pl.Time])
def test_a_type_that_text_cannot_be_read_as_is_refused(write, dtype):
    for name, content in (("t.csv", "a,b\n1,2\n"), ("t.jsonl", '{"a":1}\n')):
        with pytest.raises(SourceError, match="'1'"):
            open_source(write(name, content)).with_dtypes({"a": dtype}).read()


def test_control_characters_of_a_name_do_not_reach_the_terminal(write):
    path = write("x\x1b[2J\n.csv", "a,b\n1\n")
    with pytest.raises(SourceError) as caught:
        open_source(path).read()
    assert str(caught.value).isprintable()
    assert "x\\x1b[2J\\n.csv, line 2 has 1 field" in str(caught.value)


def test_ten_thousand_columns_take_a_moment(write):
    names = ",".join(f"c{i}" for i in range(10_000))
    row = ",".join(f"{i / 7}" for i in range(10_000))
    path = write("wide.csv", f"{names}\n" + f"{row}\n" * 60)
    began = time.process_time()
    assert open_source(path).read().shape == (60, 10_000)
    assert time.process_time() - began < 4


@pytest.mark.parametrize("record", ['{{"k{0}": 1}}', '{{"a": {{"k{0}": 1}}}}', '{{"a{1}": {{"k{0}": 1}}}}'])
def test_records_that_share_no_names_are_refused_before_they_fill_the_memory(write, record):
    records = [record.format(i, i % 30) for i in range(9000)]
    assert "Give the fields of all records the same names" in refusal(write("t.jsonl", "\n".join(records)))
    assert "nearly all are missing" in refusal(write("t.json", f"[{','.join(records)}]"))


def test_names_of_one_part_of_a_file_count_in_the_others_too(write, monkeypatch):
    monkeypatch.setattr("anomaly_detection.sources._bytes.BLOCK", 1 << 14)
    names = json.dumps({f"k{i}": 1 for i in range(5000)})
    assert "nearly all are missing" in refusal(write("t.jsonl", names + "\n" + '{"k1":2}\n' * 9000))


def test_a_header_of_too_many_columns_is_refused(write):
    path = write("t.csv", "a," * 100_000 + "b\n" + "1," * 100_000 + "1\n")
    assert "100,001 columns" in refusal(path)


def test_a_parquet_file_that_would_unpack_to_far_more_is_refused(write):
    path = write("t.parquet", "")
    pl.DataFrame({"a": pl.repeat(1, 1_000_000, eager=True)}).write_parquet(path)
    assert "decompression bomb" in refusal(path, limits=Limits(expansion_from=1 << 20))


@pytest.mark.parametrize("depth", [300, 600, 900])
def test_objects_in_objects_become_columns_or_are_refused_however_deep(write, depth):
    path = write("t.jsonl", '{"a":' * depth + "1" + "}" * depth + "\n")
    try:
        said = open_source(path).columns[0]
    except SourceError as error:
        said = str(error)
    assert said == ".".join("a" * depth) or "nested too deeply" in said
