"""Sessions that a regular expression finds, through files of any kind and in any chunks."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs import LogSource
from anomaly_detection.sources.logs.session_pattern import SessionPattern

MESSAGES = ["read blk_-12 then blk_3", "task 7 begins", "", "blk_ alone", "job_9 done"]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.jsonl"
    rows = [{"ts": f"2026-01-01T10:00:0{i}Z", "msg": text, "trace_id": f"t{i}-x"} for i, text in enumerate(MESSAGES)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("pattern", "sessions"),
    [
        (r"blk_-?\d+", ["blk_-12", None, None, None, None]),
        (r"blk_(-?\d+)", ["-12", None, None, None, None]),
        (r"(?<block>blk_-?\d+)|task (\d+)", ["blk_-12", "7", None, None, None]),
        (r"\d*", [None, None, None, None, None]),
    ],
)
def test_the_first_match_or_its_first_group_is_the_session(log, pattern, sessions):
    frame = LogSource(log, session_pattern=pattern).read().frame
    assert frame["session"].to_list() == sessions
    assert frame.columns[-1] == "line"


def test_in_the_named_field_where_one_is_named(log):
    frame = LogSource(log, columns={"session": "trace_id"}, session_pattern=r"^\w+").read().frame
    assert frame["session"].to_list() == ["t0", "t1", "t2", "t3", "t4"]


def test_chunks_do_not_matter_and_a_table_is_read_alike(log, tmp_path):
    source = LogSource(log, session_pattern=r"blk_-?\d+|job_\d+")
    whole = source.read().frame
    assert pl.concat(batch.frame for batch in source.batches(2)).equals(whole)
    table = tmp_path / "log.csv"
    whole.select("time", "message").write_csv(table)
    assert LogSource(table, session_pattern=r"blk_-?\d+|job_\d+").read().frame["session"].equals(whole["session"])


@pytest.mark.parametrize("pattern", ["(", "(?=x)", r"(a)\1", "(a{1000}){1000}"])
def test_what_is_no_pattern_is_refused(log, pattern):
    with pytest.raises(ParameterError, match=r"session pattern .* cannot be used"):
        LogSource(log, session_pattern=pattern)


@given(st.text(max_size=12))
def test_any_text_is_a_pattern_or_refused(pattern):
    try:
        found = SessionPattern(pattern)
    except ParameterError:
        return
    frame = pl.DataFrame({"message": MESSAGES, "line": range(5)})
    assert found.of(frame)["session"].str.len_bytes().min() != 0
