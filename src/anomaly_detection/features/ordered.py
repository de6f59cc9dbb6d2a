"""Transforms that look at the rows before: for series only, never for the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from anomaly_detection.base import Constraint, Range
from anomaly_detection.features.scaling import Transform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Difference(Transform):
    """The change since an earlier row; NaN where there is none.

    Parameters
    ----------
    lag : how many rows earlier.

    Examples
    --------
    >>> Difference().fit([[1.0]]).transform([[1.0], [3.0], [2.0]]).tolist()
    [[nan], [2.0], [-1.0]]
    """

    row_wise = False
    constraints: ClassVar[Mapping[str, Constraint]] = {"lag": Range(1, integer=True)}

    def __init__(self, lag: int = 1) -> None:
        self.lag = lag

    def _fit(self, X: NDArray[np.float64]) -> None:
        pass

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        changes = np.full_like(X, np.nan)
        changes[self.lag :] = X[self.lag :] - X[: -self.lag]
        return changes


class MovingAverage(Transform):
    """The exponential moving average, corrected for its beginning; gaps stay gaps and are passed over.

    Parameters
    ----------
    memory : the weight of the average so far; the new value has the rest.

    Examples
    --------
    >>> MovingAverage(0.5).fit([[0.0]]).transform([[0.0], [3.0], [3.0]]).round(6).tolist()
    [[0.0], [2.0], [2.571429]]
    """

    row_wise = False
    constraints: ClassVar[Mapping[str, Constraint]] = {"memory": Range(0, 1, open_high=True)}

    def __init__(self, memory: float = 0.5) -> None:
        self.memory = memory

    def _fit(self, X: NDArray[np.float64]) -> None:
        pass

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([moving_average(column, self.memory) for column in X.T], axis=1)


def moving_average(values: NDArray[np.float64], memory: float) -> NDArray[np.float64]:
    """(n,) the exponential moving average of (n,) values, corrected for its beginning; NaN where missing.

    >>> moving_average(np.array([1.0, np.nan, 1.0]), 0.9).tolist()
    [1.0, nan, 1.0]
    """
    series = pl.Series(values, dtype=pl.Float64, nan_to_null=True)
    averages = series.ewm_mean(alpha=1.0 - memory, adjust=True, ignore_nulls=True).to_numpy()
    return np.where(np.isnan(values), np.nan, averages)
