"""Whatever the bytes are and however they are cut: the same rows, and every line accounted for.

With ``--hypothesis-profile=fuzz`` more than 100,000 inputs are tried instead of some hundred.
"""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection.sources.logs import LogColumns, LogFormat, LogReader, containers, decode_lines
from anomaly_detection.sources.logs import reader as reading
from anomaly_detection.sources.logs.columns import ALWAYS, FIELDS
from anomaly_detection.sources.logs.reader import empty_frame

COLUMNS = LogColumns.of(
    {
        "time": ["ts", "time"],
        "level": "level",
        "service": ["svc", "a.b"],
        "message": ["msg", "log"],
        "session": "a.c",
        "response_time": ["ms", "latency_s"],
        "status_code": "status",
    }
)
JSON = LogFormat("json", COLUMNS)
LOGFMT = LogFormat("logfmt", COLUMNS)
PATTERN = r"(?<time>\d\S*) (?:(?<level>[A-Z]+) )?(?<message>.*)$"
TEXT_COLUMNS = LogColumns(time=("time",), level=("level",), message=("message",))
SAMPLES = {
    "json": [b'{"ts":"2024-05-01T10:00:00Z","level":"info","svc":"a","msg":"x","ms":1.5,"status":200}',
             b'{"ts":1714557600,"level":30,"a":{"b":"n","c":"s"},"msg":"e \\"q\\" \\u00e9","latency_s":"0.1"}'],
    "logfmt": [b'ts=2024-05-01T10:00:00Z level=info msg="a \\"b\\" c" ms=5ms', b"level=warn svc=x msg=d status=404"],
    "syslog": [b"<34>Oct 11 22:14:15 host su[1]: failed", b"Oct 11 22:14:16 host last message"],
    "syslog5424": [b'<165>1 2003-10-11T22:14:15.003Z host app - ID47 [a@1 b="c\\"]"] text', b"<34>1 - - - - - - x"],
    "common": [b'127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326'],
    "combined": [b'::1 - b [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 500 - "-" "M \\" x" 0.25'],
    "text": [b"2024-05-01 10:00:00,123 - shop - INFO - hello", b"Traceback (most recent", b"  File x", b"E"],
    "regex": [b"2024-05-01T10:00:00 WARN something", b"more of it"],
    "plain": [b"hello ERROR world", b"\tat x"],
    "cri": [b'2024-05-01T10:00:00.123456789Z stdout P {"level":"in', b'2024-05-01T10:00:01.123456789Z stdout F fo"}',
            b"2024-05-01T10:00:00.123456789Z stderr F   at x", b"2024-05-01T10:00:00.123456789Z stderr F "],
    "docker": [b'{"log":"level=info msg=x\\n","stream":"stdout","time":"2024-05-01T10:00:00.1Z"}',
               b'{"log":"level=warn ","stream":"stderr","time":"2024-05-01T10:00:00.1Z"}',
               b'{"log":"msg=y\\r\\n","stream":"stderr","time":"2024-05-01T10:00:00.1Z"}'],
}  # fmt: skip
FORMATS = {
    "json": JSON,
    "logfmt": LOGFMT,
    **{
        name: decode_lines(SAMPLES[name], name).format
        for name in ("syslog", "syslog5424", "common", "combined", "text", "plain")
    },
    "regex": LogFormat("regex", TEXT_COLUMNS, (PATTERN,)),
    "cri": LogFormat("cri", inner=JSON),
    "docker": LogFormat("docker", inner=LOGFMT),
}
PIECES = [
    *(bytes([each]) for each in b'",\n\r\x00\xff{}[]:-+.e \t;\\\x1b=<>'),
    *(
        b"\n\n",
        b"\r\n",
        b"\n  at x\n",
        b"\nCaused by: y\n",
        b"\nx\n",
        b"\\ud83d\\ude00",
        b"\\ud800",
        b"\\u0000",
        b"\\n",
    ),
    *(
        b"NaN",
        b"-1",
        b"1e999",
        b"9" * 30,
        b"0.12345678901234567890",
        b"null",
        b"true",
        b'{"b":1}',
        b"[" * 40,
        b'"msg":"z",',
    ),
    *(
        b'"a.b":"q",',
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"2024-02-30",
        b"12:61",
        b" - ",
        b" stdout P ",
        b'{"log":"',
        b"T",
    ),
]
LONG = settings.get_current_profile_name() == "fuzz"
quick = settings(
    max_examples=5000 if LONG else 60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def contents(name):
    whole = st.lists(
        st.sampled_from(SAMPLES[name]) | st.sampled_from(PIECES) | st.binary(max_size=4) | st.just(b"\n"), max_size=16
    )
    edits = st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=3)), max_size=3
    )
    return st.tuples(whole, edits, st.sampled_from([b"", b"\n"])).map(edited)


def edited(parts):
    lines, edits, between = parts
    text = between.join(lines)
    for place, cut, piece in edits:
        at = round(place * len(text))
        text = text[:at] + piece + text[at + cut :]
    return text


def read(format, blocks, **options):
    reader = LogReader(format, reference=1_714_557_600_000_000, **options)
    frames = [reader.feed(block) for block in blocks]
    return pl.concat([*frames, reader.finish()]), reader.counts


def cut_at(text, places):
    cuts = sorted({round(place * len(text)) for place in places})
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def lines_of(text):
    return text.count(b"\n") + (1 if text and not text.endswith(b"\n") else 0)


def check(name, text, places):
    log_format = FORMATS[name]
    whole, counts = read(log_format, [text])
    assert counts.lines == lines_of(text) == counts.decoded + counts.joined + counts.blank + counts.aside
    assert whole.height == counts.decoded
    columns = log_format.innermost.columns
    assert whole.columns == [field for field in FIELDS if field in ALWAYS or columns.of_field(field)] + ["line"]
    assert whole.schema == empty_frame(columns).schema
    assert whole["line"].is_sorted()
    assert whole["line"].is_empty() or 1 <= whole["line"].min() <= whole["line"].max() <= counts.lines
    assert (whole["response_time"] >= 0).all() if "response_time" in whole.columns else True
    parts, again = read(log_format, cut_at(text, places))
    assert parts.equals(whole)
    assert again == counts


@pytest.mark.parametrize("name", FORMATS)
def test_any_bytes_in_any_pieces(name):
    @quick
    @given(contents(name), st.lists(st.floats(0, 1), max_size=4))
    def holds(text, places):
        check(name, text, places)

    holds()


@pytest.mark.parametrize("name", FORMATS)
def test_small_limits_cut_alike(name, monkeypatch):
    monkeypatch.setattr(reading, "JOINED_LINES", 2)
    monkeypatch.setattr(reading, "JOINED_BYTES", 12)
    monkeypatch.setattr(containers, "PIECES", 2)
    monkeypatch.setattr(containers, "PIECE_BYTES", 20)

    @quick
    @given(contents(name), st.lists(st.floats(0, 1), max_size=6))
    def holds(text, places):
        check(name, text, places)

    holds()


@quick
@given(
    st.lists(
        st.sampled_from([line for each in SAMPLES.values() for line in each]) | st.binary(max_size=20), max_size=12
    )
)
def test_any_lines_have_a_format(lines):
    batch = decode_lines(lines)
    counts = batch.counts
    assert counts.lines == counts.decoded + counts.joined + counts.blank + counts.aside
    assert LogFormat.from_json(batch.format.to_json()) == batch.format
    assert decode_lines(lines, batch.format, reference=None).frame.drop("time").equals(batch.frame.drop("time"))
