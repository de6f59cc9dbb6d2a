"""What the robust distance promises."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.covariance import MinCovDet

from anomaly_detection.detectors._covariance import _concentrated, _first_guesses
from anomaly_detection.detectors._robust import standardised
from anomaly_detection.detectors.elliptic_envelope import EllipticEnvelope
from anomaly_detection.errors import ParameterError
from detectors import naive_densities as naive


def correlated(n, d, seed=0):
    rng = np.random.default_rng(seed)
    mix = np.eye(d) + 0.5 * np.eye(d, k=1)
    return (rng.normal(size=(n, d)) @ mix * 10.0 ** np.arange(-2, d - 2).clip(max=3) + 5).astype(np.float32)


def with_a_crowd(n, d, share):
    train = correlated(n, d)
    planted = np.arange(n) < share * n
    train[planted] += 12 * train.std(axis=0)
    return train, planted


@pytest.mark.parametrize("d", [1, 3, 12])
def test_equals_the_naive_twin(d):
    detector, rows = EllipticEnvelope().fit(correlated(300, d)), correlated(30, d, seed=1)
    expected = naive.mahalanobis(detector.centre_, detector.precision_cholesky_, rows)
    np.testing.assert_allclose(detector.score(rows), expected, rtol=1e-6)


@pytest.mark.parametrize("fraction", [0.55, 0.75])
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_with_hardly_a_prior_it_is_the_estimate_of_scikit_learn(fraction, share):
    train, _ = with_a_crowd(1_000, 4, share)
    rows = correlated(60, 4, seed=1)
    peer = MinCovDet(support_fraction=fraction, random_state=0).fit(train.astype(float))
    ours = EllipticEnvelope(fraction, prior_rows=1e-6).fit(train)
    np.testing.assert_allclose(ours.score(rows), peer.mahalanobis(rows.astype(float)), rtol=0.08)


def test_hardly_any_other_rows_of_a_small_table_have_a_smaller_determinant():
    Z, _, _ = standardised(with_a_crowd(12, 2, 0.25)[0])
    every = [np.linalg.det(np.cov(Z[list(chosen)].T, bias=True)) for chosen in combinations(range(12), 7)]
    found = max(_concentrated(Z, guess, 7, 1e-9)[0] for guess in _first_guesses(Z))
    assert min(every) <= np.exp(-2 * found) * (1 + 1e-6)
    assert np.exp(-2 * found) < np.quantile(every, 0.01)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_a_crowd_of_anomalies_among_the_training_rows_moves_nothing(share):
    train, planted = with_a_crowd(500, 5, share)
    scores = EllipticEnvelope().fit(train).score(train)
    assert scores[planted].min() > 2 * scores[~planted].max()


def test_the_most_robust_fraction_survives_four_anomalies_in_ten():
    train, planted = with_a_crowd(500, 5, 0.4)
    scores = EllipticEnvelope(0.5).fit(train).score(train)
    assert scores[planted].min() > scores[~planted].max()


@pytest.mark.parametrize("n", [2, 5, 30])
def test_fewer_rows_than_columns_equal_and_constant_columns_are_enough(n):
    train = np.random.default_rng(0).normal(size=(n, 40)).astype(np.float32)
    train[:, 1], train[:, 2] = train[:, 0], 7
    scores = EllipticEnvelope().fit(train).score(np.vstack([train, train[:1] + 50]))
    assert np.isfinite(scores).all()
    assert np.argmax(scores) == n


def test_columns_of_few_values_give_finite_scores_and_rare_values_higher_ones():
    rng = np.random.default_rng(0)
    train = np.stack([rng.random(400) < 0.03, rng.integers(0, 3, 400), rng.normal(size=400)], axis=1)
    usual, rare = EllipticEnvelope().fit(train).score([[0, 1, 0], [1, 1, 0]])
    assert 0 <= usual < rare < np.inf


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_scores_do_not_depend_on_units(unit):
    train, rows = correlated(200, 4).astype(np.float64), correlated(30, 4, seed=1).astype(np.float64)
    np.testing.assert_allclose(
        EllipticEnvelope().fit(train * unit).score(rows * unit), EllipticEnvelope().fit(train).score(rows), rtol=1e-4
    )


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 17]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d):
    detector = EllipticEnvelope().fit(correlated(300, d))
    rows = correlated(80, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_more_rows_than_max_rows_are_drawn_from_repeatably():
    train, rows = correlated(2_000, 3), correlated(50, 3, seed=1)
    first, again, other = (EllipticEnvelope(max_rows=300, random_state=s).fit(train).score(rows) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("wrong", [{"support_fraction": 0.4}, {"prior_rows": 0}, {"max_rows": 1}, {"random_state": -1}])
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        EllipticEnvelope(**wrong).fit(correlated(20, 2))
