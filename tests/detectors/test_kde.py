"""What kernel density promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KernelDensity

from anomaly_detection.detectors.kde import KDE
from anomaly_detection.errors import ParameterError
from detectors import naive_densities as naive


def clusters(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=4, size=(3, d))
    return ((centres[rng.integers(0, 3, n)] + rng.normal(size=(n, d))) * np.arange(1, d + 1)).astype(np.float32)


@pytest.mark.parametrize("bandwidth", ["scott", "silverman", 0.1, 2.0])
@pytest.mark.parametrize(("n", "d"), [(300, 4), (64, 1), (65, 40)])
def test_equals_the_naive_twin(bandwidth, n, d):
    train, rows = clusters(n, d), clusters(40, d, seed=1)
    detector = KDE(bandwidth).fit(train)
    expected = naive.kde(train, detector.bandwidths_, np.vstack([rows, train]))
    np.testing.assert_allclose(detector.score(np.vstack([rows, train])), expected, rtol=1e-5, atol=1e-5)


def test_equals_scikit_learn_on_new_rows_in_units_of_the_bandwidths():
    train, rows = clusters(500, 3), clusters(60, 3, seed=1)
    detector = KDE().fit(train)
    peer = KernelDensity(bandwidth=1.0).fit(train / detector.bandwidths_)
    expected = -peer.score_samples(rows / detector.bandwidths_) + np.log(detector.bandwidths_).sum()
    np.testing.assert_allclose(detector.score(rows), expected, rtol=1e-5)


def test_bandwidths_follow_their_rules():
    train = np.random.default_rng(0).normal(size=(400, 2))
    scott, silverman, fixed = (
        KDE(rule).fit(train).bandwidths_ / train.std(axis=0) for rule in ("scott", "silverman", 3)
    )
    np.testing.assert_allclose(scott, 400 ** (-1 / 6), rtol=1e-5)
    np.testing.assert_allclose(silverman, 400 ** (-1 / 6), rtol=1e-5)
    np.testing.assert_allclose(fixed, 3, rtol=1e-5)


def test_one_wild_value_hardly_widens_its_column():
    train = clusters(500, 2)
    wild = train.copy()
    wild[0, 0] = 3e38
    np.testing.assert_array_less(KDE().fit(wild).bandwidths_, 2 * KDE().fit(train).bandwidths_)


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=150))
def test_ties_and_duplicates_equal_the_naive_twin(values):
    train, rows = np.array(values, dtype=np.float32), np.array([[0, 0], [1, 2], [5, 5]], dtype=np.float32)
    detector = KDE().fit(train)
    expected = naive.kde(train, detector.bandwidths_, rows)
    np.testing.assert_allclose(detector.score(rows), expected, rtol=1e-5, atol=1e-5)


def test_a_training_row_scores_as_if_its_density_had_been_learned_without_it():
    train = clusters(100, 3)
    detector = KDE().fit(train)
    without = [naive.kde(np.delete(train, i, axis=0), detector.bandwidths_, train[i : i + 1])[0] for i in range(30)]
    np.testing.assert_allclose(detector.score(train[:30]), without, rtol=1e-5)


def test_the_furthest_rows_score_in_the_order_of_their_distance():
    scores = KDE().fit(clusters(300, 3)).score([[40.0] * 3, [1e5] * 3, [1e10] * 3, [1e14] * 3])
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(KDE().fit(clusters(300, 3)).score([[3e38] * 3, [-np.inf] * 3])).all()


def test_constant_columns_add_the_same_to_every_score_until_they_change():
    train = clusters(200, 2)
    wide = np.hstack([train, np.full((200, 1), 7)]).astype(np.float32)
    detector = KDE(0.5).fit(wide)
    moved = detector.score(wide) - KDE(0.5).fit(train).score(train)
    np.testing.assert_allclose(moved, moved[0], rtol=1e-6)
    assert detector.score([[*train[0], 9]])[0] >= detector.score(wide[:1])[0] + 7


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_units_only_move_the_scores(unit):
    train, rows = clusters(200, 4).astype(np.float64), clusters(30, 4, seed=1).astype(np.float64)
    moved = KDE().fit(train * unit).score(rows * unit) - KDE().fit(train).score(rows)
    np.testing.assert_allclose(moved, 4 * np.log(unit), rtol=1e-4)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 33]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d):
    detector = KDE().fit(clusters(400, d))
    rows = clusters(80, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_more_rows_than_max_reference_are_drawn_from_repeatably():
    train, rows = clusters(1_000, 3), clusters(50, 3, seed=1)
    first, again, other = (KDE(max_reference=300, random_state=seed).fit(train) for seed in (1, 1, 2))
    assert first.reference_.shape == (300, 3)
    assert np.array_equal(first.score(rows), again.score(rows))
    assert not np.array_equal(first.score(rows), other.score(rows))


def test_the_rows_fitted_on_may_be_changed_afterwards():
    train = clusters(100, 3)
    detector = KDE().fit(train)
    state = detector.reference_.copy()
    train[:] = 0
    assert np.array_equal(detector.reference_, state)


@pytest.mark.parametrize(
    "wrong", [{"bandwidth": 0}, {"bandwidth": "wide"}, {"max_reference": 1}, {"random_state": 0.5}]
)
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        KDE(**wrong).fit(clusters(20, 2))
