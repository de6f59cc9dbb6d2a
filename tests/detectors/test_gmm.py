"""What the Gaussian mixture promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from anomaly_detection.detectors.gmm import GMM
from anomaly_detection.errors import ParameterError
from detectors import naive_densities as naive

PLAIN = {"trimmed": 0.0, "prior_rows": 1e-6}


def groups(n, d, seed=0, count=2):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=8, size=(count, d))
    mix = np.eye(d) + 0.5 * np.eye(d, k=1)
    return (centres[rng.integers(0, count, n)] + rng.normal(size=(n, d)) @ mix).astype(np.float32)


@pytest.mark.parametrize(("d", "count"), [(1, 1), (3, 2), (6, 3)])
def test_equals_the_naive_twin(d, count):
    detector, rows = GMM(count).fit(groups(400, d, count=count)), groups(30, d, seed=1, count=count)
    expected = naive.mixture(detector.means_, detector.precisions_cholesky_, detector.log_weights_, rows)
    np.testing.assert_allclose(detector.score(rows), expected, rtol=1e-9)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_without_trimming_and_prior_it_is_the_mixture_of_scikit_learn(count):
    train, rows = groups(900, 4, count=count), groups(50, 4, seed=1, count=count)
    peer = GaussianMixture(count, reg_covar=0, n_init=3, random_state=0).fit(train.astype(float))
    np.testing.assert_allclose(
        GMM(count, **PLAIN).fit(train).score(rows), -peer.score_samples(rows.astype(float)), rtol=1e-3
    )


@pytest.mark.parametrize("count", [1, 2, 4])
def test_auto_takes_about_as_many_components_as_there_are_groups(count):
    assert count <= len(GMM().fit(groups(900, 4, count=count)).means_) <= count + 1


def test_anomalies_among_the_training_rows_do_not_make_themselves_normal():
    train = groups(500, 3, count=1)
    crowd = train[:25] * 0.1 + 30
    both = np.concatenate([train, crowd])
    robust, plain = GMM(2).fit(both), GaussianMixture(2, random_state=0).fit(both)
    assert robust.score(crowd).min() > 10 * np.quantile(robust.score(train), 0.99)
    assert -plain.score_samples(crowd).min() < np.quantile(-plain.score_samples(train), 0.99)


def test_one_wild_value_hides_nothing_else_in_its_column():
    train = groups(500, 3, count=1)
    train[0, 0] = 3e38
    odd = train[1:2] + np.float32([[9, 0, 0]])
    detector = GMM(1).fit(train)
    assert detector.score(odd)[0] > detector.score(train[1:]).max()


@pytest.mark.parametrize("n", [2, 5, 30])
def test_fewer_rows_than_columns_equal_and_constant_columns_are_enough(n):
    train = np.random.default_rng(0).normal(size=(n, 40)).astype(np.float32)
    train[:, 1], train[:, 2] = train[:, 0], 7
    scores = GMM().fit(train).score(np.vstack([train, train[:1] + 50]))
    assert np.isfinite(scores).all()
    assert np.argmax(scores) == n


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_units_only_move_the_scores(unit):
    train, rows = groups(300, 3).astype(np.float64), groups(30, 3, seed=1).astype(np.float64)
    moved = GMM().fit(train * unit).score(rows * unit) - GMM().fit(train).score(rows)
    np.testing.assert_allclose(moved, 3 * np.log(unit), rtol=1e-3)


def test_the_furthest_rows_score_in_the_order_of_their_distance():
    scores = GMM().fit(groups(300, 3)).score([[30.0] * 3, [1e10] * 3, [1e20] * 3, [3e38] * 3])
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()


@settings(deadline=None, max_examples=25)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 17]), count=st.sampled_from([1, 3]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d, count):
    detector = GMM(count).fit(groups(300, d))
    rows = groups(80, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_more_rows_than_max_rows_are_drawn_from_repeatably():
    train, rows = groups(2_000, 3), groups(50, 3, seed=1)
    first, again, other = (GMM(2, max_rows=300, random_state=seed).fit(train).score(rows) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "wrong", [{"n_components": 0}, {"n_components": "many"}, {"trimmed": 0.5}, {"prior_rows": 0}, {"max_rows": 1}]
)
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        GMM(**wrong).fit(groups(20, 2))
