"""What isolation by nearest neighbours promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.inne import INNE
from anomaly_detection.errors import ParameterError
from detectors import naive_densities as naive


def two_densities(n, d, seed=0):
    rng = np.random.default_rng(seed)
    spread = np.where(rng.random(n) < 0.5, 0.1, 1.0)[:, None]
    return (np.where(spread < 1, 0, 6) + spread * rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize(
    ("n", "d", "samples", "size"), [(300, 3, 50, 8), (90, 1, 7, 5), (60, 40, 20, 70), (20, 2, 1, 2)]
)
def test_equals_the_naive_twin(n, d, samples, size):
    detector = INNE(samples, size).fit(two_densities(n, d))
    assert detector.centres_.shape == (samples, min(size, n), d)
    rows = two_densities(40, d, seed=1)
    np.testing.assert_allclose(detector.score(rows), naive.inne(detector.centres_, rows), atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(values=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=40))
def test_equal_rows_equal_the_naive_twin(values):
    train, rows = np.array(values, dtype=np.float32), np.array([[0, 0], [1, 2], [2, 3], [9, 9]], dtype=np.float32)
    detector = INNE(20).fit(train)
    np.testing.assert_allclose(detector.score(rows), naive.inne(detector.centres_, rows), atol=1e-6)


def test_by_hand():
    detector = INNE(1, 3).fit([[0.0], [1.0], [4.0]])
    # the balls are 1 wide around 0 and 1, and 3 around 4
    np.testing.assert_allclose(detector.score([[0.5], [3.0], [7.0], [7.5]]), [0, 8 / 9, 8 / 9, 1], rtol=1e-6)


def test_samples_hold_different_training_rows_and_follow_the_seed():
    train = two_densities(100, 2)
    first, again, other = (INNE(random_state=seed).fit(train).centres_ for seed in (1, 1, 2))
    assert all(len({row.tobytes() for row in sample}) == 8 for sample in first)
    assert {row.tobytes() for row in first.reshape(-1, 2)} <= {row.tobytes() for row in train}
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_finds_a_row_that_is_far_only_for_its_dense_surroundings():
    detector = INNE(max_samples=64).fit(two_densities(600, 2))
    beside_dense, inside_sparse = detector.score([[0.9, -0.9], [6.6, 5.2]])
    assert beside_dense > inside_sparse + 0.2


def test_rows_out_of_reach_of_every_ball_score_one_and_are_not_told_apart():
    scores = INNE().fit(two_densities(300, 3)).score([[40.0] * 3, [3e38] * 3, [-np.inf] * 3])
    assert np.array_equal(scores, [1, 1, 1])


@pytest.mark.parametrize("unit", [2.0**-90, 2.0**90])
def test_units_do_not_matter(unit):
    train, rows = two_densities(200, 4), two_densities(30, 4, seed=1)
    scores = INNE().fit(train * np.float64(unit)).score(rows * np.float64(unit))
    assert np.array_equal(scores, INNE().fit(train).score(rows))


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 33]), size=st.sampled_from([2, 8, 13]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d, size):
    detector = INNE(30, size).fit(two_densities(300, d))
    rows = two_densities(80, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize("wrong", [{"n_estimators": 0}, {"max_samples": 1}, {"random_state": 0.5}])
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        INNE(**wrong).fit(two_densities(20, 2))
