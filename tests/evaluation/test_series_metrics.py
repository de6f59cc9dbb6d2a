"""Measures for series equal their definitions, and say what they should of simple cases."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.series_metrics import alarms, evaluate_series, event_recall, vus
from anomaly_detection.evaluation.series_ranges import (
    BIASES,
    NAB_PROFILES,
    affiliation,
    events,
    nab_score,
    range_precision_recall,
)
from evaluation import naive_series as naive


def case(seed, n=150):
    """Labels with a few events, scores with ties that know something of them, and flags."""
    rng = np.random.default_rng(seed)
    label = np.zeros(n, bool)
    for start in rng.integers(0, n - 2, rng.integers(1, 6)):
        label[start : start + rng.integers(1, 20)] = True
    score = np.round(np.convolve(rng.normal(size=n) + rng.random() * 3 * label, np.ones(3) / 3, "same"), 1)
    return label, score, score > rng.normal(0.8, 0.4)


@pytest.mark.parametrize("seed", range(15))
def test_vus_equals_its_naive_twin(seed):
    label, score, _ = case(seed)
    for buffer in (0, 1, 15):
        assert vus(label, score, buffer) == pytest.approx(naive.vus(label, score, buffer), abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_event_recall_equals_its_naive_twin(seed):
    label, score, _ = case(seed, 400)
    for tolerance, per, share in ((5, 1000, 0.05), (0, 50, 0.2), (2, 100, 1.0)):
        found = event_recall(label, score, tolerance=tolerance, rows_per_false_alarm=per, normal_share=share)
        recall, delay, false = naive.event_recall(label, score, tolerance, per, share)
        assert (found.recall, found.false_alarms) == (pytest.approx(recall), false)
        assert (math.nan if found.delay is None else found.delay) == pytest.approx(delay, nan_ok=True)
        assert found.budget == (~label).sum() // per


@pytest.mark.parametrize("seed", range(20))
def test_ranges_affiliation_and_nab_equal_their_naive_twins(seed):
    label, _, flags = case(seed, 60)
    for bias in BIASES:
        found = range_precision_recall(label, flags, alpha=0.3, bias=bias)
        assert found == pytest.approx(naive.range_precision_recall(label, flags, 0.3, bias), abs=1e-12, nan_ok=True)
    assert affiliation(label, flags) == pytest.approx(naive.affiliation(label, flags), abs=0.01, nan_ok=True)
    for name, weights in NAB_PROFILES.items():
        assert nab_score(label, flags, name) == pytest.approx(naive.nab(label, flags, *weights))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3), st.booleans()), min_size=1, max_size=80))
def test_every_measure_is_defined_or_none_and_within_its_range(rows):
    label, score, flags = map(list, zip(*rows, strict=True))
    found = evaluate_series(label, score, flags, step=60_000_000).to_dict()
    for name, value in found.items():
        if value is None or name.startswith("nab") or "delay" in name or isinstance(value, int):
            continue
        assert -1e-12 <= value <= 1 + 1e-12, name
    if any(label):
        assert found["event_recall"] is not None
        assert all(found[f"nab_{name}"] <= 100 + 1e-9 for name in NAB_PROFILES)
    else:
        assert found["vus_pr"] is found["event_recall"] is found["nab_standard"] is None


@given(st.integers(0, 200), st.integers(1, 1000))
def test_only_the_order_of_scores_counts(seed, stretch):
    label, score, flags = case(seed)
    found = evaluate_series(label, score, flags)
    assert evaluate_series(label, score**3 * stretch, flags) == found


def test_a_perfect_detector_has_the_best_of_each():
    label = np.zeros(400, bool)
    label[100:130] = label[300:310] = True
    found = evaluate_series(label, label.astype(float), label, step=1_000_000)
    perfect = {"auroc", "average_precision", "range_precision", "range_recall", "affiliation_precision", "event_recall"}
    assert all(getattr(found, name) == 1.0 for name in perfect)
    assert found.nab_standard == pytest.approx(100)
    assert (found.mean_delay, found.mean_delay_seconds, found.flagged_false_alarms) == (0.0, 0.0, 0)
    assert vus(label, label, 0) == (1.0, 1.0)


def test_random_flags_have_half_of_affiliation():
    rng = np.random.default_rng(0)
    label = np.zeros(20_000, bool)
    label[5_000:5_100] = label[15_000:15_100] = True
    precision, recall = affiliation(label, rng.random(20_000) < 0.05)
    assert precision == pytest.approx(0.5, abs=0.05)
    assert recall > 0.9


def test_rows_to_ignore_and_missing_scores():
    label, score = np.array([0, 1, 0, 0, 1, 1]), np.array([9.0, 9, np.nan, 0.1, 0.9, np.nan])
    found = evaluate_series(label, score, score > 0.5, ignored=[1, 1, 0, 0, 0, 0])
    assert (found.rows, found.anomalies, found.events) == (4, 2, 1)
    assert found == evaluate_series(label[2:], [0.1, 0.1, 0.9, 0.1], [0, 0, 1, 0])


def test_alarms_count_runs_and_delays():
    label = np.zeros(60, bool)
    label[20:30] = label[45:50] = True
    flags = np.zeros(60, bool)
    flags[[2, 3, 23, 24, 43]] = True
    assert alarms(label, flags, tolerance=2) == (1.0, 1.5, 1)
    assert events(flags).tolist() == [[2, 3], [23, 24], [43, 43]]


def test_wrong_use_is_refused():
    with pytest.raises(InputError, match="3 labels, 2 scores"):
        evaluate_series([0, 1, 0], [1.0, 2.0], [0, 1, 0])
    with pytest.raises(InputError, match="no rows"):
        evaluate_series([0, 1], [1.0, 2.0], [0, 1], ignored=[1, 1])
    with pytest.raises(ParameterError, match="bias='left'"):
        range_precision_recall([0, 1], [0, 1], bias="left")
    with pytest.raises(ParameterError, match="profile='mild'"):
        nab_score([0, 1], [0, 1], "mild")
