"""What the one-class support vector machine promises, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import OneClassSVM

from anomaly_detection.detectors._block_kernels import LANES
from anomaly_detection.detectors._neighbours import in_blocks
from anomaly_detection.detectors._rbf_kernels import similarities, weighted_similarity
from anomaly_detection.detectors.ocsvm import OCSVM
from anomaly_detection.errors import ArtifactError
from detectors.forest_tables import numbers


@pytest.mark.parametrize("m", [1, LANES, LANES + 5])
def test_similarities_and_their_sums_are_those_written_out(m):
    X, references = numbers(90, 3), numbers(m, 3, seed=1)
    weights, blocks = np.random.default_rng(2).normal(size=m), in_blocks(references.astype(np.float64), filling=0.0)
    filled = np.zeros((len(blocks), LANES))
    filled.ravel()[:m] = weights
    gaps = X.astype(np.float64)[:, None] - references[None]
    expected = np.exp(-0.7 * (gaps**2).sum(axis=2))
    np.testing.assert_allclose(similarities(X, blocks, 0.7)[:, :m], expected, rtol=1e-12)
    np.testing.assert_allclose(weighted_similarity(X, blocks, filled, 0.7), expected @ weights, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("nu", [0.05, 0.5, 0.99])
@pytest.mark.parametrize("gamma", ["scale", 0.3])
@pytest.mark.parametrize("width", [1, 6])
def test_scores_are_scikit_learns_decision_function_turned_round_and_divided(nu, gamma, width):
    X, rows = numbers(400, width), np.concatenate([numbers(60, width, seed=1), 9 * numbers(20, width, seed=2)])
    peer = OneClassSVM(nu=nu, gamma=gamma).fit(X.astype(np.float64))
    expected = -peer.decision_function(rows.astype(np.float64))
    detector = OCSVM(nu, gamma).fit(X)
    np.testing.assert_allclose(detector.score(rows) * nu * len(X), expected, rtol=1e-5, atol=1e-5)
    assert detector.dual_coef_.sum() == pytest.approx(1)


def test_scores_from_half_of_the_rows_are_comparable():
    X, rows = numbers(2000, 4), numbers(200, 4, seed=1)
    whole, half = (OCSVM().fit(part).score(rows) for part in (X, X[:1000]))
    assert half.std() == pytest.approx(whole.std(), rel=0.1)
    assert half.mean() == pytest.approx(whole.mean(), abs=0.2 * whole.std())


def test_about_the_share_nu_of_the_training_rows_scores_above_zero():
    X = numbers(1000, 3)
    assert np.mean(OCSVM(nu=0.1).fit(X).score(X) > 0) == pytest.approx(0.1, abs=0.02)


def test_a_row_in_the_middle_of_a_ring_is_found():
    angles = np.random.default_rng(0).uniform(0, 2 * np.pi, 600)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * 5
    detector = OCSVM(nu=0.1, gamma=1.0).fit(ring)
    assert detector.score([[0.0, 0.0]])[0] > detector.score(ring).max()


def test_far_rows_all_score_what_is_normal_however_far():
    detector = OCSVM().fit(numbers())
    far, further = detector.score([[100.0] * 5, [1e6] * 5])
    assert far == further == detector.offset_


def test_more_rows_than_the_most_are_drawn_with_the_seed():
    X = numbers(600, 3)
    first, again, other = (OCSVM(max_rows=100, random_state=seed).fit(X).support_vectors_ for seed in (1, 1, 2))
    assert len(first) <= 100
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 150), max_size=6), width=st.sampled_from([1, 4, 20]))
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(cuts, width):
    detector = OCSVM().fit(numbers(200, width))
    rows = 2 * numbers(150, width, seed=7)
    whole = detector.score(rows)
    assert np.array_equal(np.concatenate([detector.score(part) for part in np.split(rows, sorted(cuts))]), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("support_vectors_", lambda rows: rows[:-1]),
        ("support_vectors_", lambda rows: rows[:, 1:]),
        ("support_vectors_", lambda _: np.array(2.0)),
        ("dual_coef_", lambda weights: weights * np.nan),
        ("offset_", lambda _: np.array("high")),
        ("gamma_", lambda _: np.array(-1.0)),
    ],
)
def test_arrays_that_are_not_a_machine_are_refused(name, change):
    detector = OCSVM().fit(numbers())
    state = detector.state()
    with pytest.raises(ArtifactError, match="OCSVM on 5 features"):
        detector.clone().restore({**state, name: change(state[name])}, detector.features_)
