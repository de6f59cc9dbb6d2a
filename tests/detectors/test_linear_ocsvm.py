"""What the one-class support vector machine in linear time promises, beside the exact one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors import linear_ocsvm
from anomaly_detection.detectors.linear_ocsvm import LinearOCSVM
from anomaly_detection.detectors.ocsvm import OCSVM
from anomaly_detection.errors import ArtifactError
from detectors.forest_tables import numbers


def planted(n=1500, seed=0):
    """Rows of eight columns that rise together, and 5 % in which half of them fall."""
    rng = np.random.default_rng(seed)
    is_odd = np.arange(n) < n // 20
    X = rng.normal(size=(n, 1)) * np.where(is_odd[:, None], [1, -1] * 4, 1) + 0.2 * rng.normal(size=(n, 8))
    return X.astype(np.float32), is_odd


@pytest.fixture(scope="module")
def fitted():
    """A detector by the width of its rows."""
    return {width: LinearOCSVM(n_landmarks=70).fit(numbers(100, width)) for width in (1, 4, 20)}


@pytest.mark.parametrize("nu", [0.1, 0.5])
def test_finds_what_the_exact_machine_finds(nu):
    X, is_odd = planted()
    fast, exact = (machine.fit(X[~is_odd]).score(X) for machine in (LinearOCSVM(nu), OCSVM(nu)))
    assert roc_auc_score(is_odd, exact) > 0.8
    assert roc_auc_score(is_odd, fast) > roc_auc_score(is_odd, exact) - 0.01
    assert spearmanr(fast, exact).statistic > 0.99


@pytest.mark.parametrize("nu", [0.1, 0.5])
def test_with_every_row_a_landmark_and_many_steps_the_scores_are_those_of_the_exact_machine(monkeypatch, nu):
    monkeypatch.setattr(linear_ocsvm, "FEWEST_STEPS", 2000)
    X, rows = numbers(250, 3), 2 * numbers(100, 3, seed=1)
    exact = OCSVM(nu, 0.2).fit(X).score(rows)
    assert LinearOCSVM(nu, 0.2, n_landmarks=250).fit(X).score(rows) == pytest.approx(exact, abs=0.01)


def test_many_rows_are_learned_in_one_pass_and_few_in_several():
    def steps(n):
        return list(linear_ocsvm._batches(n, np.random.default_rng(0)))

    assert len(steps(300)) == 100
    assert len(steps(20_000)) == 120
    once = np.concatenate(steps(60_000))
    assert len(once) == 60_000
    assert np.array_equal(np.sort(once), np.arange(60_000))


def test_similarities_kept_or_made_again_give_the_same_weights(monkeypatch):
    X, _ = planted()
    kept = LinearOCSVM().fit(X)
    monkeypatch.setattr(linear_ocsvm, "MOST_KEPT", 0)
    assert np.array_equal(LinearOCSVM().fit(X).weights_, kept.weights_)


def test_far_rows_all_score_what_is_normal_however_far():
    detector = LinearOCSVM().fit(numbers())
    far, further = detector.score([[100.0] * 5, [1e6] * 5])
    assert far == further == detector.offset_ > detector.score(numbers(100, seed=1)).max()


def test_the_seed_draws_the_landmarks():
    X, _ = planted()
    first, again, other = (LinearOCSVM(n_landmarks=50, random_state=seed).fit(X) for seed in (1, 1, 2))
    assert np.array_equal(first.weights_, again.weights_)
    assert not np.array_equal(first.landmarks_, other.landmarks_)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 150), max_size=6), width=st.sampled_from([1, 4, 20]))
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(fitted, cuts, width):
    detector = fitted[width]
    rows = 2 * numbers(150, width, seed=7)
    whole = detector.score(rows)
    assert np.array_equal(np.concatenate([detector.score(part) for part in np.split(rows, sorted(cuts))]), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("landmarks_", lambda rows: rows[:-1]),
        ("landmarks_", lambda rows: rows[:, 1:]),
        ("weights_", lambda weights: weights * np.inf),
        ("offset_", lambda _: np.array([1.0, 2.0])),
        ("gamma_", lambda _: np.array(0.0)),
    ],
)
def test_arrays_that_are_not_a_machine_are_refused(name, change):
    detector = LinearOCSVM().fit(numbers())
    state = detector.state()
    with pytest.raises(ArtifactError, match="LinearOCSVM on 5 features"):
        detector.clone().restore({**state, name: change(state[name])}, detector.features_)
