"""What the angle-based detector promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.abod import ABOD
from anomaly_detection.errors import ParameterError
from detectors import naive_densities as naive


def cloud(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


@pytest.mark.parametrize(("n", "d", "k"), [(300, 4, 10), (200, 1, 5), (70, 40, 3), (30, 2, 29)])
def test_equals_the_naive_twin(n, d, k):
    train, rows = cloud(n, d), cloud(40, d, seed=1)
    np.testing.assert_allclose(ABOD(k).fit(train).score(rows), naive.abod(train, rows, k), rtol=1e-6, atol=1e-6)


def test_by_hand():
    # neighbours at distance 1, 1 and 2: products -1, 1/2 and -1/2 with the weights 1, 1/2 and 1/2
    variance = 0.5 * (1 - 0.5) ** 2 + 0.25 * (0.5 + 0.5) ** 2 + 0.25 * (0.5 - 0.5) ** 2
    assert ABOD(3).fit([[-1.0], [1.0], [2.0], [50.0]]).score([[0.0]])[0] == pytest.approx(-np.log(variance))


def test_a_training_row_scores_as_if_it_had_been_left_out():
    train = cloud(100, 3)
    without = [ABOD().fit(np.delete(train, i, axis=0)).score(train[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(ABOD().fit(train).score(train[:20]), without, rtol=1e-6)


def test_equal_training_rows_count_once():
    train, rows = cloud(60, 3), cloud(20, 3, seed=1)
    repeated = np.repeat(train, 30, axis=0)
    assert np.array_equal(ABOD().fit(repeated).score(rows), ABOD().fit(train).score(rows))
    assert np.array_equal(ABOD().fit(repeated).score(train), ABOD().fit(train).score(train))


@settings(deadline=None, max_examples=40)
@given(values=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=60), k=st.integers(3, 8))
def test_duplicates_never_give_an_infinite_or_missing_score(values, k):
    scores = ABOD(k).fit(values).score([[0, 0], [1, 2], [0.5, 0.5], [50, 50]])
    assert np.isfinite(scores).all()


def test_rows_from_which_all_others_lie_in_one_direction_score_high():
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.8, 1.2, (300, 1))
    on, beyond, far = ABOD().fit(ring).score([[1.0, 0.0], [1.6, 0.0], [9.0, 0.0]])
    assert on < beyond < far


def test_the_furthest_rows_score_in_the_order_of_their_distance():
    scores = ABOD().fit(cloud(300, 3)).score([[30.0] * 3, [1e6] * 3, [1e12] * 3, [3e14] * 3])
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
    assert np.isfinite(ABOD().fit(cloud(300, 3)).score([[3e38] * 3, [-np.inf] * 3])).all()


def test_fewer_than_three_different_rows_have_no_angles():
    assert np.array_equal(ABOD().fit([[1.0], [2.0], [2.0]]).score([[1.0], [9.0]]), [0, 0])
    assert np.array_equal(ABOD().fit([[1.0]] * 9).score([[1.0], [9.0]]), [0, 0])


@pytest.mark.parametrize("unit", [2.0**-90, 2.0**90])
def test_units_only_move_the_scores(unit):
    train, rows = cloud(200, 4), cloud(30, 4, seed=1)
    moved = ABOD().fit(train * np.float64(unit)).score(rows * np.float64(unit)) - ABOD().fit(train).score(rows)
    np.testing.assert_allclose(moved, 4 * np.log(unit), rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 33]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d):
    detector = ABOD().fit(cloud(400, d).round(1))
    rows = cloud(80, d, seed=2).round(1)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_more_rows_than_max_reference_are_drawn_from_repeatably():
    train, rows = cloud(1_000, 3), cloud(50, 3, seed=1)
    first, again, other = (ABOD(max_reference=300, random_state=seed).fit(train) for seed in (1, 1, 2))
    assert first.reference_.shape == (300, 3)
    assert np.array_equal(first.score(rows), again.score(rows))
    assert not np.array_equal(first.score(rows), other.score(rows))


@pytest.mark.parametrize("wrong", [{"n_neighbors": 2}, {"max_reference": 1}, {"random_state": 0.5}])
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        ABOD(**wrong).fit(cloud(20, 2))
