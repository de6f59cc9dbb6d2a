"""What JSON results say about all rows: right, the same however the rows come in pieces, and bounded."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.pipeline import Pipeline
from anomaly_detection.workflows import fitting, summary
from anomaly_detection.workflows.bins import MOST_BINS, bin_edges
from anomaly_detection.workflows.detect import DetectRequest, detect_file
from anomaly_detection.workflows.orders import orders
from anomaly_detection.workflows.profiles import MOST_DIFFERENT, NumberProfile, WordProfile, profile_of
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.summary import Summary
from anomaly_detection.workflows.tally import Tally

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False)


@pytest.fixture(scope="module")
def judged():
    frame = orders(400).drop("order_id", "fraud")
    pipeline = Pipeline("mad", contamination=0.05)
    return pipeline, pipeline.fit_detect(frame), frame


def summarised(judged, size):
    """The summary of the verdicts, given in pieces of so many rows."""
    pipeline, result, frame = judged
    tally, gathered = Tally(pipeline), Summary(pipeline)
    for at in range(0, len(frame), size):
        rows = slice(at, at + size)
        changes = {
            name: getattr(result, name)[rows]
            for name in ("score", "p_value", "anomaly_score", "is_anomaly", "severity_code", "confidence")
        }
        part = result.with_(row=np.arange(len(frame))[rows], key=None, time=None, **changes)
        tally.add(part, frame[rows])
        gathered.add(part, frame[rows])
    return gathered.to_dict(tally, None, ["a note"])


def test_the_summary_does_not_depend_on_the_pieces_but_for_the_place_of_the_bins(judged):
    whole, pieces = summarised(judged, 400), summarised(judged, 90)
    for one, other in zip(whole.pop("columns"), pieces.pop("columns"), strict=True):
        assert sum(one["bins"]["rows"]) == sum(other["bins"]["rows"]) if "bins" in one else one == other
        for name in ("name", "kind", "missing", "missing_anomalies", "lowest", "highest"):
            assert one.get(name) == other.get(name)
    assert whole == pieces
    assert whole["rows"] == 400
    assert whole["anomaly_count"] == judged[1].anomaly_count == len(whole["anomalies"])


def test_a_histogram_counts_what_a_naive_one_does():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.lognormal(3, 1, 899).clip(1, 100), [100.0, -5.0, 1e6, np.nan]])
    flagged = np.arange(903) % 7 == 0
    profile = NumberProfile("number")
    for rows in (slice(0, 300), slice(300, 903)):
        profile.add(pl.Series("x", values[rows]), flagged[rows])
    found = profile.to_dict()
    edges = [-np.inf, *found["bins"]["edges"], np.inf]
    assert (values == edges[-2]).any()
    for name, chosen in (("rows", np.ones(903, bool)), ("anomalies", flagged)):
        naive = [int(((values >= a) & (values < b) & chosen).sum()) for a, b in itertools.pairwise(edges)]
        at_the_end = int(((values == edges[-2]) & chosen).sum())  # counts for the last bin, not beyond it
        naive[-2:] = [naive[-2] + at_the_end, naive[-1] - at_the_end]
        assert found["bins"][name] == naive
    assert (found["missing"], found["missing_anomalies"]) == (1, int(flagged[902]))
    assert (found["lowest"], found["highest"]) == (-5.0, 1e6)


@given(st.lists(NUMBERS, min_size=1, max_size=60), st.booleans())
@settings(max_examples=150, deadline=None)
def test_edges_rise_are_few_and_hold_the_middle(values, calendar):
    array = np.array(values)
    edges = bin_edges(array, calendar=calendar)
    assert 2 <= len(edges) <= MOST_BINS + 3
    assert all(a < b for a, b in itertools.pairwise(edges))
    low, high = np.quantile(array, (0.01, 0.99))
    slack = 1e-9 * max(1.0, np.abs(array).max())
    assert high <= edges[-1] + slack
    assert low >= edges[0] - slack or low >= 0  # bins that grow begin at the positive values


def test_whole_numbers_and_wide_ones_have_bins_of_their_own():
    assert bin_edges(np.array([1.0, 2.0, 3.0, 3.0])) == [0.5, 1.5, 2.5, 3.5]
    wide = bin_edges(np.geomspace(1, 1e6, 200))
    assert wide[:4] == [1.0, 2.0, 5.0, 10.0]
    assert bin_edges(np.arange(0.0, 86_400 * 20, 3_600), calendar=True)[1] % 86_400 == 0


def test_the_first_values_that_come_fix_the_bins():
    profile = NumberProfile("number")
    profile.add(pl.Series("x", [None, None], dtype=pl.Float64), np.array([True, False]))
    assert "bins" not in profile.to_dict()
    profile.add(pl.Series("x", [1.0, 2.0]), np.array([False, False]))
    profile.add(pl.Series("x", [50.0]), np.array([True]))
    assert profile.to_dict()["bins"] == {"edges": [0.5, 1.5, 2.5], "rows": [0, 1, 1, 1], "anomalies": [0, 0, 0, 1]}
    assert profile.difference() == pytest.approx(2 / 3)


def test_many_different_words_take_bounded_room():
    profile = WordProfile()
    words = pl.Series("w", [f"word{i}" for i in range(3 * MOST_DIFFERENT)] + ["often"] * 50 + [None])
    profile.add(words[-51:], np.arange(51) == 0)
    profile.add(words[:-51], np.zeros(len(words) - 51, bool))
    found = profile.to_dict()
    assert found["different"] == MOST_DIFFERENT
    assert found["values"][0] == {"value": "often", "rows": 50, "anomalies": 1}
    assert found["missing"] == 1
    assert sum(one["rows"] for one in found["values"]) + found["others"]["rows"] == 3 * MOST_DIFFERENT + 50


def test_times_texts_and_durations_become_numbers():
    start = datetime(2026, 1, 1)
    none = np.zeros(3, bool)
    moments = pl.Series("t", [start + timedelta(days=i) for i in range(3)])
    for kind, series, unit, lowest in (
        ("time", moments, "time", 1767225600.0),
        ("time", moments.cast(pl.String), "time", 1767225600.0),
        ("time", pl.Series("t", ["08:00", "09:30", "10:00"]), "clock", 28_800.0),
        ("text", pl.Series("t", ["one", "three", "seven"]), "characters", 3.0),
        ("number", pl.Series("t", [timedelta(seconds=90)] * 3), "seconds", 90.0),
        ("number", pl.Series("t", ["1.5", "2", "3"]), "number", 1.5),
    ):
        profile = profile_of(kind)
        profile.add(series, none)
        found = profile.to_dict()
        assert (found["unit"], found["lowest"]) == (unit, lowest)


def test_wide_tables_are_cut_to_what_differs_most(monkeypatch):
    monkeypatch.setattr(summary, "WRITTEN_COLUMNS", 2)
    monkeypatch.setattr(summary, "RECORD_COLUMNS", 3)
    monkeypatch.setattr(summary, "MOST_RECORDS", 4)
    monkeypatch.setattr(summary, "LONGEST", 10)
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{i}": rng.normal(size=300) for i in range(5)}).with_columns(
        x3=pl.when(pl.int_range(300) < 15).then(40.0).otherwise("x3"), free=pl.lit("some words " * 5)
    )
    pipeline = Pipeline("mad", contamination=0.05)
    found = summarised((pipeline, pipeline.fit_detect(frame), frame), 300)
    assert len(found["columns"]) == 2
    assert "x3" in [column["name"] for column in found["columns"]]
    assert found["columns_in_all"] == 5
    assert [len(one["record"]) for one in found["anomalies"]] == [3] * 4


def test_rows_that_repeat_are_counted_among_the_first(monkeypatch, judged):
    pipeline, _, frame = judged
    twice = pl.concat([frame, frame])
    assert summarised((pipeline, pipeline.fit_detect(twice), twice), 100)["repeated_rows"] == 400
    monkeypatch.setattr(summary, "MOST_HASHES", 450)
    found = summarised((pipeline, pipeline.fit_detect(twice), twice), 100)
    assert (found["repeated_rows"], found["repeated_among"]) == (50, 450)


@pytest.mark.parametrize("batch", [65_536, 150])
def test_json_results_carry_it_and_other_formats_do_without(tmp_path, monkeypatch, batch):
    monkeypatch.setattr(fitting, "BATCH", batch)
    monkeypatch.setattr(fitting, "WHOLE", 0 if batch < 1000 else fitting.WHOLE)
    data = tmp_path / "orders.csv"
    orders(500).write_csv(data)
    reading = Reading(str(data), key="order_id", timestamp="created", label="fraud")
    outcome = detect_file(DetectRequest(reading, output=tmp_path / "out.json"))
    found = json.loads((tmp_path / "out.json").read_text())
    assert list(found) == ["results", "summary", "made"]
    assert found["summary"]["rows"] == outcome.rows == 500
    assert found["summary"]["severities"] == outcome.severities
    assert found["summary"]["evaluation"]["auroc"] == outcome.evaluation.auroc
    record = found["summary"]["anomalies"][0]
    assert record["row"] == outcome.top[0]["row"]
    assert record["record"]["quantity"] == outcome.top[0]["record"]["quantity"]
    assert {"order_id", "created"}.isdisjoint(record["record"])
    assert "fraud" in record["record"]
    ignoring = Reading(str(data), ignore=("order_id", "note", "fraud"))
    detect_file(DetectRequest(ignoring, output=tmp_path / "out.json"))
    record = json.loads((tmp_path / "out.json").read_text())["summary"]["anomalies"][0]["record"]
    assert "created" in record
    assert {"order_id", "note", "fraud"}.isdisjoint(record)
    lines = tmp_path / "out.jsonl"
    detect_file(DetectRequest(reading, output=lines))
    assert "summary" not in lines.read_text()
