"""The scanner of JSON lines finds what Python's json finds, on any line."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.sources.logs import LogColumns, LogFormat, decode_lines, decode_one
from anomaly_detection.sources.logs._spans import Lines
from anomaly_detection.sources.logs.columns import FIELDS
from anomaly_detection.sources.logs.json_lines import JsonLines
from sources.logs import naive_json as naive

COLUMNS = LogColumns.of(
    {
        "time": ["t", "a.t"],
        "level": "a.l",
        "service": ["s", "a.b.s"],
        "message": ["m", "a.m"],
        "session": "a",
        "response_time": "r",
        "status_code": ["c", "a.b.c"],
    }
)
LONG = settings.get_current_profile_name() == "fuzz"
many = settings(max_examples=20_000 if LONG else 300, deadline=None)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["", '"', "\\", "é😀", "\0", "\ud83d", "2024-05-01", 10**400, -0.0, 1e17, 0.1])
)
keys = st.sampled_from(["t", "a", "l", "s", "b", "m", "r", "c", "a.t", "a.b.s", "a.m", "x", "é", "\\"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
)
PIECES = [
    *(bytes([each]) for each in b'{}[],:"\\'),
    b"\\u12",
    b"\\ud83d",
    b"\t",
    b"1",
    b"0",
    b"-",
    b".",
    b"e5",
    b"tru",
    b"null",
]
pieces = st.sampled_from([*PIECES, b" "])


@st.composite
def documents(draw):
    record = draw(st.dictionaries(keys, values, max_size=6))
    spaces = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    text = json.dumps(record, ensure_ascii=draw(st.booleans()), separators=spaces)
    if draw(st.booleans()) and len(record) > 1:
        text = text.replace('"x"', '"m"').replace('"b"', '"a"')
    line = text.encode(errors="replace").replace(b"\n", b" ")
    for _ in range(draw(st.integers(0, 2)) if draw(st.booleans()) else 0):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(pieces) + line[at + draw(st.integers(0, 2)) :]
    return draw(st.sampled_from([b"", b" ", b"\t"])) + line.decode(errors="replace").encode()


def found(lines):
    ok, fields = JsonLines(COLUMNS).decode(Lines.of(b"\n".join(lines), 1))
    columns = {field: each.spans.series().to_list() for field, each in fields.items()}
    return ok.tolist(), columns


@many
@given(st.lists(documents(), min_size=1, max_size=6))
def test_the_scanner_finds_what_json_finds(lines):
    ok, columns = found(lines)
    for i, line in enumerate(lines):
        record = naive.record_of(line)
        assert ok[i] == (record is not None), line
        for field in FIELDS if record is not None else ():
            value, _ = naive.value_of(record, COLUMNS.of_field(field), field)
            expected = None if value is None else naive.text_of(value)
            same = columns[field][i] == expected
            assert same or number(columns[field][i]) == number(expected), (field, line)


def number(text):
    """Numbers may stand in the line in another way."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


@many
@given(st.lists(documents(), min_size=1, max_size=6))
def test_one_line_is_decoded_like_many(lines):
    log_format = LogFormat("json", COLUMNS)
    readable = [line for line in lines if naive.record_of(line) is not None]
    frame = decode_lines(readable, log_format).frame
    assert [decode_one(naive.record_of(line), log_format) for line in readable] == frame.drop("line").to_dicts()
    assert [decode_one(line, log_format) for line in readable] == frame.drop("line").to_dicts()


def rows(lines, **options):
    return decode_lines(lines, **options).frame


def test_usual_names_and_nested_fields():
    line = (
        '{"@timestamp":"2024-05-01T10:00:00+02:00","log":{"level":"warning"},"service":{"name":"shop"},'
        '"message":"slow","http":{"response":{"status_code":503}},"event":{"duration":1500000},"trace":{"id":"t1"}}'
    )
    batch = decode_lines([line])
    assert batch.format.columns.as_dict() == {
        "time": ["@timestamp"],
        "level": ["log.level"],
        "service": ["service.name"],
        "message": ["message"],
        "session": ["trace.id"],
        "response_time": ["event.duration"],
        "status_code": ["http.response.status_code"],
    }
    row = batch.frame.row(0, named=True)
    assert row["time"].isoformat() == "2024-05-01T08:00:00+00:00"
    assert (row["level"], row["service"], row["session"]) == ("WARN", "shop", "t1")
    assert (row["response_time"], row["status_code"]) == (1.5, 503)


def test_the_user_names_a_field():
    line = '{"time":"2024-05-01","when":"2024-05-02","text":"a","note":"b","dur_s":2}'
    frame = rows([line], columns={"time": "when", "message": ["no", "note"], "response_time": "dur_s"})
    assert frame["time"].dt.day().to_list() == [2]
    assert frame["message"].to_list() == ["b"]
    assert frame["response_time"].to_list() == [2000.0]


def test_each_line_may_have_other_names():
    frame = rows(['{"msg":"a","level":"info"}', '{"message":"b","severity":"err"}'])
    assert frame["message"].to_list() == ["a", "b"]
    assert frame["level"].to_list() == ["INFO", "ERROR"]


def test_of_equal_names_the_last_counts():
    assert rows(['{"msg":"a","msg":"b"}'])["message"].to_list() == ["b"]
    assert rows(['{"level":"info","level":null,"msg":"a"}'] * 3)["level"].to_list() == [None] * 3


def test_broken_json_in_the_middle_is_kept_aside():
    counts = decode_lines(['{"msg":"a"}', '{"msg":"b', '{"msg":"c"}'], "json").counts
    assert (counts.decoded, counts.aside, counts.first_aside) == (2, 1, ((2, '{"msg":"b'),))


@pytest.mark.parametrize("value", ["-1", "NaN", "-Infinity", "1e999", '"-3ms"', '"nan"'])
def test_impossible_response_times_are_missing_and_counted(value):
    batch = decode_lines([f'{{"msg":"a","latency_ms":{value}}}', '{"msg":"b","latency_ms":5}'], "json")
    assert batch.frame["response_time"].to_list() == [None, 5.0]
    assert batch.counts.unusable_values == 1


def test_a_line_of_ten_megabytes():
    long = "x" * (10 << 20)
    batch = decode_lines([f'{{"msg":"{long}","level":"info"}}', '{"msg":"b"}'])
    assert batch.frame["message"].str.len_bytes().to_list() == [65536, 1]
    assert batch.counts.shortened == 1
    assert decode_one({"msg": long})["message"] == "x" * 65536


def test_nul_and_bytes_that_are_no_utf8_are_replaced_and_counted():
    batch = decode_lines([b'{"msg":"a\0b\\u0000"}', b'{"msg":"\xff"}', '{"msg":"é"}'.encode()])
    assert batch.frame["message"].to_list() == ["a\ufffdb\ufffd", "\ufffd", "é"]
    assert batch.counts.replaced == 2


def test_objects_that_hold_no_known_field_are_rows_without_values():
    frame = rows(['{"x":1}'])
    assert frame.columns == ["time", "level", "service", "message", "line"]
    assert frame.row(0) == (None, None, None, None, 1)
