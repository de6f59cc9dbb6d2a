"""Keys with few rows go through flat arrays, and get the verdicts that a detector for each would give."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.calibration import Calibrator
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.features.series import Series
from anomaly_detection.records import Column, Schema
from anomaly_detection.series import SeriesPipeline

KEYED = Schema((Column("v", "number"),), "t", "host")


def table(n_keys, n, start=0, seed=0, spikes=0.02):
    """Rows of keys at the same times, each with a level of its own, some values missing, some far away."""
    rng = np.random.default_rng(seed)
    values = 10.0 * np.arange(n_keys) + rng.standard_t(4, size=(n, n_keys))
    values += 40.0 * (rng.random(values.shape) < spikes)
    values[rng.random(values.shape) < 0.03] = np.nan
    hosts = [f"rack-{k % 3}/host-{k}" for k in range(n_keys)] * n
    return pl.DataFrame({"t": np.repeat(np.arange(start, start + n), n_keys), "host": hosts, "v": values.ravel()})


def pipeline_of(frame, detector="ewma", **wishes):
    return SeriesPipeline(detector, contamination=0.01, **wishes).fit(frame, KEYED)


def one_by_one(train, later, span=100.0, alpha=0.01, learn_anomalies=False):
    """Scores and p-values of the later rows by a detector for each key, and one calibrator."""
    sample, found = [], np.full((len(later), 2), np.nan)
    detectors = {}
    for (host,), rows in train.group_by("host", maintain_order=True):
        series = Series.of(rows.sort("t")["v"].to_numpy())
        half = max(2, len(series) // 2)
        sample.append(EWMA(span).fit(series[:half]).advance(series[half:]).score)
        detectors[host] = EWMA(span).fit(series)
    sample = np.concatenate(sample)
    calibrator = Calibrator().fit(sample[~np.isnan(sample)])
    line = np.inf if learn_anomalies else calibrator.line(alpha)
    in_order = later.with_row_index().sort("t", maintain_order=True)
    for (host,), rows in in_order.group_by("host", maintain_order=True):
        detector = detectors.get(host) or EWMA(span).blank(("v0",))
        score = detector.advance(Series.of(rows["v"].to_numpy(), start=10**9), line).score
        said = ~np.isnan(score)
        places = rows["index"].to_numpy()
        found[places, 0] = np.where(said, score, np.median(calibrator.ordered_))
        found[places, 1] = np.where(said, calibrator.p_value(found[places, 0]), 1.0)
    return found


def all_but_own(pipeline, frame):
    """Rows of keys that have no model of their own: the longest series always has one."""
    return ~frame["host"].is_in([key.replace("%2F", "/") for key in pipeline.learned_.models])


@pytest.mark.parametrize(("detector", "span"), [("ewma", 100.0), (EWMA(span=20.0), 20.0)])
@pytest.mark.parametrize("learn_anomalies", [False, True])
def test_verdicts_are_those_of_a_detector_for_each_key(detector, span, learn_anomalies):
    train, later = table(30, 20), table(33, 12, 20, 1)
    later = later[np.random.default_rng(2).permutation(len(later))]
    pipeline = pipeline_of(train, detector)
    few = all_but_own(pipeline, train)
    expected = one_by_one(train.filter(few), later, span, learn_anomalies=learn_anomalies)
    mine = all_but_own(pipeline, later).to_numpy()
    assert mine.sum() >= 32 * 12
    result = pipeline.update(later, learn_anomalies=learn_anomalies)
    np.testing.assert_array_equal(result.score[mine], expected[mine, 0])
    np.testing.assert_array_equal(result.p_value[mine], expected[mine, 1])
    assert result.anomaly_count > 0
    assert len(pipeline.learned_.charts) == 32


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 400), st.booleans())
def test_any_chunks_give_the_same_bits_and_detect_leaves_no_trace(cut, twice):
    train, later = table(30, 20), table(33, 12, 20, 1)
    whole, parts = pipeline_of(train), pipeline_of(train)
    expected = whole.detect(later)
    assert len(whole.learned_.charts) == 29
    np.testing.assert_array_equal(whole.update(later).score, expected.score)
    if twice:
        parts.detect(later[cut:])
    found = [parts.update(later[:cut]).score, parts.update(later[cut:]).score]
    np.testing.assert_array_equal(np.concatenate(found), expected.score)


def test_saved_mid_stream_it_goes_on_alike():
    pipeline = pipeline_of(table(30, 20))
    pipeline.update(table(33, 5, 20, 1))
    spec, arrays = pipeline.state()
    again = SeriesPipeline.from_state(json.loads(json.dumps(spec)), {name: one.copy() for name, one in arrays.items()})
    later = table(35, 5, 25, 2)
    assert again.update(later).to_polars().equals(pipeline.update(later).to_polars())
    assert again.learned_.charts.keys().to_list() == pipeline.learned_.charts.keys().to_list()


def test_ranks_among_the_rows_of_a_file_are_given_to_all_keys_together():
    frame = table(40, 40, spikes=0.0)
    frame[30 * 40 + 7, "v"] = 900.0
    result = SeriesPipeline("ewma", contamination=0.002).fit_detect(frame, KEYED)
    assert result.top(1).tolist() == [30 * 40 + 7]
    assert result.anomaly_count == pytest.approx(0.002 * len(frame), abs=2)
    assert result.reason[30 * 40 + 7].startswith("v 900 is above the expected 7")


def test_sides_bounds_and_bands_are_there_too():
    train = table(30, 20, spikes=0.0)
    later = table(30, 1, 20, 1, spikes=0.0).with_columns(v=pl.col("v").fill_nan(0.0))
    later[3, "v"], later[4, "v"] = 400.0, -400.0
    rise = pipeline_of(train, direction="rise", bounds=(None, 350.0)).detect(later)
    assert rise.is_anomaly[3:5].tolist() == [True, False]
    assert rise.reason[3] == "v 400 is above the bound 350"
    both = pipeline_of(train).detect(later)
    assert both.is_anomaly[3:5].tolist() == [True, True]
    assert both.lower[3] < both.expected[3] < both.upper[3] < 400.0
    assert both.explanations([3])[0].counterfactual.p_value > 0.01


def test_a_counter_with_few_rows_is_judged_by_what_was_added():
    n = 30
    added = np.abs(np.random.default_rng(0).normal(10.0, 1.0, size=n))
    rows = table(5, n + 1, spikes=0.0)
    counter = pl.DataFrame({"t": np.arange(n), "host": ["counter"] * n, "v": np.cumsum(added)})
    pipeline = pipeline_of(pl.concat([rows, counter]))
    assert list(pipeline.learned_.sparse) == ["counter"]
    last = float(counter["v"][-1])
    new = pl.DataFrame({"t": [n, n + 1], "host": ["counter"] * 2, "v": [last + 10.0, last + 400.0]})
    assert pipeline.detect(new).is_anomaly.tolist() == [False, True]
