"""Random signed sums of columns: they equal a naive twin, keep distances, and refuse foreign arrays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.detectors._one_thread import on_one_thread
from anomaly_detection.detectors._sketch import Sketch
from anomaly_detection.detectors._sketch_kernels import add_up
from anomaly_detection.detectors.auto import WIDEST, Auto
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.space import FeatureSpace


def rows_of(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def naive_sums(X, centers, factors, places, width):
    out = np.zeros((len(X), width))
    for j, place in enumerate(places):
        out[:, place] += (X[:, j] - centers[j]) * factors[j]
    return np.clip(out, -1e30, 1e30).astype(np.float32)


@given(st.integers(0, 5), st.integers(1, 40), st.integers(1, 9), st.integers(0, 1000))
def test_sums_equal_their_naive_twin(n, d, width, seed):
    rng = np.random.default_rng(seed)
    X = (rng.standard_cauchy((n, d)) * 10.0 ** rng.integers(-30, 30)).astype(np.float32)
    centers, factors, places = rng.normal(size=d), rng.normal(size=d), rng.integers(0, width, d)
    out = np.empty((n, width), np.float32)
    add_up(X, centers, factors, places, out)
    np.testing.assert_array_equal(out, naive_sums(X, centers, factors, places, width))


def test_distances_are_kept_roughly_whatever_the_units():
    X = rows_of(60, 2_000)
    units = np.logspace(-6, 6, 2_000, dtype=np.float32)
    narrow = Sketch().fit(X * units, FeatureSpace.of_numbers(2_000), 256, seed=0).transform(X * units)
    gaps = [np.linalg.norm(one[:, None] - one[None], axis=2)[np.triu_indices(60, 1)] for one in (X, narrow)]
    ratios = gaps[1] / gaps[0]
    assert narrow.shape == (60, 256)
    assert abs(np.median(ratios) - 1) < 0.1
    assert np.abs(ratios / np.median(ratios) - 1).max() < 0.3


def test_narrow_rows_stay_as_they_are():
    X, space = rows_of(20, 8), FeatureSpace.of_numbers(8)
    sketch = Sketch().fit(X, space, 8, seed=0)
    assert sketch.transform(X) is X
    assert sketch.features_ is space
    assert Sketch().restore(sketch.state(), space, 8).transform(X) is X


@pytest.mark.parametrize(
    "damage", [{"places": np.full(40, 8)}, {"factors": np.full(40, np.nan)}, {"centers": np.zeros(39)}, {"places": []}]
)
def test_foreign_sums_are_refused(damage):
    space = FeatureSpace.of_numbers(40)
    state = Sketch().fit(rows_of(20, 40), space, 8, seed=0).state()
    with pytest.raises(ArtifactError, match="40 columns"):
        Sketch().restore({**state, **damage}, space, 8)


@pytest.mark.parametrize("judged", ["own", "new"])
def test_auto_sees_thousands_of_columns_as_sums_of_them(judged):
    X = rows_of(120, 3_000)
    X[7] += np.float32(2.0)
    X[11, 5] = 60.0
    detector = Auto(judged=judged).fit(X[20:] if judged == "new" else X)
    scores = detector.score(X)
    assert set(np.argsort(-scores[:20])[:4]) >= {7, 11}
    assert {len(member.features_) for member in detector.members_} == {3_000, WIDEST}
    restored = detector.clone().restore(detector.state(), detector.features_)
    np.testing.assert_array_equal(restored.score(X), scores)
    assert [detector.score_row(row) for row in X[:12]] == scores[:12].tolist()


def test_linear_algebra_is_on_one_thread_meanwhile_and_as_before_afterwards():
    from threadpoolctl import threadpool_info  # noqa: PLC0415  what this test looks at

    def threads() -> list[int]:
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    before = threads()
    assert before
    with on_one_thread():
        assert set(threads()) == {1}
    assert threads() == before
