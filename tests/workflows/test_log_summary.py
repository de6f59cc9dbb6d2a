"""What is said of templates, windows and services is what counting by hand says."""

from __future__ import annotations

from collections import defaultdict
from statistics import harmonic_mean, median

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.sources.logs.counts import LogCounts
from anomaly_detection.sources.logs.generated import generate_logs
from anomaly_detection.workflows import log_summary
from anomaly_detection.workflows.log_summary import LogSummary
from anomaly_detection.workflows.odd_groups import inverse, mean_of
from anomaly_detection.workflows.odd_templates import METHODS
from anomaly_detection.workflows.whole_log import WholeLog


def judged_lines(train, test):
    pipeline = LogPipeline(0.01).fit(train)
    result = pipeline.detect(test)
    reasons = pl.Series("reason", ["odd" if odd else None for odd in result.is_anomaly], dtype=pl.String)
    return WholeLog("line", test, result.to_polars().with_columns(reasons), result, pipeline.templates())


@pytest.fixture(scope="module")
def lines():
    frame = generate_logs(6_000, anomaly_share=0.05, quiet_share=0.5, seed=4)
    return judged_lines(frame[:3_000], frame[3_000:])


@pytest.fixture(scope="module")
def sessions():
    frame = generate_logs(6_000, anomaly_share=0.05, quiet_share=0.5, seed=4)
    train, test = frame[:3_000], frame[3_000:]
    pipeline = SessionPipeline(0.01).fit(train)
    result = pipeline.detect(test)
    table = result.to_polars().rename({"key": "session"}).with_columns(reason=pl.lit("odd"))
    return WholeLog("session", test, table, result, pipeline.templates())


def test_templates_of_lines(lines):
    ids, names = lines.templates
    expected = defaultdict(list)
    for i, each in enumerate(ids.tolist()):
        expected[each].append(i)
    found = LogSummary(lines).templates
    assert sorted(found["id"]) == sorted(expected)
    for row in found.iter_rows(named=True):
        rows = expected[row["id"]]
        p_values = [lines.result.parts[name][i] for name in METHODS for i in rows]
        assert row["p_value"] == pytest.approx(harmonic_mean(p_values))
        assert (row["lines"], row["template"]) == (len(rows), names[row["id"]])
        assert row["anomalies"] == lines.result.is_anomaly[rows].sum()
        assert row["new"] == (lines.result.templates[rows[0]] < 0)
        assert row["first_line"] == lines.frame["line"][rows[0]]
        assert row["is_anomaly"] == (row["p_value"] <= 0.01)


def test_new_templates_have_names(lines):
    found = LogSummary(lines).templates.filter("new")
    assert len(found)
    assert found["template"].null_count() == 0
    assert not set(found["template"]) & set(lines.learned_templates)


def test_windows(lines):
    expected = defaultdict(list)
    for i, (time, service) in enumerate(lines.frame.select("time", "service").iter_rows()):
        expected[service, time.replace(minute=time.minute // 5 * 5, second=0, microsecond=0)].append(i)
    found = LogSummary(lines).windows
    assert len(found) == len(expected)
    for row in found.iter_rows(named=True):
        rows = expected[row["service"], row["start"]]
        bad = lines.frame[rows].filter(pl.col("level").is_in(["ERROR", "CRITICAL"]) | (pl.col("status_code") >= 500))
        assert (row["lines"], row["errors"]) == (len(rows), len(bad))
        assert row["p_value"] == pytest.approx(max(1e-300, harmonic_mean(lines.result.parts["sliding_window"][rows])))
        took = lines.frame["response_time"][rows].drop_nulls().to_list()
        assert (row["latency"] is None) == (not took)
        assert row["latency"] is None or row["latency"] == pytest.approx(median(took), rel=1e-5)
        usual = median(len(rows) for (service, _), rows in expected.items() if service == row["service"])
        assert row["usual_lines"] == usual


def test_templates_of_sessions_are_held_against_chance(sessions):
    ids = sessions.templates[0]
    odd = dict(zip(sessions.table["session"], sessions.table["is_anomaly"], strict=True))
    having = defaultdict(set)
    for session, each in zip(sessions.frame["session"], ids.tolist(), strict=True):
        if session is not None:
            having[each].add(session)
    found = LogSummary(sessions).templates
    assert set(found["id"]) == set(having)
    among = sum(odd.values())
    for row in found.iter_rows(named=True):
        own = having[row["id"]]
        hits = sum(odd[session] for session in own)
        table = [[hits, among - hits], [len(own) - hits, len(odd) - among - len(own) + hits]]
        assert row["p_value"] == pytest.approx(max(1e-300, fisher_exact(table, alternative="greater").pvalue), rel=1e-6)
    assert len(LogSummary(sessions).windows) == 0


def test_a_line_without_a_time_counts_with_the_one_before(lines):
    odd = pl.Series(range(len(lines.frame))) % 3 == 0
    some = lines.frame.with_columns(time=pl.when(~odd).then("time"))
    log = WholeLog("line", some, lines.table, lines.result, lines.learned_templates)
    told = LogSummary(log).to_dict(0, LogCounts(), "json", [])["log"]
    assert sum(sum(one["judged"]) for one in told["services"]) == len(some)
    assert log.buckets[0] == log.buckets[1]
    assert (log.buckets[3::3] == log.buckets[2::3][: len(log.buckets[3::3])]).all()


@pytest.mark.parametrize("unit", ["lines", "sessions"])
@pytest.mark.parametrize("most", [2, 100])
def test_every_count_adds_up(request, monkeypatch, unit, most):
    log = request.getfixturevalue(unit)
    monkeypatch.setattr(log_summary, "MOST_SERVICES", most)
    told = LogSummary(log).to_dict(3_000, LogCounts(lines=9), "json", [])["log"]
    total = len(log.table)
    assert sum(sum(counts) for counts in told["scores"].values()) == total
    assert sum(sum(counts) for counts in told["severities"].values()) == total
    assert sum(sum(one["judged"]) for one in told["services"]) == total
    assert sum(sum(one["anomalies"]) for one in told["services"]) == log.result.anomaly_count
    assert sum(one["services"] for one in told["services"]) == log.frame["service"].n_unique()
    assert all(sum(one["counts"]) == one["lines"] for one in told["templates"])
    for one in told["anomalies"]:
        assert one["methods"].keys() == log.result.parts.keys()
        assert bool(one["lines"]) == (unit == "sessions")
        assert all(0 <= line["oddness"] <= 1 for line in one["lines"])


def test_few_windows_and_templates_stand_out_where_nothing_happened():
    frame = generate_logs(12_000, anomaly_share=0.0, hours=48, seed=6)
    summary = LogSummary(judged_lines(frame[:8_000], frame[8_000:]))
    assert summary.windows["is_anomaly"].mean() <= 0.03
    assert summary.templates["is_anomaly"].mean() <= 0.1


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=30))
def test_a_group_is_as_odd_as_its_lines_are_on_harmonic_average(p_values):
    frame = pl.DataFrame({"g": 0, "p": p_values})
    found = frame.group_by("g").agg(p=mean_of([inverse("p")], pl.len()))["p"].item()
    assert found == pytest.approx(harmonic_mean(p_values))
    assert np.min(p_values) * (1 - 1e-12) <= found <= 1.0
