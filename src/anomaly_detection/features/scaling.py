"""Transforms of plain numbers, column by column.

Each learns in ``fit`` and is the same for every row in ``transform``: NaN stays NaN, and a row's result does not
depend on the other rows, unless ``row_wise`` is False: those look at the rows before and have no place in a table
whose rows are in no order. What was learned is in arrays, which :meth:`Transform.state` hands out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anomaly_detection.base import Configurable, Constraint, Range
from anomaly_detection.entries import Catalog, Entry
from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

_HERE = "anomaly_detection.features"

TRANSFORMS = Catalog(
    "transform",
    [
        Entry("standard", f"{_HERE}.scaling:Standard", "mean 0, standard deviation 1", ("standard_scaler", "zscore")),
        Entry("minmax", f"{_HERE}.scaling:MinMax", "training range to [0, 1]", ("min_max", "minmax_scaler")),
        Entry("maxabs", f"{_HERE}.scaling:MaxAbs", "largest magnitude to 1", ("max_abs", "maxabs_scaler")),
        Entry("robust", f"{_HERE}.scaling:Robust", "median 0, interquartile range 1", ("robust_scaler",)),
        Entry("clip", f"{_HERE}.scaling:Clip", "cut off beyond bounds", ("clipping", "data_clipper")),
        Entry("log", f"{_HERE}.curves:Log", "logarithm of one plus the magnitude, sign kept", ("log1p",)),
        Entry("power", f"{_HERE}.curves:Power", "Yeo-Johnson, as normal as a power gets", ("yeo_johnson",)),
        Entry("tanh", f"{_HERE}.curves:Tanh", "tanh estimator, into (0, 1)", ("tanh_scaler",)),
        Entry("percentile", f"{_HERE}.curves:Percentile", "share of training values below", ("rank", "ecdf")),
        Entry("difference", f"{_HERE}.ordered:Difference", "change since an earlier row", ("differencing", "diff")),
        Entry(
            "moving_average",
            f"{_HERE}.ordered:MovingAverage",
            "exponential moving average",
            ("exponential_moving_average", "ema"),
        ),
    ],
    group="anomaly_detection.transforms",
)


class Transform(Configurable, ABC):
    """The base of every transform: subclasses write ``_fit`` and ``_transform``, and ``_inverse`` where there is one.

    Attributes
    ----------
    row_wise : whether a row's result depends on that row alone.
    learned : the names of the arrays ``_fit`` sets; each has one entry, or one column, per feature.
    width_ : the number of features it was fitted on.
    """

    row_wise: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ()

    width_: int

    @final
    def fit(self, X: ArrayLike) -> Self:
        """Learn from (n, d) numbers; NaN is left out of account.

        Raises
        ------
        ParameterError
            if a parameter is outside its range.
        InputError
            if ``X`` is not a matrix of numbers with at least one row.
        """
        self.validate()
        matrix = _as_matrix(X)
        if not len(matrix):
            raise InputError(f"{type(self).__name__} needs at least one row to fit; got none.")
        self._fit(matrix)
        self.width_ = matrix.shape[1]
        return self

    @final
    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Transform (n, d) numbers; NaN stays NaN.

        Raises
        ------
        NotFittedError
            before ``fit``.
        SchemaError
            if the width differs from the fitted one.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return self._transform(self._checked(X))

    @final
    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Undo :meth:`transform`.

        Raises
        ------
        ParameterError
            for a transform that cannot be undone.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return self._inverse(self._checked(X))

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""
        if not hasattr(self, "width_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        return {"width_": np.asarray(self.width_), **{name: np.asarray(getattr(self, name)) for name in self.learned}}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take back what :meth:`state` handed out."""
        for name in self.learned:
            setattr(self, name, np.asarray(state[name], dtype=np.float64))
        self.width_ = int(state["width_"])
        return self

    @abstractmethod
    def _fit(self, X: NDArray[np.float64]) -> None:
        """Learn from (n, d) numbers."""

    @abstractmethod
    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Transform (n, d) numbers."""

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002
        raise ParameterError(f"{type(self).__name__} cannot be undone.")

    def _checked(self, X: ArrayLike) -> NDArray[np.float64]:
        if not hasattr(self, "width_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        matrix = _as_matrix(X)
        if matrix.shape[1] != self.width_:
            raise SchemaError(
                f"{type(self).__name__} was fitted on {self.width_} features; the matrix has {matrix.shape[1]}."
            )
        return matrix


class _Linear(Transform):
    """``(x - shift) / width``."""

    learned = ("shift_", "spread_")

    shift_: NDArray[np.float64]
    spread_: NDArray[np.float64]

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return (X - self.shift_) / self.spread_

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return X * self.spread_ + self.shift_

    def _fit(self, X: NDArray[np.float64]) -> None:
        pairs = [self._learn(present) if len(present) else (0.0, 1.0) for present in present_columns(X)]
        self.shift_ = np.array([shift for shift, _ in pairs])
        self.spread_ = np.array([spread if spread > 0 else 1.0 for _, spread in pairs])

    @abstractmethod
    def _learn(self, present: NDArray[np.float64]) -> tuple[float, float]:
        """The shift and the spread of finite numbers; a spread of 0 counts as 1."""


class Standard(_Linear):
    """Mean 0 and standard deviation 1; a constant feature keeps its unit.

    >>> Standard().fit([[1.0], [3.0]]).transform([[1.0], [5.0]]).tolist()
    [[-1.0], [3.0]]
    """

    def _learn(self, present: NDArray[np.float64]) -> tuple[float, float]:
        return float(present.mean()), float(present.std())


class MinMax(_Linear):
    """The training range to [0, 1]; values beyond it lie beyond.

    >>> MinMax().fit([[10.0], [20.0]]).transform([[15.0], [30.0]]).tolist()
    [[0.5], [2.0]]
    """

    def _learn(self, present: NDArray[np.float64]) -> tuple[float, float]:
        return float(present.min()), float(np.ptp(present))


class MaxAbs(_Linear):
    """The largest magnitude in training to 1; zero stays zero.

    >>> MaxAbs().fit([[-4.0], [2.0]]).transform([[2.0]]).tolist()
    [[0.5]]
    """

    def _learn(self, present: NDArray[np.float64]) -> tuple[float, float]:
        return 0.0, float(np.abs(present).max())


class Robust(_Linear):
    """Median 0 and interquartile range 1: a few extreme training values do not matter.

    Where the quartiles coincide, the standard deviation takes the place of their distance.

    >>> Robust().fit([[0.0], [1.0], [2.0], [3.0], [400.0]]).transform([[4.0]]).tolist()
    [[1.0]]
    """

    def _learn(self, present: NDArray[np.float64]) -> tuple[float, float]:
        low, middle, high = np.quantile(present, [0.25, 0.5, 0.75]).tolist()
        return middle, (high - low) or float(present.std())


class Clip(Transform):
    """Cuts off values beyond two bounds.

    Parameters
    ----------
    lower, upper : the bounds; learned from training values when not given.
    tail : the share of training values beyond each learned bound; 0 takes the smallest and the largest.

    Examples
    --------
    >>> Clip(upper=10.0).fit([[1.0], [5.0]]).transform([[0.0], [99.0]]).tolist()
    [[1.0], [10.0]]
    """

    learned = ("bounds_",)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "lower": Range(or_none=True),
        "upper": Range(or_none=True),
        "tail": Range(0, 0.5, open_high=True),
    }

    bounds_: NDArray[np.float64]

    def __init__(self, lower: float | None = None, upper: float | None = None, tail: float = 0.0) -> None:
        self.lower = lower
        self.upper = upper
        self.tail = tail

    def validate(self) -> None:
        """Check the parameters, each and together."""
        super().validate()
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ParameterError(f"Clip: lower={self.lower!r} must not be above upper={self.upper!r}.")

    def _fit(self, X: NDArray[np.float64]) -> None:
        self.bounds_ = np.array([self._bounds(present) for present in present_columns(X)]).T

    def _bounds(self, present: NDArray[np.float64]) -> tuple[float, float]:
        low, high = (-np.inf, np.inf) if not len(present) else np.quantile(present, [self.tail, 1 - self.tail]).tolist()
        low = low if self.lower is None else self.lower
        high = high if self.upper is None else self.upper
        return min(low, high) if self.lower is None else low, max(low, high) if self.upper is None else high

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(X, self.bounds_[0], self.bounds_[1])


def present_columns(X: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The finite values of each column."""
    return [column[np.isfinite(column)] for column in X.T]


def _as_matrix(X: ArrayLike) -> NDArray[np.float64]:
    try:
        matrix = np.asarray(X, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"A transform takes a matrix of numbers: {error}.") from error
    if matrix.ndim != 2:
        raise InputError(f"A transform takes an (n, d) matrix; got {matrix.ndim} dimension(s).")
    return matrix
