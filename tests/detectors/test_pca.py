"""What the principal-axes detector promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.pca import PCA
from anomaly_detection.errors import InputError, ParameterError
from detectors import naive_neighbours as naive


def correlated(n, d, seed=0):
    rng = np.random.default_rng(seed)
    mix = np.eye(d) + 0.5 * np.eye(d, k=1)
    return (rng.normal(size=(n, d)) @ mix * 10.0 ** np.arange(-2, d - 2).clip(max=3) + 5).astype(np.float32)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_all_axes_together_are_the_mahalanobis_distance(d):
    train, rows = correlated(500, d), correlated(40, d, seed=1)
    detector = PCA(n_components=d).fit(train)
    assert detector.residual_variance_ == np.inf
    assert detector.variances_.min() > 0.01
    np.testing.assert_allclose(detector.score(rows), naive.mahalanobis(train, rows), rtol=1e-6)


@pytest.mark.parametrize("kept", [1, 3])
def test_left_out_axes_share_their_mean_variance(kept):
    train, rows = correlated(500, 6).astype(np.float64), correlated(40, 6, seed=1).astype(np.float64)
    centre, spread = train.mean(axis=0), train.std(axis=0)
    variances, axes = np.linalg.eigh(np.corrcoef(train.T))
    variances, axes = variances[::-1].copy(), axes[:, ::-1]
    variances[kept:] = max(variances[kept:].mean(), 0.01)
    expected = ((((rows - centre) / spread) @ axes) ** 2 / variances).sum(axis=1)
    np.testing.assert_allclose(PCA(n_components=kept).fit(train).score(rows), expected, rtol=1e-6)


def test_a_share_keeps_the_fewest_axes_that_cover_it():
    train = correlated(500, 6)
    variances = PCA(n_components=6).fit(train).variances_
    for share in (0.3, 0.8, 0.99):
        kept = len(PCA(n_components=share).fit(train).variances_)
        covered = np.cumsum(variances) / 6
        assert covered[kept - 1] >= share
        assert kept == 1 or covered[kept - 2] < share


def test_a_row_that_breaks_a_correlation_scores_highest():
    rng = np.random.default_rng(0)
    base = rng.normal(size=500)
    train = np.stack([base, base + 0.05 * rng.normal(size=500)], axis=1)
    ordinary, broken = PCA().fit(train).score([[2.0, 2.0], [1.0, -1.0]])
    assert broken > 20 * ordinary


def test_a_planted_outlier_scores_highest():
    rows = correlated(300, 5, seed=1)
    rows[11] += 10 * rows.std(axis=0)
    assert np.argmax(PCA().fit(correlated(300, 5)).score(rows)) == 11


def test_constant_columns_add_nothing_until_they_change():
    train = correlated(200, 3)
    wide = np.hstack([train, np.full((200, 1), 0.1)])
    detector = PCA().fit(wide)
    np.testing.assert_allclose(detector.score(wide), PCA().fit(train).score(train), rtol=1e-9)
    assert detector.score([[*train[0], 1.1]])[0] > detector.score(wide).max()


def test_rows_outside_the_plane_of_the_training_rows_score_high():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 6))
    detector = PCA().fit(plane)
    assert len(detector.variances_) == 2
    assert detector.score(plane[:1] + np.eye(6)[:1])[0] > detector.score(plane).max()


@pytest.mark.parametrize("n", [2, 5, 30])
def test_fewer_rows_than_columns_and_duplicates_are_enough(n):
    rng = np.random.default_rng(0)
    train = np.repeat(rng.normal(size=(n, 40)), 2, axis=0)[: n + 1]
    detector = PCA().fit(train)
    assert len(detector.variances_) < n
    scores = detector.score(np.vstack([train, train[:1] + 5]))
    assert np.isfinite(scores).all()
    assert np.argmax(scores) == n + 1


@pytest.mark.parametrize("components", [None, 1, 0.5])
def test_equal_rows_score_zero_and_others_more(components):
    same, other = PCA(components).fit([[3.0, 1e6]] * 4).score([[3.0, 1e6], [3.0, 1e6 + 1]])
    assert same == 0
    assert 0 < other < np.inf


def test_large_offsets_lose_nothing():
    train = np.random.default_rng(0).integers(0, 50, size=(300, 3))
    np.testing.assert_allclose(PCA().fit(train + 1e6).score(train + 1e6), PCA().fit(train).score(train), rtol=1e-6)


def test_rows_mostly_of_usual_values_equal_plain_numpy():
    rng = np.random.default_rng(0)
    train = np.hstack(
        [(rng.random((900, 30)) < 0.04) * rng.random((900, 30)), np.full((900, 1), 200), correlated(900, 2)]
    )
    rows = train[:100] + (rng.random((100, 33)) < 0.05)
    detector = PCA().fit(train)
    standard = (rows.astype(np.float32) - detector.centre_) / detector.spread_
    projections = standard @ detector.axes_.T
    left = (standard**2).sum(axis=1) - (projections**2).sum(axis=1)
    wanted = (projections**2 / detector.variances_).sum(axis=1) + left / detector.residual_variance_
    np.testing.assert_allclose(detector.score(rows), wanted, rtol=1e-9)


@pytest.mark.parametrize("unit", [1e-25, 1e25])
def test_scores_do_not_depend_on_units(unit):
    train, rows = correlated(200, 4).astype(np.float64), correlated(30, 4, seed=1).astype(np.float64)
    np.testing.assert_allclose(
        PCA().fit(train * unit).score(rows * unit), PCA().fit(train).score(rows), rtol=1e-4, atol=1e-4
    )


def test_the_furthest_numbers_score_finite_and_high():
    scores = PCA().fit(correlated(200, 3)).score([[3e38] * 3, [np.inf, 0, 0], [5, 5, 5]])
    assert np.isfinite(scores).all()
    assert scores[:2].min() > scores[2]


@settings(deadline=None, max_examples=30)
@given(cuts=st.lists(st.integers(0, 80), max_size=6), d=st.sampled_from([1, 3, 17]), kept=st.sampled_from([None, 1]))
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d, kept):
    detector = PCA(kept).fit(correlated(400, d))
    rows = correlated(80, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize("components", [None, 2])
def test_restoring_gives_equal_bits(components):
    detector = PCA(components).fit(correlated(300, 5))
    back = detector.clone().restore(detector.state(), detector.features_)
    rows = correlated(60, 5, seed=1)
    assert np.array_equal(back.score(rows), detector.score(rows))


def test_fitting_again_gives_equal_bits():
    train, rows = correlated(20_000, 4), correlated(60, 4, seed=1)
    assert np.array_equal(PCA().fit(train).score(rows), PCA().fit(train).score(rows))


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "mle"])
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match="n_components"):
        PCA(n_components=wrong).fit(correlated(20, 2))


def test_missing_values_are_refused():
    with pytest.raises(InputError, match="missing values"):
        PCA().fit([[1.0, np.nan], [2.0, 3.0]])
