"""Scores that come in clusters count once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly_detection.calibration import Calibrator, cluster_size, declustered


@pytest.mark.parametrize("size", [1, 4, 16])
def test_clusters_are_as_large_as_they_are(size):
    scores = np.repeat(np.random.default_rng(0).exponential(size=4_000), size)
    assert cluster_size([scores]) == pytest.approx(size, rel=0.2)
    assert len(declustered([scores])) == pytest.approx(4_000, rel=0.2)


def test_a_line_holds_for_clusters_that_are_new():
    rates = []
    for seed in range(200):
        scores = np.repeat(np.random.default_rng(seed).exponential(size=60), 25)
        rates.append(np.exp(-Calibrator().fit(declustered([scores])).line(0.01)) / 0.01)
    assert 0.7 < np.mean(rates) < 1.3


@given(arrays(np.float64, st.integers(0, 300), elements=st.floats(-1e6, 1e6)))
def test_what_is_kept_are_scores_in_order(scores):
    found = declustered([scores[:100], scores[100:]])
    assert min(20, len(scores)) <= len(found) <= len(scores)
    assert np.isin(found, scores).all()
    assert (np.diff(found) >= 0.0).all()


def test_few_scores_are_kept_as_they_are():
    np.testing.assert_array_equal(declustered([np.array([3.0, 1.0]), np.array([2.0])]), [1.0, 2.0, 3.0])
    assert len(declustered([])) == 0
