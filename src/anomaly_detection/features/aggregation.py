"""Many scores into one: those of a window of rows first, then those of several features.

Missing scores are left out; where none is left that has weight, the result is missing. An aggregation works along one
axis: ``aggregate(scores, axis=0)`` over the rows of a window gives a score per feature; over those, one for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from anomaly_detection.base import Configurable, Constraint, Range
from anomaly_detection.entries import Catalog, Entry
from anomaly_detection.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

AGGREGATIONS = Catalog(
    "aggregation",
    [
        Entry("mean", f"{__name__}:Mean", "the average", ("average",)),
        Entry("max", f"{__name__}:Maximum", "the largest", ("maximum",)),
        Entry("min", f"{__name__}:Minimum", "the smallest", ("minimum",)),
        Entry("weighted", f"{__name__}:Weighted", "the average with given weights", ("weighted_average",)),
        Entry("exponential", f"{__name__}:Exponential", "the average, later ones weighing more", ("exp", "ema")),
    ],
    group="anomaly_detection.aggregations",
)


class Aggregation(Configurable, ABC):
    """The base of every aggregation; subclasses write ``_aggregate``, averages ``_weights``."""

    @final
    def aggregate(self, scores: ArrayLike, axis: int = 0) -> NDArray[np.float64]:
        """Make one score of those along an axis.

        Raises
        ------
        InputError
            if there is nothing along the axis.
        """
        self.validate()
        values = np.moveaxis(np.asarray(scores, dtype=np.float64), axis, 0)
        if not len(values):
            raise InputError("There are no scores to aggregate.")
        missing = np.isnan(values)
        found = self._aggregate(values, missing)
        return np.where(missing.all(axis=0), np.nan, found)

    @abstractmethod
    def _aggregate(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Along the first axis; anything where all are missing."""


class Maximum(Aggregation):
    """The largest score.

    >>> Maximum().aggregate([[1.0, 5.0], [3.0, np.nan]]).tolist()
    [3.0, 5.0]
    """

    def _aggregate(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
        largest: NDArray[np.float64] = np.where(missing, -np.inf, values).max(axis=0)
        return largest


class Minimum(Aggregation):
    """The smallest score.

    >>> Minimum().aggregate([[1.0, 5.0], [3.0, np.nan]], axis=1).tolist()
    [1.0, 3.0]
    """

    def _aggregate(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
        smallest: NDArray[np.float64] = np.where(missing, np.inf, values).min(axis=0)
        return smallest


class _Averaging(Aggregation):
    def _aggregate(self, values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
        weights = self._weights(len(values)).reshape(-1, *[1] * (values.ndim - 1))
        present = np.where(missing, 0.0, weights)
        total = present.sum(axis=0)
        average: NDArray[np.float64] = (np.where(missing, 0.0, values) * present).sum(axis=0)
        return np.where(total > 0, average / np.where(total > 0, total, 1.0), np.nan)

    @abstractmethod
    def _weights(self, count: int) -> NDArray[np.float64]:
        """(count,) weights, in order."""


class Mean(_Averaging):
    """The average.

    >>> Mean().aggregate([1.0, np.nan, 3.0]).tolist()
    2.0
    """

    def _weights(self, count: int) -> NDArray[np.float64]:
        return np.ones(count)


class Weighted(_Averaging):
    """The average with given weights.

    Parameters
    ----------
    weights : one for each score, none negative; they need not sum to 1.

    Examples
    --------
    >>> Weighted([3.0, 1.0]).aggregate([[1.0, 5.0]], axis=1).tolist()
    [2.0]
    """

    def __init__(self, weights: Sequence[float] = (1.0,)) -> None:
        self.weights = weights

    def validate(self) -> None:
        """Check the weights."""
        if not len(self.weights) or min(self.weights) < 0 or not 0 < sum(self.weights) < np.inf:
            raise ParameterError(f"Weighted: parameter weights={self.weights!r} must be numbers from 0 on, not all 0.")

    def _weights(self, count: int) -> NDArray[np.float64]:
        if count != len(self.weights):
            raise InputError(f"There are {count} scores to aggregate, but {len(self.weights)} weights.")
        return np.asarray(self.weights, dtype=np.float64)


class Exponential(_Averaging):
    """The average in which each score weighs ``memory`` times as much as the one after it.

    Parameters
    ----------
    memory : 1 is the plain average, 0 the last score alone.

    Examples
    --------
    >>> Exponential(0.5).aggregate([0.0, 3.0]).tolist()
    2.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"memory": Range(0, 1)}

    def __init__(self, memory: float = 0.9) -> None:
        self.memory = memory

    def _weights(self, count: int) -> NDArray[np.float64]:
        return np.power(float(self.memory), np.arange(count - 1, -1, -1))
