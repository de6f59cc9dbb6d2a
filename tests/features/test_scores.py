"""Score transforms and the aggregation of scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly_detection.base import build
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.aggregation import AGGREGATIONS, Exponential, Weighted
from anomaly_detection.features.scores import SCORE_TRANSFORMS

NAN = float("nan")


@pytest.mark.parametrize(
    ("name", "parameters", "scores", "expected"),
    [
        ("tanh", {}, [0, 10, -10, 1e9], [0, 7.615941559557649, -7.615941559557649, 10]),
        ("tanh", {"scale": 1, "smooth": 2}, [2, NAN], [0.7615941559557649, NAN]),
        ("sigmoid", {}, [10, 12, -1e9], [5, 7.310585786300049, 0]),
        ("sigmoid", {"scale": 1, "slope": 1, "centre": 0}, [0, 1, NAN], [0.5, 0.7310585786300049, NAN]),
        ("moving_average", {"memory": 0.5}, [0, 3, NAN, 3], [0, 2, NAN, 18 / 7]),
    ],
)
def test_known_scores(name, parameters, scores, expected):
    found = build(SCORE_TRANSFORMS.load(name), parameters).transform(scores)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
@settings(max_examples=40, deadline=None)
@given(scores=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_bounded_score_transforms_keep_the_order_and_depend_on_one_score(name, scores):
    transform = SCORE_TRANSFORMS.load(name)()
    found = transform.transform(sorted(scores))
    assert (np.diff(found) >= 0).all()
    assert np.abs(found).max() <= 10
    assert [transform.transform([score])[0] for score in sorted(scores)] == found.tolist()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("tanh", {"smooth": 0}),
        ("sigmoid", {"scale": -1}),
        ("moving_average", {"memory": 1}),
    ],
)
def test_parameters_of_score_transforms_out_of_range_are_refused(name, parameters):
    with pytest.raises(ParameterError, match=next(iter(parameters))):
        build(SCORE_TRANSFORMS.load(name), parameters).transform([1.0])


@pytest.mark.parametrize(
    ("name", "parameters", "axis", "expected"),
    [
        ("mean", {}, 0, [2, 5, NAN]),
        ("max", {}, 0, [3, 5, NAN]),
        ("min", {}, 0, [1, 5, NAN]),
        ("max", {}, 1, [5, 3]),
        ("mean", {}, 1, [3, 3]),
        ("weighted", {"weights": [3, 1]}, 0, [1.5, 5, NAN]),
        ("exponential", {"memory": 0.5}, 0, [7 / 3, 5, NAN]),
        ("exponential", {"memory": 0}, 0, [3, NAN, NAN]),
    ],
)
def test_known_aggregates(name, parameters, axis, expected):
    scores = [[1.0, 5.0, NAN], [3.0, NAN, NAN]]
    aggregation = build(AGGREGATIONS.load(name), parameters)
    np.testing.assert_allclose(aggregation.aggregate(scores, axis=axis), expected)


@pytest.mark.parametrize("name", ["mean", "max", "min", "exponential"])
@settings(max_examples=40, deadline=None)
@given(scores=arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 4)), elements=st.floats(-1e6, 1e6)))
def test_an_aggregate_lies_between_the_smallest_and_the_largest(name, scores):
    found = AGGREGATIONS.load(name)().aggregate(scores)
    slack = 1e-9 * (1 + np.abs(scores).max())
    assert (found >= scores.min(axis=0) - slack).all()
    assert (found <= scores.max(axis=0) + slack).all()


def test_equal_weights_and_full_memory_are_the_mean():
    scores = np.arange(12.0).reshape(4, 3)
    np.testing.assert_allclose(Weighted([2, 2, 2, 2]).aggregate(scores), scores.mean(axis=0))
    np.testing.assert_allclose(Exponential(1.0).aggregate(scores), scores.mean(axis=0))


def test_wrong_use_is_refused():
    with pytest.raises(InputError, match="no scores"):
        AGGREGATIONS.load("mean")().aggregate(np.empty((0, 3)))
    with pytest.raises(InputError, match="3 scores to aggregate, but 2 weights"):
        Weighted([1, 2]).aggregate([1, 2, 3])
    with pytest.raises(ParameterError, match="weights"):
        Weighted([0, 0]).aggregate([1, 2])
