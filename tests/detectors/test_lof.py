"""What the local outlier factor promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import LocalOutlierFactor

from anomaly_detection.detectors.lof import LOF
from anomaly_detection.errors import InputError, ParameterError
from detectors import naive_neighbours as naive


def two_densities(n, d, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.where(rng.random(n) < 0.5, 0.1, 1.0)[:, None]
    return (np.where(spread < 1, 0, 6) + spread * rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize(("n", "d", "k"), [(200, 3, 20), (90, 1, 5), (150, 40, 70)])
def test_equals_the_naive_twin(n, d, k):
    train, rows = two_densities(n, d), two_densities(30, d, seed=1)
    np.testing.assert_allclose(
        LOF(n_neighbors=k).fit(train).score(rows), naive.lof(train, rows, min(k, n - 1)), rtol=2e-5
    )


def test_equals_scikit_learn_where_nothing_is_equal():
    train, rows = two_densities(400, 4), two_densities(80, 4, seed=1)
    peer = LocalOutlierFactor(n_neighbors=20, novelty=True).fit(train)
    np.testing.assert_allclose(LOF().fit(train).score(rows), -peer.score_samples(rows), rtol=1e-4)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=120),
    k=st.integers(1, 8),
)
def test_duplicates_never_give_an_infinite_or_missing_score(values, k):
    scores = LOF(n_neighbors=k).fit(values).score([[0, 0], [1, 2], [0.5, 0.5], [50, 50]])
    assert np.isfinite(scores).all()
    assert (scores > 0).all()


@pytest.mark.parametrize("k", [3, 10, 75])
def test_of_equally_near_rows_the_first_in_the_reference_count(k):
    rng = np.random.default_rng(0)
    train, rows = rng.integers(0, 12, size=(500, 2)), rng.integers(0, 14, size=(60, 2))
    detector = LOF(n_neighbors=k).fit(train)
    np.testing.assert_allclose(detector.score(rows), naive.lof(detector.reference_, rows, k), rtol=1e-5)


def test_duplicates_equal_the_naive_twin():
    # 40 equal rows, away from a cloud without ties
    train = np.vstack([np.full((40, 2), 9), two_densities(100, 2)]).astype(np.float32)
    rows = np.array([[9, 9], [9, 9.5], [0.01, 0.02], [3, 3.1]], dtype=np.float32)
    np.testing.assert_allclose(LOF(n_neighbors=10).fit(train).score(rows), naive.lof(train, rows, 10), rtol=1e-5)


def test_a_row_equal_to_many_others_scores_one_and_a_row_beside_them_more():
    train = np.vstack([np.zeros((50, 2)), two_densities(100, 2) + 20])
    same, beside = LOF(n_neighbors=10).fit(train).score([[0, 0], [1, 1]])
    assert same == 1
    assert beside > 5


def test_finds_a_row_that_is_far_only_for_its_dense_surroundings():
    detector = LOF().fit(two_densities(600, 2))
    beside_dense, inside_sparse = detector.score([[0.9, -0.9], [6.6, 5.2]])
    assert beside_dense > 2 * inside_sparse


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 33]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d):
    detector = LOF(n_neighbors=10).fit(two_densities(400, d).round(1))
    rows = two_densities(80, d, seed=2).round(1)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize("train", [[[1.0], [2.0]], [[5.0], [5.0]], [[5.0]] * 100])
def test_the_fewest_and_equal_rows_are_enough(train):
    at, away = LOF().fit(train).score([train[0], [40.0]])
    assert np.isfinite([at, away]).all()
    assert away > at


def test_constant_columns_change_nothing():
    train = two_densities(200, 2)
    wide = np.hstack([train, np.full((200, 1), 3)])
    np.testing.assert_allclose(LOF().fit(wide).score(wide), LOF().fit(train).score(train), rtol=1e-6)


def test_the_furthest_numbers_score_finite_and_high():
    scores = LOF().fit(two_densities(200, 3)).score([[3e38] * 3, [-np.inf, 0, 0], [6, 6, 6]])
    assert np.isfinite(scores).all()
    assert scores[:2].min() > scores[2]


def test_more_rows_than_max_reference_are_drawn_from_repeatably():
    train, rows = two_densities(1_000, 3), two_densities(50, 3, seed=1)
    first, again, other = (LOF(max_reference=300, random_state=seed).fit(train) for seed in (1, 1, 2))
    assert first.reference_.shape == (300, 3)
    assert np.array_equal(first.score(rows), again.score(rows))
    assert not np.array_equal(first.score(rows), other.score(rows))


def test_restoring_gives_equal_bits():
    detector = LOF().fit(two_densities(300, 5))
    back = detector.clone().restore(detector.state(), detector.features_)
    rows = two_densities(60, 5, seed=1)
    assert np.array_equal(back.score(rows), detector.score(rows))


@pytest.mark.parametrize("wrong", [{"n_neighbors": 0}, {"max_reference": 1}, {"random_state": 0.5}])
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        LOF(**wrong).fit(two_densities(20, 2))


def test_one_row_is_refused():
    with pytest.raises(InputError, match="at least 2 rows"):
        LOF().fit([[1.0, 2.0]])


def test_training_rows_score_as_scikit_learn_scores_them():
    train = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    expected = -LocalOutlierFactor(n_neighbors=20).fit(train).negative_outlier_factor_
    np.testing.assert_allclose(LOF().fit(train).score(train), expected, rtol=1e-5)
