"""Each format is read whole and in batches, with the same rows and types."""

import gzip
import hashlib
import io
import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection import formats
from anomaly_detection.errors import ParameterError, SourceError
from anomaly_detection.sources import open_source


@pytest.fixture
def write(tmp_path):
    def put(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def test_text_is_read_as_the_type_that_fits_every_value(write):
    rows = [
        "n,x,yes,day,at,utc,word,big",
        "1,1,true,2024-01-01,2024-01-01 10:00,2024-01-01T10:00Z,a,99999999999999999999",
        "-,2.5,NO,,2024-01-02T10:00:01.5,2024-01-01T12:00:00+02:00,NA,1",
    ]
    frame = open_source(write("t.csv", "\n".join(rows))).read()
    assert dict(frame.schema) == {
        "n": pl.Int64,
        "x": pl.Float64,
        "yes": pl.Boolean,
        "day": pl.Date,
        "at": pl.Datetime("us"),
        "utc": pl.Datetime("us", "UTC"),
        "word": pl.String,
        "big": pl.Float64,
    }
    assert frame["n"].to_list() == [1, None]
    assert frame["yes"].to_list() == [True, False]
    assert frame["at"][1].isoformat() == "2024-01-02T10:00:01.500000"
    assert frame["utc"][0] == frame["utc"][1]
    assert frame["word"].to_list() == ["a", "NA"]


def test_the_last_value_of_a_long_file_decides_the_type_too(write):
    path = write("t.csv", "a,b\n" + "1,1\n" * 300_000 + "2,late\n")
    source = open_source(path)
    assert source.dtypes == {"a": pl.Int64, "b": pl.String}
    assert next(source.batches(10)).schema == source.read().schema


@pytest.mark.parametrize("text", ["1,234.5", "12 EUR", "0x1F", "1_000", "١٢"])
def test_what_is_not_plainly_a_number_stays_text(write, text):
    assert open_source(write("t.csv", f'a,b\n1,"{text}"\n2,7\n')).dtypes["b"] == pl.String


@pytest.mark.parametrize("marker", ["", "NA", "N/A", "null", "NULL", "NaN", "nan", "None", "-"])
def test_missing_markers_are_missing_in_columns_of_numbers_and_text_in_columns_of_text(write, marker):
    frame = open_source(write("t.csv", f"a,b\n1.5,x\n{marker},{marker}\n")).read()
    assert frame["a"].to_list() == [1.5, None]
    assert frame["b"].to_list() == ["x", marker or None]


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "t.csv"), (";", "t.csv"), ("\t", "t.tsv"), ("|", "t.txt"), ("\t", "t.csv")]
)
def test_the_delimiter_is_found(write, delimiter, name):
    path = write(name, delimiter.join("ab") + "\n" + delimiter.join(["1.5", '"x, y; z"']) + "\n")
    assert open_source(path).read().rows() == [(1.5, "x, y; z")]


def test_a_delimiter_may_be_named(write):
    assert open_source(write("t.csv", "a:b\n1:2\n"), delimiter=":").read().rows() == [(1, 2)]
    with pytest.raises(ParameterError, match="one character"):
        open_source(write("t.csv", "a:b\n1:2\n"), delimiter="::")


@pytest.mark.parametrize(
    "content",
    [
        "a,b\r\n1,é\r\n",
        "\ufeffa,b\n1,é",
        "\n\na,b\n\n1,é\n\n",
        "a,b\r1,é\r",
        '"a","b"\n"1","é"\n',
        "a,b\n1,é\n".encode("utf-16"),
    ],
    ids=["crlf", "byte order mark", "blank lines", "old line breaks", "all quoted", "utf-16"],
)
def test_the_ways_programs_write_csv_are_read_alike(write, content):
    assert open_source(write("t.csv", content)).read().rows() == [(1, "é")]


def test_quotes_hold_delimiters_and_line_breaks_and_may_stand_inside_words(write):
    path = write("t.csv", 'a,b\n1,"x\ny, ""z"""\n2,5" pipe\n')
    assert open_source(path).read().rows() == [(1, 'x\ny, "z"'), (2, '5" pipe')]


def test_a_file_without_a_header_gets_names_and_a_note(write):
    source = open_source(write("t.csv", "1,2.5\n3,4\n"))
    assert source.columns == ["f0", "f1"]
    assert source.read().rows() == [(1, 2.5), (3, 4.0)]
    assert "no header" in source.notes[0]


def test_counting_numbers_and_quoted_numbers_are_names(write):
    assert open_source(write("t.csv", "0,1,2\n7,8,9\n")).columns == ["0", "1", "2"]
    assert open_source(write("t.csv", '"1","2"\n7,8\n')).columns == ["1", "2"]


JSON_SHAPES = {
    "objects": [{"a": 1, "b": "x"}, {"a": 2.5}],
    "data": {"data": [{"a": 1, "b": "x"}, {"a": 2.5}]},
    "results": {"made": {"by": "us"}, "results": [{"a": 1, "b": "x"}, {"a": 2.5}]},
    "columns": {"a": [1, 2.5], "b": ["x", None]},
    "split": {"columns": ["a", "b"], "data": [[1, "x"], [2.5, None]]},
}


@pytest.mark.parametrize("shape", JSON_SHAPES)
def test_json_records_are_found_in_the_shapes_programs_write(write, shape):
    frame = open_source(write("t.json", json.dumps(JSON_SHAPES[shape], indent=1))).read()
    assert frame.equals(pl.DataFrame({"a": [1.0, 2.5], "b": ["x", None]}))


