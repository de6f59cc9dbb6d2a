"""The default algorithm: what it combines, for whom, and what it says about it."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors import create
from anomaly_detection.detectors._combination_kernels import LOUDEST, mean_magnitude, mean_surprise
from anomaly_detection.detectors._marginals import joined, tails_of
from anomaly_detection.detectors.auto import NEW, OWN, Auto
from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.pipeline import Pipeline


def crowd(n: int = 600, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def with_a_hidden_crowd() -> tuple[np.ndarray, np.ndarray]:
    """Anomalies so alike that each has many near neighbours."""
    anomalies = np.random.default_rng(1).normal(6, 0.01, size=(40, 4)).astype(np.float32)
    return np.concatenate([crowd(), anomalies]), np.repeat([0, 1], [600, 40])


def naive_magnitude(scores, centers, scales):
    z = (scores - centers[:, None]) / scales[:, None]
    size = np.log1p(np.abs(z))
    size = np.where(size > LOUDEST, LOUDEST + 0.01 * (size - LOUDEST), size)
    return (np.sign(z) * size).mean(axis=0)


def naive_surprise(scores, training, falls, weights):
    total = 0.0
    for own, past, fall, weight in zip(scores, training, falls, weights, strict=True):
        at_least = np.array([(past >= score).sum() for score in own])
        beyond = np.log1p(np.maximum(own - past.max(), 0) / fall)
        total = total + weight * (np.log((len(past) + 1) / (at_least + 1)) + beyond)
    return total / len(scores)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 30), st.integers(0, 1000))
def test_mean_magnitude_equals_its_naive_twin(m, n, seed):
    rng = np.random.default_rng(seed)
    scores, centers, scales = rng.standard_cauchy((m, n)) * 100, rng.normal(size=m), rng.uniform(0.1, 3, m)
    out = np.empty(n)
    mean_magnitude(scores, centers, scales, out)
    np.testing.assert_allclose(out, naive_magnitude(scores, centers, scales), rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 30), st.integers(0, 1000))
def test_mean_surprise_equals_its_naive_twin(m, n, seed):
    rng = np.random.default_rng(seed)
    training = rng.integers(0, 9, size=(m, 40)).astype(np.float64)
    scores = rng.integers(-2, 14, size=(m, n)).astype(np.float64)
    falls, weights, out = rng.uniform(0.5, 2, m), rng.uniform(0, 2, m), np.empty(n)
    tails = [tails_of(past, 1024) for past in training]
    knots, bounds = joined([one.knots for one in tails])
    surprises, _ = joined([one.right for one in tails])
    mean_surprise(scores, knots, surprises, bounds, falls, weights, out)
    np.testing.assert_allclose(out, naive_surprise(scores, training, falls, weights), rtol=1e-12, atol=1e-12)


def test_a_pipeline_says_which_rows_are_judged():
    frame = pl.DataFrame(crowd())
    own, new = Pipeline(), Pipeline()
    own.fit_detect(frame)
    new.fit(frame)
    assert own.scorer_.detector.evidence()["judged"] == "own"
    assert new.scorer_.detector.evidence()["judged"] == "new"
    assert [one["name"] for one in own.scorer_.detector.evidence()["members"]] == [view.name for view in OWN]
    assert [one["name"] for one in new.scorer_.detector.evidence()["members"]] == [view.name for view in NEW]


def test_what_was_asked_for_is_kept():
    pipeline = Pipeline(Auto(judged="new"))
    pipeline.fit_detect(pl.DataFrame(crowd()))
    assert pipeline.scorer_.detector.evidence()["judged"] == "new"


def test_a_crowd_of_anomalies_does_not_hide_itself():
    X, y = with_a_hidden_crowd()
    assert roc_auc_score(y, Auto(judged="own").fit(X).score(X)) == 1.0
    assert roc_auc_score(y, create("knn").fit(X).score(X)) < 0.5


def test_views_of_detail_count_less_where_a_crowd_hides_from_them():
    X, _ = with_a_hidden_crowd()
    clean, dirty = Auto().fit(crowd()), Auto().fit(X)
    knn = [view.name for view in NEW].index("knn")
    assert clean.agreement_[knn] > 0.7
    assert dirty.agreement_[knn] < 0.5 * clean.agreement_[knn]
    assert dirty.weights_[knn] < 0.7 * clean.weights_[knn]
    assert dirty.weights_.mean() == pytest.approx(1.0)


def test_it_sees_what_lies_between_the_crowds_of_normal_rows():
    rng = np.random.default_rng(0)
    crowds = np.concatenate([rng.normal(c, 0.3, size=(300, 2)) for c in (-4, 0, 4)]).astype(np.float32)
    test = np.concatenate([rng.normal(c, 0.3, size=(100, 2)) for c in (-4, 0, 4)] + [[[2, 2], [-2, -2], [4, -4]]])
    y = np.repeat([0, 1], [300, 3])
    assert roc_auc_score(y, Auto().fit(crowds).score(test)) > 0.99


def test_a_column_of_words_and_gaps_counts():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=400), "shop": rng.choice(["a", "b"], 400), "y": rng.normal(size=400)})
    pipeline = Pipeline().fit(frame)
    usual, unseen, gap = pipeline.score(
        pl.DataFrame({"x": [0.0, 0.0, None], "shop": ["a", "zzz", "a"], "y": [0.0, 0.0, 0.0]})
    )
    assert unseen > usual
    assert gap > usual


@pytest.mark.parametrize("n", [8, 20, 50])
def test_few_rows_are_enough(n):
    frame = pl.DataFrame(crowd(n, 3))
    result = Pipeline(contamination=0.1).fit_detect(frame)
    assert len(result) == n
    assert np.isfinite(Pipeline().fit(frame).score(frame)).all()


@pytest.mark.parametrize("judged", ["own", "new"])
@pytest.mark.parametrize(
    "damage",
    [
        {"dense": np.zeros(3, np.uint8)},
        {"centers_": np.zeros(2)},
        {"weights_": np.zeros((5, 1))},
        {"bounds_": np.zeros(3, np.int64)},
        {"bounds_": np.array([0, 10**9, 10**9, 10**9, 10**9, 10**9])},
        {"knots_": np.zeros(1)},
    ],
)
def test_damaged_arrays_are_refused(judged, damage):
    detector = Auto(judged=judged).fit(crowd(100))
    with pytest.raises(ArtifactError):
        detector.clone().restore({**detector.state(), **damage}, detector.features_)


def test_the_seed_decides():
    X = crowd(1500)
    first, again, other = (Auto(random_state=seed).fit(X).score(X) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_unknown_word_for_the_judged_rows_is_refused():
    with pytest.raises(ParameterError, match="judged='mine' must be one of 'auto', 'own', 'new'"):
        create("auto", judged="mine")
