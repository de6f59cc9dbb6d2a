"""LeSiNN against its naive twin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly_detection.detectors.lesinn import LeSiNN
from anomaly_detection.errors import ArtifactError


def naive_scores(detector: LeSiNN, X: np.ndarray) -> np.ndarray:
    """One distance at a time, in float64."""
    scores = []
    for row in (X - detector.center_) / detector.scale_:
        nearest = []
        for sample in detector.samples_.astype(np.float64):
            distances = sorted(np.sqrt(np.sum((sample - row.astype(np.float32)) ** 2, axis=1)))
            nearest.append(distances[1] if distances[0] == 0 else distances[0])
        scores.append(np.mean(nearest))
    return np.array(scores)


@given(
    arrays(np.float32, (20, 3), elements=st.integers(-800, 800).map(lambda eighths: eighths / 8)),
    st.integers(2, 8),
    st.integers(0, 5),
)
def test_scores_equal_the_naive_twin(X, size, seed):
    detector = LeSiNN(n_estimators=5, max_samples=size, random_state=seed).fit(X)
    np.testing.assert_allclose(detector.score(X), naive_scores(detector, X), rtol=1e-4, atol=1e-4)


def test_a_row_is_not_its_own_neighbour():
    X = np.arange(10, dtype=np.float32)[:, None]
    detector = LeSiNN(n_estimators=1, max_samples=10).fit(X)
    np.testing.assert_allclose(detector.score(X), 1 / detector.scale_[0], rtol=1e-6)


def test_a_crowd_of_anomalies_does_not_hide_itself():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(950, 2)), rng.normal(8, 0.01, size=(50, 2))]).astype(np.float32)
    scores = LeSiNN().fit(X).score(X)
    assert scores[950:].min() > np.quantile(scores[:950], 0.99)


def test_units_do_not_matter():
    X = np.random.default_rng(0).normal(size=(300, 3)).astype(np.float32)
    wide = X * np.float32([1, 1024, 2**-10])
    np.testing.assert_allclose(LeSiNN().fit(X).score(X), LeSiNN().fit(wide).score(wide), rtol=1e-5)


@pytest.mark.parametrize(
    "damage",
    [
        {"samples_": np.zeros((2, 2))},
        {"samples_": np.zeros((0, 8, 2))},
        {"samples_": np.full((3, 8, 2), np.nan)},
        {"scale_": np.zeros(2)},
        {"center_": np.zeros(3)},
    ],
)
def test_damaged_arrays_are_refused(damage):
    detector = LeSiNN().fit(np.random.default_rng(0).normal(size=(50, 2)))
    with pytest.raises(ArtifactError, match="not those of LeSiNN on 2 features"):
        LeSiNN().restore({**detector.state(), **damage}, detector.features_)