def test_json_keeps_texts_flattens_objects_and_takes_any_key_of_any_row(write):
    lines = (
        ['{"a":"5","o":{"p":1,"q":{"r":true}},"l":[1,2]}'] + ['{"a":"6"}'] * 200 + ['{"z":"2024-05-01","o":{"p":"NA"}}']
    )
    for name, text in (("t.jsonl", "\n".join(lines)), ("t.json", f"[{','.join(lines)}]")):
        frame = open_source(write(name, text)).read()
        assert dict(frame.schema) == {
            "a": pl.String,
            "o.p": pl.Int64,
            "o.q.r": pl.Boolean,
            "l": pl.String,
            "z": pl.Date,
        }
        assert frame["l"][0] == "[1, 2]"


def test_json_with_the_numbers_python_writes_is_read(write):
    frame = open_source(
        write("t.jsonl", '{"a":NaN}\n{"a":Infinity}\n{"a":1e400}\n{"a":99999999999999999999999}\n')
    ).read()
    assert frame["a"].to_list() == [None, float("inf"), float("inf"), 1e23]


def _packed(compression, data):
    if compression == "gz":
        return gzip.compress(data)
    out = io.BytesIO()
    with formats.writer(out, "zst") as stream:
        stream.write(data)
    return out.getvalue()


FRAME = pl.DataFrame({"a": [1, None, 3], "b": [0.1, 2.0, None], "c": ["x", None, "z, y"], "d": [True, None, False]})


def _as(kind):
    if kind == "parquet":
        out = io.BytesIO()
        FRAME.write_parquet(out)
        return out.getvalue()
    if kind == "json":
        return FRAME.write_json().encode()
    if kind == "jsonl":
        return FRAME.write_ndjson().encode()
    return FRAME.write_csv(separator="\t" if kind == "tsv" else ",").encode()


@pytest.mark.parametrize("compression", ["gz", "zst", None])
@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_every_format_is_read_also_compressed_and_told_by_its_content(write, kind, compression):
    data = _as(kind) if compression is None else _packed(compression, _as(kind))
    named = f"t.{kind}" + (f".{compression}" if compression else "")
    for name in (named, "t", "t.csv"):
        with open_source(write(name, data)) as source:
            assert source.read().equals(FRAME)
            expected = "csv" if name == "t.csv" and kind == "tsv" else kind
            assert source.format.split(".")[0] in (kind, expected)
        assert name != named or source.notes == []


def test_a_name_that_does_not_fit_the_content_is_noted(write):
    assert "holds parquet" in open_source(write("t.csv", _as("parquet"))).notes[0]
    assert "unpacked" in open_source(write("t.csv", gzip.compress(_as("csv")))).notes[0]


def test_standard_input_is_read_twice_and_its_copy_deleted(monkeypatch):
    class Pipe:
        buffer = io.BytesIO(b"a,b\n1,2\n")

    monkeypatch.setattr("sys.stdin", Pipe)
    with open_source("-") as source:
        kept = source._file.path
        assert source.read().rows() == source.read().rows() == [(1, 2)]
        assert source.name == "standard input"
    assert not kept.exists()


def test_the_fingerprint_is_that_of_the_bytes(write):
    source = open_source(write("t.csv", "a,b\n1,2\n"))
    assert source.fingerprint() == hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert source.size == 8


def test_given_types_are_kept_and_others_inferred(write):
    source = open_source(write("t.csv", "zip,n\n01234,1\n99999,2\n")).with_dtypes({"zip": pl.String, "other": pl.Int8})
    assert source.read().rows() == [("01234", 1), ("99999", 2)]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_value_that_is_not_of_the_given_type_is_named(write, name):
    frame = pl.DataFrame({"n": ["1", "many"]})
    content = {"t.csv": frame.write_csv(), "t.jsonl": frame.write_ndjson()}.get(name)
    path = write(name, content or "")
    if content is None:
        frame.write_parquet(path)
    with pytest.raises(SourceError, match=r"'n'.*'many' is not a number"):
        open_source(path).with_dtypes({"n": pl.Float64}).read()


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5),
    st.dates().map(str),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, st.floats(width=32) | st.none()), min_size=1, max_size=25),
    size=st.integers(1, 30),
    block=st.integers(7, 90),
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_batches_of_any_size_over_blocks_of_any_size_give_what_reading_whole_gives(tmp_path, kind, rows, size, block):
    path = tmp_path / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(dict(zip("abc", row, strict=True))) + "\n" for row in rows))
    else:
        frame = pl.DataFrame(
            {"a": [_cell(r[0]) for r in rows], "b": [_cell(r[1]) for r in rows], "c": [_cell(r[2]) for r in rows]},
            schema=dict.fromkeys("abc", pl.String),
        )
        path.write_text(frame.write_csv(), "utf-8")
    whole = open_source(path).read()
    assert whole.height == len(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("anomaly_detection.sources._bytes.BLOCK", block)
        batches = list(open_source(path).batches(size))
    assert all(batch.schema == whole.schema for batch in batches)
    assert [batch.height for batch in batches[:-1]] == [size] * (len(batches) - 1)
    assert pl.concat(batches).equals(whole)


def _cell(value):
    return None if value is None else str(value)


def test_one_line_of_json_lines_is_json_lines_however_long(write):
    for text in ('{"a":1}\n', '{"a":1}', json.dumps({f"c{i}": i for i in range(20_000)}) + "\n"):
        source = open_source(write("t.jsonl", text))
        assert (source.format, source.notes, source.read().height) == ("jsonl", [], 1)


def test_a_field_of_json_without_a_name_is_a_column_without_a_name(write):
    frame = open_source(write("t.json", '[{"a": 1, "": 2}]')).read()
    assert (frame.columns, frame.rows()) == (["a", ""], [(1, 2)])
