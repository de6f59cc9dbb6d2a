"""The detectors that look at one feature at a time: against their definitions, and their documented rules."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from anomaly_detection.detectors._marginals import kept_ranks, surprise, tails_of
from anomaly_detection.detectors.copod import COPOD, skewness
from anomaly_detection.detectors.ecod import ECOD
from anomaly_detection.detectors.hbos import HBOS
from anomaly_detection.detectors.mad import MAD
from anomaly_detection.features.space import Feature, FeatureSpace
from detectors import naive_marginals as naive

PAIRS = [
    pytest.param(ECOD(), naive.ecod, id="ECOD"),
    pytest.param(COPOD(), naive.copod, id="COPOD"),
    pytest.param(HBOS(n_bins=7), lambda *args: naive.hbos(*args, 7), id="HBOS"),
    pytest.param(MAD(), lambda *args: naive.mad(*args, "max"), id="MAD-max"),
    pytest.param(MAD("mean"), lambda *args: naive.mad(*args, "mean"), id="MAD-mean"),
]
ALL = [ECOD(), COPOD(), HBOS(), MAD()]


def space(*n_categories):
    kinds = ["category" if known else "number" for known in n_categories]
    return FeatureSpace(
        tuple(Feature(f"f{i}", f"f{i}", kind, n) for i, (kind, n) in enumerate(zip(kinds, n_categories, strict=True)))
    )


def mixed(n, seed):
    """Numbers with ties, skew, missing values, one constant, one all missing, and two categories."""
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(size=n),
        rng.integers(0, 4, n),
        -rng.exponential(size=n),
        np.full(n, 3.0),
        np.full(n, np.nan),
        rng.choice(3, n, p=[0.8, 0.15, 0.05]),
        rng.integers(0, 5, n),
    ]
    X = np.stack(columns, axis=1).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, space(0, 0, 0, 0, 0, 3, 5)


@pytest.mark.parametrize(("detector", "twin"), PAIRS)
def test_every_score_equals_the_one_by_definition(detector, twin):
    train, features = mixed(80, seed=1)
    test, _ = mixed(40, seed=2)
    test[0] = [50, -9, 50, 4, 1, 3, 5]
    test[1] = [-50, 9, -50, 2, -1, 0, 0]
    test[2] = np.nan
    fitted = detector.clone().fit(train, features)
    expected = [twin(train, row, features.n_categories) for row in test]
    np.testing.assert_allclose(fitted.score(test), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("detector", ALL, ids=repr)
def test_one_row_has_the_bits_of_the_batch(detector):
    train, features = mixed(200, seed=3)
    fitted = detector.clone().fit(train, features)
    assert [fitted.score_row(row) for row in train] == fitted.score(train).tolist()


@pytest.mark.parametrize("detector", ALL, ids=repr)
def test_a_missing_value_scores_more_where_missing_values_were_rarer(detector):
    columns = np.tile(np.arange(100.0)[:, None], (1, 3))
    columns[:50, 1] = np.nan
    columns[:1, 2] = np.nan
    scores = [detector.clone().fit(columns[:, [j]]).score([[np.nan]])[0] for j in range(3)]
    assert scores[0] > scores[2] > scores[1] > 0


@pytest.mark.parametrize("detector", ALL, ids=repr)
def test_a_category_scores_by_how_rare_it_was_and_an_unseen_one_at_least_as_much(detector):
    codes = np.repeat([0, 1, 2, 3], [60, 30, 8, 2]).astype(np.float32)[:, None]
    scores = detector.clone().fit(codes, space(4)).score([[0], [1], [2], [3], [4]])
    assert np.all(np.diff(scores) > 0)


@pytest.mark.parametrize("detector", ALL, ids=repr)
def test_a_value_is_surprising_where_nearly_all_were_missing(detector):
    column = np.full((1000, 1), np.nan)
    column[:3] = [[1], [2], [3]]
    fitted = detector.clone().fit(column)
    assert fitted.score([[2.0]])[0] > 1.5 > fitted.score([[np.nan]])[0] + 1


@pytest.mark.parametrize("detector", [ECOD(quantile_points=64), COPOD(quantile_points=64)], ids=repr)
def test_fewer_points_keep_surprises_close_and_models_small(detector):
    X = np.random.default_rng(4).normal(size=(20_000, 2))
    exact = detector.clone(quantile_points=20_000).fit(X)
    small = detector.clone().fit(X)
    excess = small.score(X[:2000]) - exact.score(X[:2000])
    assert excess.min() >= -1e-5
    assert excess.max() <= 2 * 2 * (2 * np.log(10_000) / 64)
    assert sum(array.nbytes for array in small.state().values()) < 64 * 2 * 3 * 4 + 400


def test_the_extremes_stay_exact_however_few_points_are_kept():
    values = np.random.default_rng(5).normal(size=5000)
    kept = tails_of(values, 64).knots
    assert set(np.sort(values)[[0, 1, -2, -1]]) <= set(kept)
    assert len(kept) <= 64


@given(n=st.integers(1, 100_000), points=st.integers(16, 2000))
def test_kept_ranks_are_ranks_with_both_ends(n, points):
    ranks = kept_ranks(n, points)
    assert ranks[0] == 0
    assert ranks[-1] == n - 1
    assert len(ranks) <= points
    assert np.all(np.diff(ranks) > 0)


@settings(max_examples=30)
@given(
    X=hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 12), st.integers(1, 3)),
        elements=st.floats(-(2.0**100), 2.0**100, width=32) | st.just(np.float32(np.nan)),
    )
)
def test_any_finite_or_missing_numbers_give_finite_scores_that_are_never_negative(X):
    for detector in ALL:
        scores = detector.clone().fit(X).score(X)
        assert np.isfinite(scores).all()
        assert (scores >= 0).all()


def test_surprise_is_never_infinite_and_never_negative():
    assert surprise(0, 10) == pytest.approx(np.log(11))
    assert surprise(10, 10) == 0


def test_hbos_scores_outside_the_range_above_any_bin_and_grows_by_log_11_only():
    X = np.concatenate([np.zeros(50), np.ones(50), [10.0]])[:, None]
    fitted = HBOS(n_bins=10).fit(X)
    empty, outside, far, further = fitted.score([[5.0], [10.5], [110.0], [1e6]])
    assert outside > empty + np.log(2)
    assert far - empty == pytest.approx(np.log(2) + np.log(11))
    assert further == far


def test_hbos_takes_the_square_root_of_the_rows_as_its_bins_within_bounds():
    for n, expected in ((20, 10), (2500, 50), (40_000, 100)):
        fitted = HBOS().fit(np.arange(n, dtype=float)[:, None])
        assert np.diff(fitted.stretches_)[0] == expected + 2


def test_mad_is_the_modified_z_score():
    x = np.array([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3])[:, None]
    median = np.median(x)
    expected = 0.6745 * np.abs(x - median) / np.median(np.abs(x - median))
    np.testing.assert_allclose(MAD().fit(x).score(x), expected[:, 0], rtol=1e-4)


def test_mad_falls_back_to_the_mean_deviation_and_then_to_an_unseen_event():
    half_equal = np.array([0, 0, 0, 0, 0, 0, 1, 2.0])[:, None]
    assert MAD().fit(half_equal).score([[1.0]])[0] == pytest.approx(1 / (1.2533141 * 3 / 8))
    constant = MAD().fit(np.full((99, 1), 5.0))
    assert constant.score([[5.0]])[0] == 0
    assert constant.score([[5.1]])[0] == constant.score([[500.0]])[0] == pytest.approx(2.5758, abs=1e-3)


def test_skewness_has_the_sign_of_the_long_side_and_survives_missing_values():
    x = np.array([[0, 0, np.nan], [1, -1, np.nan], [9, -9, np.nan], [np.nan, 0, np.nan]], dtype=np.float32)
    assert [np.sign(skewness(column)) for column in x.T] == [1, -1, 0]


@pytest.mark.needs_extra("pyod")
@pytest.mark.parametrize("name", ["ECOD", "COPOD"])
def test_a_row_scored_alone_has_the_score_of_the_authors_implementation(name):
    models = import_module(f"pyod.models.{name.lower()}")
    rng = np.random.default_rng(6)
    X = np.stack([rng.normal(size=300) ** 2, rng.exponential(size=300), -rng.exponential(size=300)], axis=1)
    X = X.astype(np.float32).astype(np.float64)
    theirs = getattr(models, name)()
    theirs.fit(X)
    ours = {"ECOD": ECOD, "COPOD": COPOD}[name]().fit(X)
    rows = np.concatenate([X[:5], rng.normal(size=(5, 3)).astype(np.float32), [[9, -1, -20]]])
    expected = [theirs.decision_function(row[None])[0] for row in rows]
    np.testing.assert_allclose(ours.score(rows), expected, rtol=1e-6)
