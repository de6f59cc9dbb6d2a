"""Whatever the bytes are: records, or a refusal that can be shown on a terminal. Nothing else, and not for long."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.sinks import FileSink
from anomaly_detection.sources import Limits, open_source

FRAME = pl.DataFrame(
    {
        "id": range(6),
        "x": [0.5, None, 1e300, -1.0, 2.5, 0.0],
        "s": ["a,b", 'q"r', "é\n", "-", "", "[1]"],
        "d": ["2024-01-01", "2024-01-02", None, "2024-02-29", "x", "24:61"],
    }
)
NAMES = ["t.csv", "t.tsv", "t.json", "t.jsonl", "t.parquet", "t.csv.gz", "t.csv.zst", "t.jsonl.gz", "t.json.zst"]
PIECES = [
    *(bytes([each]) for each in b'",\n\r\x00\xff{}[]:-+.e \t;\\\x1b'),
    *(b"NaN", b"Infinity", b"1e999", b"9" * 30, b"9" * 5000, b"1" * 400, b"\\ud800", b"\\u0000", b"null", b"true"),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b'""', b'{"a":{"b":1}}', b'"a.b":1,', b'["x"]', b"[" * 3000),
    *(b'"data":', b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xff\xff\xff\x7f", b"2024-13-01", b"1_0"),
]

quick = settings(
    max_examples=80, deadline=5000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(PIECES) | st.binary(max_size=3)),
    min_size=1,
    max_size=4,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from(["csv", "tsv", "json", "jsonl", "parquet"]),
        "encoding": st.sampled_from(["utf-8", "latin-1", "utf-16", "cp1252", "utf-16-le"]),
    },
)


def read_or_refuse(path, **asked):
    said = "."
    try:
        with open_source(path, limits=Limits(line=1 << 20, whole=1 << 20), **asked) as source:
            whole = source.read()
            assert whole.height > 0
            assert whole.schema == source.dtypes
            assert pl.concat(list(source.batches(4))).equals(whole)
    except InputError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 2000


@pytest.fixture(scope="module", params=NAMES)
def valid(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / request.param
    with FileSink(path) as sink:
        sink.write(FRAME)
    return path, path.read_bytes()


@quick
@given(edits=edits, asked=options)
def test_files_changed_anywhere(valid, capfd, edits, asked):
    path, content = valid
    for place, cut, piece in edits:
        at = round(place * len(content))
        content = content[:at] + piece + content[at + cut :]
    path.write_bytes(content)
    read_or_refuse(path, **asked)
    capfd.readouterr()  # polars says on standard error where a Parquet file broke it


@quick
@given(share=st.floats(0, 1))
def test_files_cut_anywhere(valid, share):
    path, content = valid
    path.write_bytes(content[: round(share * len(content))])
    read_or_refuse(path)


@quick
@given(content=st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=30).map(b"".join), asked=options)
def test_bytes_of_any_kind(valid, content, asked):
    path, _ = valid
    path.write_bytes(content)
    read_or_refuse(path, **asked)
