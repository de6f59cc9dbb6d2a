"""A log that is judged block by block is summed up as one that is judged at once, in memory that does not grow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.logs import LogPipeline
from anomaly_detection.sources.logs.counts import LogCounts
from anomaly_detection.sources.logs.generated import generate_logs
from anomaly_detection.workflows import line_tally
from anomaly_detection.workflows.line_tally import LineTally
from anomaly_detection.workflows.log_reasons import reasons_of_lines
from anomaly_detection.workflows.log_summary import LogSummary
from anomaly_detection.workflows.timed_counts import MOST_GRAINS, TimedCounts
from anomaly_detection.workflows.whole_log import WholeLog

FRAME = generate_logs(5_000, anomaly_share=0.05, quiet_share=0.5, seed=4).drop("label", "kind")
NEW = (
    FRAME[3_000:]
    .with_row_index("i")
    .with_columns(message=pl.when(pl.col("i") % 97 == 5).then(pl.format("disk {} lost", "i")).otherwise("message"))
    .drop("i")
)


@pytest.fixture(scope="module")
def pipeline():
    return LogPipeline(0.01).fit(FRAME[:3_000])


def judged(pipeline, frame, first=0):
    result = pipeline.detect(frame, first_row=first)
    return frame, result.to_polars().with_columns(reason=reasons_of_lines(result)), result


def told(log):
    found = LogSummary(log).to_dict(3_000, LogCounts(lines=9), "json", [])
    return found["log"], log.top(5)


def tallied(pipeline, frame, cuts):
    pipeline.forget()
    tally = LineTally(pipeline.templates(), pipeline.alpha_, pipeline.minutes, 200)
    edges = [0, *sorted(cuts), len(frame)]
    for begin, end in pairwise(edges):
        tally.add(*judged(pipeline, frame[begin:end], begin))
    return tally


def at_once(pipeline, frame):
    pipeline.forget()
    return WholeLog("line", *judged(pipeline, frame), pipeline.templates(), pipeline.minutes)


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == (pytest.approx(other, rel=1e-9) if isinstance(other, float) else other)


TIMES = {
    "timed": pl.col("time"),
    "some": pl.when(pl.int_range(pl.len()) % 3 == 1).then("time"),
    "late": pl.when(pl.int_range(pl.len()) > 700).then("time"),
    "none": pl.lit(None, FRAME.schema["time"]),
}


@pytest.mark.parametrize("times", TIMES)
@given(cuts=st.lists(st.integers(0, len(NEW)), max_size=4))
@settings(max_examples=6, deadline=None)
def test_blocks_are_summed_up_as_the_whole(pipeline, times, cuts):
    frame = NEW.with_columns(time=TIMES[times])
    found, wanted = told(tallied(pipeline, frame, cuts)), told(at_once(pipeline, frame))
    for name, value in wanted[0].items():
        assert same(found[0][name], value), name
    assert same(found[1], wanted[1])


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=6),
    st.sampled_from([1e-3, 1.0, 977.0, 86_400.0, 3e6]),
    st.integers(0, 2**31),
)
@settings(deadline=None)
def test_counts_over_time_are_exact_and_stay_small(sizes, pause, seed):
    rng = np.random.default_rng(seed)
    places = 1.7e9 + np.cumsum(rng.exponential(pause, sum(sizes)) * rng.choice([1, 1, 50], sum(sizes)))
    counts, at = TimedCounts(), 0
    for size in sizes:
        lines = pl.DataFrame({"severity": np.zeros(size, np.int8), "service": ["a"] * size, "template": 0, "odd": True})
        part = places[at : at + size]
        counts.add(
            part, np.arange(at, at + size, dtype=np.float64), lines.with_columns(pl.col("template").cast(pl.Int64))
        )
        at += size
    line = type(counts.timeline()).of(places, timed=True)
    wanted = np.bincount(line.bucket(), minlength=line.buckets)
    found = counts.by("service")
    assert np.bincount(found["bucket"], found["lines"], minlength=line.buckets).tolist() == wanted.tolist()
    assert len(counts._counts["service"]) <= MOST_GRAINS + 1


def test_very_many_services_and_windows_are_counted_together(pipeline, monkeypatch):
    monkeypatch.setattr(line_tally, "MOST_SERVICES", 20)
    monkeypatch.setattr(line_tally, "MOST_WINDOWS", 40)
    n = 600
    frame = NEW[:n].with_columns(
        service=pl.format("s{}", pl.int_range(pl.len())),
        time=pl.lit(FRAME["time"][0]) + pl.duration(minutes=1) * pl.int_range(pl.len()),
    )
    tally = tallied(pipeline, frame, range(0, n, 25))
    services = told(tally)[0]["services"]
    assert sum(one["services"] for one in services) == n
    assert sum(sum(one["judged"]) for one in services) == n
    assert sum(map(len, tally._over)) <= 40
