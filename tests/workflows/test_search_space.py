"""Every range that is searched is one the algorithm accepts, and the defaults lie in it."""

from __future__ import annotations

import pytest

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create
from anomaly_detection.features.transformed import TransformedFeatures
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.workflows.search_space import (
    BY_RANK,
    SCALING,
    SPACES,
    TRANSFORM,
    OneOf,
    defaults_of,
    described,
    space_of,
)

NAMES = [entry.name for entry in DETECTORS.entries()]
OWN = [entry.name for entry in DETECTORS.entries() if entry.extra is None]


class Ends:
    """A trial that draws every value a dimension can take, or both of its ends."""

    def suggest_int(self, _, low, high, *, log=False):
        assert 0 < low < high or not log
        return (low, high)

    suggest_float = suggest_int

    def suggest_categorical(self, _, choices):
        assert len(set(choices)) == len(choices) > 1
        return tuple(choices)


@pytest.mark.parametrize("algorithm", SPACES)
def test_every_range_is_within_what_the_algorithm_accepts(algorithm):
    for name, dimension in SPACES[algorithm].items():
        assert dimension.draw(Ends(), name) == dimension.ends()
        for value in dimension.ends():
            create(algorithm, **{name: value})


@pytest.mark.parametrize("algorithm", OWN)
def test_the_defaults_lie_in_the_space(algorithm):
    space, point = space_of(algorithm), defaults_of(algorithm)
    assert list(space) == list(point)
    for name, dimension in space.items():
        if isinstance(dimension, OneOf):
            assert point[name] in dimension.values
        else:
            assert dimension.low <= point[name] <= dimension.high


def test_the_table_names_known_algorithms():
    assert set(SPACES) <= set(NAMES)
    assert set(BY_RANK) <= set(NAMES)


def test_scalings_and_transforms_are_known():
    for scaling in SCALING.values:
        Pipeline("knn", scaling=scaling).validate()
    for transform in set(TRANSFORM.values) - {"none"}:
        TransformedFeatures([transform])


def test_scaling_is_searched_only_where_it_matters():
    assert "knn.scaling" in space_of("knn")
    assert "isolation_forest.scaling" not in space_of("iforest")
    assert space_of("ecod") == {}


def test_a_space_is_told_from_another():
    assert described(("knn",)) == described(("knn",))
    assert described(("knn",)) != described(("lof",))
