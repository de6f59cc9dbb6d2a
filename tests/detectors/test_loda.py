"""What the projections promise, and their naive twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors.loda import LODA, best_histogram
from anomaly_detection.errors import ArtifactError
from detectors.forest_tables import numbers


def twin(detector, train, rows):
    """The scores written out: numpy's histograms of the same projections, one row and one projection at a time."""
    total = np.zeros(len(rows))
    for j, (columns, weights) in enumerate(zip(detector.columns_, detector.weights_, strict=True)):
        values = train[:, columns].astype(np.float64) @ weights
        n_bins = detector.stretches_[j + 1] - detector.stretches_[j] - 1
        counts, edges = np.histogram(values, bins=n_bins)
        for i, value in enumerate(rows[:, columns].astype(np.float64) @ weights):
            distance = max(edges[0] - value, value - edges[-1])
            if distance > 0:
                total[i] += math.log(1 + distance / values.std()) - math.log(0.00005)
            else:
                place = min(np.searchsorted(edges, value, side="right") - 1, n_bins - 1)
                total[i] -= math.log(counts[place] / len(train) / (edges[1] - edges[0]) * values.std() + 0.0001)
    return total / len(detector.columns_)


@pytest.mark.parametrize("width", [1, 5, 30])
@pytest.mark.parametrize("n_bins", ["auto", 7])
def test_scores_as_the_naive_twin(width, n_bins):
    train = numbers(500, width)
    detector = LODA(20, n_bins, random_state=3).fit(train)
    rows = np.concatenate([train[:40], 3 * numbers(40, width, seed=1)])
    assert detector.score(rows) == pytest.approx(twin(detector, train, rows), rel=1e-9)


@pytest.mark.parametrize(("shape", "bins"), [("flat", 1), ("two crowds", 20), ("normal", 5)])
def test_the_number_of_bins_follows_the_shape(shape, bins):
    rng = np.random.default_rng(0)
    values = {
        "flat": rng.random(5000),
        "two crowds": np.concatenate([rng.normal(0, 0.02, 2500), rng.normal(1, 0.02, 2500)]),
        "normal": rng.normal(size=5000),
    }[shape]
    counts = best_histogram(np.histogram(values, bins=720)[0])
    assert counts.sum() == 5000
    assert len(counts) == 1 if bins == 1 else len(counts) >= bins


def test_the_bins_are_those_of_the_largest_penalised_likelihood_among_all_that_were_tried():
    values = np.random.default_rng(1).gamma(2.0, size=3000)

    def worth(bins):
        counts = np.histogram(values, bins=bins)[0]
        heights = counts[counts > 0]
        return np.sum(heights * np.log(bins * heights / 3000)) - (bins - 1 + math.log(bins) ** 2.5)

    tried = [bins for bins in range(1, 145) if 720 % bins == 0]
    assert len(best_histogram(np.histogram(values, bins=720)[0])) == max(tried, key=worth)


def test_every_column_is_used_about_equally_often():
    uses = np.bincount(LODA(100).fit(numbers(50, 30)).columns_.ravel(), minlength=30)
    assert uses.min() >= 0.7 * uses.mean()
    assert uses.max() <= 1.3 * uses.mean()


def test_the_columns_of_a_projection_differ():
    columns = LODA(200).fit(numbers(50, 17)).columns_
    assert columns.shape == (200, 4)
    assert all(len(set(each)) == 4 for each in columns.tolist())


def test_scores_grow_without_end_beyond_the_training_range():
    detector = LODA().fit(numbers())
    rows = np.zeros((7, 5), np.float32)
    rows[:, 2] = [0, 10, 100, 1e4, 1e9, 1e20, 1e38]
    assert np.all(np.diff(detector.score(rows)) > 0)


def test_rows_that_are_a_little_odd_in_every_column_are_found():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(3000, 1))
    X = base + 0.3 * rng.normal(size=(3000, 20))
    X[:60] = rng.normal(size=(60, 20))
    is_odd = np.arange(3000) < 60
    largest_z = np.abs(X / X.std(axis=0)).max(axis=1)
    ours = roc_auc_score(is_odd, LODA().fit(X).score(X))
    assert ours > 0.85
    assert ours > roc_auc_score(is_odd, largest_z) + 0.02


def test_an_anomaly_in_one_of_many_columns_is_diluted_and_missed():
    X = numbers(2000, 100)
    odd = X[:200].copy()
    odd[:, 0] = 4
    detector = LODA().fit(X)
    rows = np.concatenate([X[200:400], odd])
    assert roc_auc_score(np.arange(400) >= 200, detector.score(rows)) < 0.8


def test_a_constant_column_that_changes_scores_higher():
    X = np.column_stack([numbers(300, 3), np.ones(300)])
    changed = X[:50].copy()
    changed[:, 3] = 100
    detector = LODA().fit(X)
    assert detector.score(changed).min() > detector.score(X[:50]).max()


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 90), max_size=6), width=st.sampled_from([1, 4, 20]), scale=st.sampled_from([1, 50]))
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(cuts, width, scale):
    detector = LODA(25).fit(numbers(200, width))
    rows = scale * numbers(90, width, seed=7)
    whole = detector.score(rows)
    assert np.array_equal(np.concatenate([detector.score(part) for part in np.split(rows, sorted(cuts))]), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_scores_from_half_of_the_rows_are_comparable():
    X, rows = numbers(4000, 6), numbers(1000, 6, seed=1)
    whole, half = (LODA().fit(part).score(rows) for part in (X, X[:2000]))
    assert np.quantile(half, 0.95) == pytest.approx(np.quantile(whole, 0.95), abs=0.1 * whole.std())


def test_another_seed_gives_other_projections():
    first, again, other = (LODA(random_state=seed).fit(numbers()).weights_ for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("columns_", lambda columns: columns + 5),
        ("columns_", lambda columns: columns[:-1]),
        ("weights_", lambda weights: weights[:, :1]),
        ("weights_", lambda weights: weights * np.inf),
        ("histograms_", lambda tables: -tables),
        ("histograms_", lambda tables: tables.T),
        ("levels_", lambda levels: levels[:-1]),
        ("stretches_", lambda starts: starts[::-1].copy()),
        ("stretches_", lambda starts: starts * 1000),
        ("stretches_", lambda _: np.array(0)),
    ],
)
def test_arrays_that_are_not_histograms_are_refused(name, change):
    detector = LODA().fit(numbers())
    state = detector.state()
    with pytest.raises(ArtifactError, match="LODA on 5 features"):
        detector.clone().restore({**state, name: change(state[name])}, detector.features_)
