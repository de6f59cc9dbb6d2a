"""Mahalanobis distance against scipy, and its robustness."""

import numpy as np
from scipy.spatial.distance import mahalanobis

from anomaly_detection.detectors.mahalanobis import Mahalanobis


def correlated(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, 3)) @ np.array([[1, 0.9, 0], [0, 0.4, 0], [0.3, 0, 2]])).astype(np.float32)


def naive(X: np.ndarray, support_fraction: float, ridge: float) -> np.ndarray:
    """The definition, step by step, with scipy's distance."""
    X = X.astype(np.float64)
    low, center, high = np.quantile(X, [0.25, 0.5, 0.75], axis=0)
    Z = (X - center) / ((high - low) / 1.349)
    chosen = np.arange(len(Z))
    for _ in range(11):
        mean, covariance = Z[chosen].mean(axis=0), np.cov(Z[chosen], rowvar=False)
        inverse = np.linalg.inv(covariance + ridge * np.trace(covariance) / len(mean) * np.eye(len(mean)))
        distances = np.array([mahalanobis(row, mean, inverse) ** 2 for row in Z])
        chosen = np.argsort(distances)[: int(np.ceil(support_fraction * len(Z)))]
    return distances


def test_scores_equal_the_naive_twin():
    X = correlated(200)
    np.testing.assert_allclose(Mahalanobis().fit(X).score(X), naive(X, 0.75, 0.1), rtol=1e-4)


def test_a_crowd_of_anomalies_moves_neither_centre_nor_covariance():
    X = correlated(800)
    wild = np.concatenate([X, np.random.default_rng(1).normal(30, 0.1, size=(150, 3)).astype(np.float32)])
    scores = Mahalanobis().fit(wild).score(wild)
    assert scores[800:].min() > scores[:800].max()


def test_few_rows_equal_columns_and_constant_ones_are_fitted():
    X = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    X[:, 1], X[:, 2] = X[:, 0], 3.0
    detector = Mahalanobis().fit(X)
    far = X[:1].copy()
    far[0, 2] = 90.0
    assert np.isfinite(detector.score(X)).all()
    assert detector.score(far)[0] > 10 * detector.score(X).max()


def test_units_do_not_matter():
    X = correlated(300)
    wide = X * np.float32([1, 1024, 2**-10])
    np.testing.assert_allclose(Mahalanobis().fit(X).score(X), Mahalanobis().fit(wide).score(wide), rtol=1e-4)


def test_more_rows_than_the_limit_are_sampled_by_the_seed():
    X = correlated(500)
    first, again, other = (Mahalanobis(max_rows=50, random_state=seed).fit(X).score(X) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
