"""The contract of a detector.

``fit(X)`` learns, ``score(X)`` answers with one float64 per row, *higher = more anomalous, always*. Both are final and
validate once; an algorithm writes ``_fit`` and ``_score``. A score depends on the row alone: row by row, all at once
and any chunking agree bit for bit. What was learned is in arrays that :meth:`Detector.state` hands out and
:meth:`Detector.restore` takes back; nothing is ever pickled.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anomaly_detection.base import Configurable
from anomaly_detection.detectors._matrix_kernels import finite_range, has_infinite
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError
from anomaly_detection.features.space import FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

FAR = 10.0
"""An infinite value counts as lying this many fitted ranges beyond the fitted range."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a detector can do by itself; the pipeline supplies the rest.

    Parameters
    ----------
    missing : takes NaN as information.
    categories : takes category features as codes.
    batch_invariant : the score of a row does not depend on the other rows scored with it.
    one_row : can score a single row.
    leave_one_out : scores a training row as a detector fitted without it would, so that calibration needs no other.
    steady : fits on nearly the same rows give nearly the same scores; where not, a fit that finds another solution
        cannot calibrate this one.
    online : goes on learning, a row at a time (:class:`~anomaly_detection.detectors.online.OnlineDetector`).
    saved : can hand out what it learned as arrays.
    """

    missing: bool = False
    categories: bool = False
    batch_invariant: bool = True
    one_row: bool = True
    leave_one_out: bool = False
    steady: bool = True
    online: bool = False
    saved: bool = True


class Detector(Configurable, ABC):
    """The base of every detector.

    Subclasses set :attr:`tags` and :attr:`learned` (the names of the arrays and numbers ``_fit`` sets, each ending in
    ``_``), and write ``_fit(X)`` and ``_score(X)``. They receive a C-contiguous (n, d) float32 matrix without infinite
    values, with ``self.features_`` set.

    Attributes
    ----------
    features_ : what each column of the matrix means.
    instead : the algorithm to use where a promise is needed that :attr:`tags` deny.
    limits_ : (2, d) float64, the values that stand in for -inf and +inf.
    ranges_ : (2, d) float32, the smallest and largest value fitted on, infinite values replaced; +inf and -inf in a
        column without values. Part of the state of a detector that lists it in :attr:`learned`.
    """

    tags: ClassVar[Tags] = Tags()
    learned: ClassVar[tuple[str, ...]] = ()
    fewest_rows: ClassVar[int] = 2
    instead: ClassVar[str] = "isolation_forest"

    features_: FeatureSpace
    limits_: NDArray[np.float64]
    ranges_: NDArray[np.float32]

    @final
    def fit(self, X: ArrayLike, features: FeatureSpace | None = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : (n, d) numbers; NaN and category codes only where :attr:`tags` allow them.
        features : what the columns mean; plain numbers ``f0`` … when not given.

        Raises
        ------
        ParameterError
            if a parameter is outside its range.
        InputError
            if there are too few rows, no columns, or missing values the detector does not take.
        """
        self.validate()
        matrix = as_matrix(X)
        space = features or FeatureSpace.of_numbers(matrix.shape[1])
        space.check_width(matrix.shape[1])
        self._check_fit(matrix, space)
        self.features_ = space
        self.ranges_, infinite = finite_range(matrix)
        self.limits_ = infinity_limits(self.ranges_)
        if infinite:
            matrix = self._clean(matrix)
            self.ranges_, _ = finite_range(matrix)
        self._fit(matrix)
        return self

    @final
    def score(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score rows; higher is more anomalous.

        Parameters
        ----------
        X : (n, d) numbers, in the order of the fitted features.

        Returns
        -------
        (n,) float64.

        Raises
        ------
        NotFittedError
            before ``fit``.
        SchemaError
            if the width differs from the fitted one.
        InputError
            for missing values the detector does not take.
        """
        matrix = self._checked(X)
        return self._score(matrix) if len(matrix) else np.empty(0)

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` or ``restore`` has been called."""
        return hasattr(self, "features_")

    def for_own_rows(self) -> Self:
        """An unfitted copy for judging the very rows it is going to be fitted on."""
        return self.clone()

    def evidence(self) -> dict[str, Any]:
        """What was chosen while fitting, and why, in plain values; empty for algorithms that choose nothing."""
        return {}

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one finite, clean row of the fitted width without checking it: the fast way in for a pipeline.

        Equal, bit for bit, to ``score(row[None])[0]``. Algorithms with a kernel for one row override it.
        """
        return float(self._score(row[None, :])[0])

    def score_rows(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same for (n, d) finite, clean rows; equal, bit for bit, to ``score(rows)``."""
        return self._score(rows) if len(rows) else np.empty(0)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name; enough for :meth:`restore`."""
        return {"limits_": self.limits_, **{name: np.asarray(getattr(self, name)) for name in self.learned}}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace) -> Self:
        """Take back what :meth:`state` handed out; scores are equal afterwards.

        Raises
        ------
        ArtifactError
            if an array is not there.
        """
        names = ("limits_", *self.learned)
        lacking = [name for name in names if name not in state]
        if lacking:
            raise ArtifactError(
                f"The saved {type(self).__name__} lacks {', '.join(lacking)}: another version of it wrote this model. "
                "Fit it again."
            )
        for name in names:
            value = state[name]
            setattr(self, name, value if value.ndim else value.item())
        self.features_ = features
        self._restored()
        return self

    @abstractmethod
    def _fit(self, X: NDArray[np.float32]) -> None:
        """Learn from an (n, d) matrix."""

    @abstractmethod
    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score an (n, d) matrix, row by row independently."""

    def _restored(self) -> None:
        """Rebuild whatever is derived from the restored arrays."""

    def _check_fit(self, matrix: NDArray[np.float32], space: FeatureSpace) -> None:
        if len(matrix) < self.fewest_rows:
            raise InputError(f"{type(self).__name__} needs at least {self.fewest_rows} rows to fit; got {len(matrix)}.")
        if not matrix.shape[1]:
            raise InputError(f"{type(self).__name__} needs at least one feature; got none.")
        if space.has_categories and not self.tags.categories:
            raise InputError(
                f"{type(self).__name__} takes numbers only; fit it through a Pipeline, which encodes categories."
            )
        self._check_missing(matrix)

    def _checked(self, X: ArrayLike) -> NDArray[np.float32]:
        """Rows as a fitted detector takes them; raises as :meth:`score` does."""
        if not self.is_fitted:
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        matrix = as_matrix(X)
        self.features_.check_width(matrix.shape[1])
        self._check_missing(matrix)
        return self._clean(matrix)

    def _check_missing(self, matrix: NDArray[np.float32]) -> None:
        if not self.tags.missing and np.isnan(matrix).any():
            raise InputError(
                f"{type(self).__name__} does not take missing values (NaN); use it through a Pipeline, which fills "
                "them in and marks them, or choose isolation_forest, hbos, ecod, copod or mad."
            )

    def _clean(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        return replace_infinite(matrix, self.limits_)


def as_matrix(X: ArrayLike) -> NDArray[np.float32]:
    """An (n, d) C-contiguous float32 matrix; float64 beyond the range of float32 becomes infinite.

    Read-only rows are copied: kernels are compiled for arrays that can be written to.

    Raises
    ------
    InputError
        if it is not two-dimensional or not numeric.
    """
    try:
        with np.errstate(over="ignore"):
            matrix = np.ascontiguousarray(X, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"A detector takes a matrix of numbers: {error}.") from error
    if matrix.ndim != 2:
        raise InputError(
            f"A detector takes an (n, d) matrix; got {matrix.ndim} dimension(s). One row is X.reshape(1, -1)."
        )
    return matrix if matrix.flags.writeable else matrix.copy()


def infinity_limits(ranges: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, d): what stands in for -inf and +inf, :data:`FAR` ranges beyond the (2, d) finite ranges fitted on."""
    low, high = ranges.astype(np.float64)
    empty = low > high
    low[empty] = high[empty] = 0.0
    reach = FAR * np.maximum(high - low, np.maximum(np.abs(low), np.abs(high)) * 0.1 + 1e-6)
    bound = float(np.finfo(np.float32).max) / 4
    limits: NDArray[np.float64] = np.clip(np.stack([low - reach, high + reach]), -bound, bound)
    return limits


def replace_infinite(matrix: NDArray[np.float32], limits: NDArray[np.float64]) -> NDArray[np.float32]:
    """The matrix itself when it is free of infinite values, else a copy with the limits in their place."""
    if not has_infinite(matrix):
        return matrix
    stand_in = np.where(matrix < 0, limits[0], limits[1]).astype(np.float32)
    return np.where(np.isinf(matrix), stand_in, matrix)
