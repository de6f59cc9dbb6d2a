"""What the cluster detector promises, and its naive twin."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from anomaly_detection.detectors._cluster_kernels import means, nearest_centres
from anomaly_detection.detectors.cblof import CBLOF, _first_centres, _how_many_are_large, k_means
from anomaly_detection.errors import ArtifactError
from detectors.forest_tables import numbers


def crowds(sizes, gap=20.0, seed=0):
    """Crowds of these sizes, far apart."""
    places = gap * np.random.default_rng(seed).normal(size=(len(sizes), 4))
    return (np.repeat(places, sizes, axis=0) + numbers(sum(sizes), 4, seed)).astype(np.float32)


def twin(detector, rows):
    """The distance from the nearest large centre, written out."""
    distances = np.linalg.norm(rows.astype(np.float64)[:, None, :] - detector.centres_[None], axis=2)
    own = distances.argmin(axis=1)
    is_large = own < detector.n_large_
    scores = np.where(is_large, distances.min(axis=1), distances[:, : detector.n_large_].min(axis=1))
    return scores * (detector.sizes_ / detector.sizes_.sum())[own] if detector.use_weights else scores


@pytest.mark.parametrize("use_weights", [False, True])
@pytest.mark.parametrize("n_clusters", [1, 5, 16])
def test_scores_as_the_naive_twin(n_clusters, use_weights):
    detector = CBLOF(n_clusters, use_weights=use_weights).fit(crowds([300, 150, 30, 5]))
    rows = np.concatenate([crowds([40, 20, 10, 5], seed=1), 100 * numbers(20, 4)])
    assert detector.score(rows) == pytest.approx(twin(detector, rows), rel=1e-9)


@pytest.mark.parametrize("count", [1, 4, 9])
def test_finds_the_centres_that_scikit_learn_finds_from_the_same_start(count):
    X = numbers(800, 3)
    start = _first_centres(X, count, np.random.default_rng(7))
    peer = KMeans(count, init=start.T, n_init=1, max_iter=50, tol=0, algorithm="lloyd").fit(X.astype(np.float64))
    np.testing.assert_allclose(k_means(X, count, 7).T, peer.cluster_centers_, atol=1e-6)


def test_labels_and_means_are_those_written_out():
    X, centres = numbers(200, 3), numbers(3, 6, seed=1).astype(np.float64)
    labels, least = nearest_centres(X, centres)
    distances = ((X.astype(np.float64)[:, None] - centres.T[None]) ** 2).sum(axis=2)
    assert np.array_equal(labels, distances.argmin(axis=1))
    assert least == pytest.approx(distances.min(axis=1))
    labels[labels == 2] = 3
    expected = [X[labels == c].mean(axis=0) if (labels == c).any() else centres[:, c] for c in range(6)]
    np.testing.assert_allclose(means(X, labels, centres).T, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("sizes", "alpha", "beta", "large"),
    [
        ([50, 30, 15, 5], 0.9, 100, 3),
        ([50, 30, 20], 1.0, 100, 3),
        ([50, 40, 8, 2], 0.99, 5, 2),
        ([90, 10], 0.9, 5, 1),
        ([100], 0.9, 5, 1),
        ([10, 10, 10], 0.1, 5, 1),
    ],
)
def test_clusters_are_large_until_they_hold_the_share_or_size_falls(sizes, alpha, beta, large):
    assert _how_many_are_large(np.array(sizes), alpha, beta) == large


def test_a_small_crowd_of_anomalies_is_found_although_its_rows_are_near_each_other():
    X = crowds([500, 400, 10])
    scores = CBLOF(n_clusters=3).fit(X).score(X)
    assert scores[-10:].min() > scores[:-10].max()


def test_with_weights_a_small_crowd_is_hidden():
    X = crowds([500, 400, 2])
    scores = CBLOF(n_clusters=3, use_weights=True).fit(X).score(X)
    assert scores[-2:].max() < scores[:-2].max()


def test_a_row_between_crowds_is_found_and_one_inside_a_wide_crowd_is_missed():
    X = np.concatenate([numbers(500, 2), 10 * numbers(500, 2, seed=1) + [100, 0]]).astype(np.float32)
    detector = CBLOF(n_clusters=2).fit(X)
    between, odd_for_the_narrow_crowd = detector.score([[50, 0], [0, 8]])
    assert between > detector.score(X).max()
    assert odd_for_the_narrow_crowd < np.quantile(detector.score(X), 0.9)


@pytest.mark.parametrize("different", [1, 3])
def test_fewer_different_rows_than_clusters_make_fewer_clusters_and_no_warning(different):
    X = np.tile(numbers(different, 4), (20, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = CBLOF().fit(X)
    assert len(detector.centres_) == different
    assert detector.sizes_.tolist() == [20] * different
    assert CBLOF(alpha=1.0).fit(X).score(X) == pytest.approx(np.zeros(len(X)), abs=1e-6)


def test_more_rows_than_the_most_are_drawn_with_the_seed():
    X = crowds([400, 300, 200])
    first, again, other = (CBLOF(3, max_rows=100, random_state=seed).fit(X).centres_ for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert CBLOF(3, max_rows=100).fit(X).sizes_.sum() == 900


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 90), max_size=6), width=st.sampled_from([1, 4, 20]))
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(cuts, width):
    detector = CBLOF(5).fit(numbers(200, width))
    rows = 2 * numbers(90, width, seed=7)
    whole = detector.score(rows)
    assert np.array_equal(np.concatenate([detector.score(part) for part in np.split(rows, sorted(cuts))]), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("centres_", lambda centres: centres[:-1]),
        ("centres_", lambda centres: centres[:, 1:]),
        ("centres_", lambda centres: centres * np.nan),
        ("centres_", lambda _: np.array(1.0)),
        ("sizes_", np.zeros_like),
        ("n_large_", lambda _: np.array(0)),
        ("n_large_", lambda _: np.array(99)),
    ],
)
def test_arrays_that_are_not_clusters_are_refused(name, change):
    detector = CBLOF().fit(numbers())
    state = detector.state()
    with pytest.raises(ArtifactError, match="CBLOF on 5 features"):
        detector.clone().restore({**state, name: change(state[name])}, detector.features_)
