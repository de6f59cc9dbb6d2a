"""The measures, against scikit-learn and by hand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation import METRICS, evaluate, parse_labels
from anomaly_detection.evaluation.metrics import Ranked

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.booleans()), min_size=1, max_size=60)


def columns(table):
    labels, score, flags = zip(*table, strict=True)
    return np.array(labels), np.array(score, dtype=float), np.array(flags)


def by_scikit_learn(labels, score, flags):
    normal = ~labels
    return {
        "precision": reference.precision_score(labels, flags) if flags.any() else None,
        "recall": reference.recall_score(labels, flags) if labels.any() else None,
        "f1": reference.f1_score(labels, flags) if (flags | labels).any() else None,
        "auroc": reference.roc_auc_score(labels, score) if labels.any() and normal.any() else None,
        "average_precision": reference.average_precision_score(labels, score) if labels.any() else None,
        "false_positive_rate": float(flags[normal].mean()) if normal.any() else None,
    }


@settings(deadline=None, max_examples=100)
@given(rows)
def test_measures_equal_those_of_scikit_learn(table):
    labels, score, flags = columns(table)
    found = evaluate(labels, score, flags, bootstrap=0)
    for name, value in by_scikit_learn(labels, score, flags).items():
        assert getattr(found, name) == (None if value is None else pytest.approx(value, abs=1e-12)), name


@settings(deadline=None, max_examples=50)
@given(rows, st.integers(0, 9))
def test_a_weighted_measure_is_that_of_the_repeated_rows(table, seed):
    labels, score, flags = columns(table)
    drawn = np.random.default_rng(seed).integers(0, len(labels), len(labels))
    weighted = Ranked.of(labels, score, flags, None).measure(np.bincount(drawn, minlength=len(labels)))
    repeated = Ranked.of(labels[drawn], score[drawn], flags[drawn], None).measure(np.ones(len(labels), dtype=np.int64))
    np.testing.assert_allclose(weighted, repeated, atol=1e-12)


def test_measures_by_hand():
    found = evaluate([0, 1, 0, 1, 0], [5, 4, 3, 2, 1], [True, True, False, False, False], bootstrap=0)
    assert (found.rows, found.anomalies, found.n) == (5, 2, 2)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.auroc == pytest.approx(3 / 6)
    assert found.average_precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert found.false_positive_rate == pytest.approx(1 / 3)
    assert found.precision_at_n == 0.5


@pytest.mark.parametrize(("at", "expected", "n"), [(1, 0.0, 1), (2, 0.5, 2), (4, 0.5, 4), (99, 0.4, 5)])
def test_precision_at_n_looks_at_the_n_highest_scores(at, expected, n):
    found = evaluate([0, 1, 0, 1, 0], [5, 4, 3, 2, 1], [False] * 5, at=at, bootstrap=0)
    assert (found.precision_at_n, found.n) == (pytest.approx(expected), n)


def test_precision_at_n_shares_out_ties():
    assert evaluate([1, 0, 0, 0], [1, 1, 1, 1], [False] * 4, bootstrap=0).precision_at_n == 0.25


def test_what_is_undefined_is_none():
    found = evaluate([0, 0], [1.0, 2.0], [False, False])
    assert found.false_positive_rate == 0.0
    assert {name for name in METRICS if getattr(found, name) is None} == set(METRICS) - {"false_positive_rate"}
    assert found.intervals["auroc"] is None
    assert evaluate([1], [1.0], [True]).auroc is None


def test_intervals_hold_the_value_and_shrink_with_more_rows():
    def width(n):
        generator = np.random.default_rng(0)
        labels = generator.random(n) < 0.2
        score = generator.normal(size=n) + labels
        found = evaluate(labels, score, score > 1.0)
        for name in METRICS:
            low, high = found.intervals[name]
            assert low <= getattr(found, name) <= high
        return np.subtract(*found.intervals["auroc"])

    assert abs(width(4000)) < abs(width(250)) / 2


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(100):
        labels = generator.random(300) < 0.3
        flags = np.where(labels, generator.random(300) < 0.7, False)
        low, high = evaluate(labels, flags.astype(float), flags, seed=seed).intervals["recall"]
        covered += low <= 0.7 <= high
    assert 88 <= covered <= 100


def test_the_seed_decides_the_intervals():
    generator = np.random.default_rng(0)
    labels, score = generator.random(200) < 0.3, generator.normal(size=200)
    first, again, other = (evaluate(labels, score, score > 1, seed=seed).intervals for seed in (1, 1, 2))
    assert first == again != other


def test_an_evaluation_is_plain_values():
    found = evaluate([0, 1], [1.0, 2.0], [False, True], bootstrap=10).to_dict()
    assert found["auroc"] == 1.0
    assert type(found["precision"]) is float
    assert set(found) == {*METRICS, "rows", "anomalies", "n", "intervals"}


@pytest.mark.parametrize(
    ("labels", "score", "flags", "message"),
    [
        ([0, 1], [1.0], [True, False], "2 labels, 1 scores and 2 flags"),
        ([], [], [], "no rows"),
        ([0, 1], [1.0, float("nan")], [True, False], "1 of 2 scores are NaN"),
    ],
)
def test_rows_that_do_not_fit_are_refused(labels, score, flags, message):
    with pytest.raises(InputError, match=message):
        evaluate(labels, score, flags)


@pytest.mark.parametrize(("how", "message"), [({"at": 0}, "at=0"), ({"bootstrap": -1}, "bootstrap=-1")])
def test_a_parameter_out_of_range_is_refused(how, message):
    with pytest.raises(ParameterError, match=message):
        evaluate([0, 1], [1.0, 2.0], [False, True], **how)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1],
        [0.0, 1.0],
        [False, True],
        [1, -1],
        ["normal", "anomaly"],
        [" Normal", "ANOMALY "],
        ["0", "1"],
        ["false", "true"],
        ["inlier", "outlier"],
        np.array([0, 1], dtype=np.int8),
        np.array([0, 1], dtype=object),
        pl.Series([False, True]),
        pl.Series(["no", "yes"], dtype=pl.Categorical),
    ],
    ids=repr,
)
def test_labels_are_read_in_the_ways_people_write_them(labels):
    assert parse_labels(labels).tolist() == [False, True]


def test_ones_alone_are_anomalies():
    assert parse_labels([1, 1]).tolist() == [True, True]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["good", "bad"], "found 'bad', 'good'"),
        ([0, 1, 2], "found 0, 1, 2"),
        ([-1, 0], "found -1, 0"),
        (list("abcdefgh"), "'f', …"),
        (pl.Series([True, None]), "1 of 2 labels are missing"),
        (["anomaly", None], "1 of 2 labels are missing"),
    ],
)
def test_labels_nobody_can_read_are_refused_with_what_was_found(labels, message):
    with pytest.raises(InputError, match=message):
        parse_labels(labels)
