"""What ECOD and COPOD share: frozen tails of every feature, and how a row adds them up."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors._marginal_kernels import tails, tails_row
from anomaly_detection.detectors._marginals import Tails, category_surprises, joined, missing_surprise, tails_of
from anomaly_detection.detectors._restored import require_shapes, require_stretches
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class TailDetector(Detector):
    """The base of detectors that add up the surprise -log(tail probability) of every feature.

    Attributes
    ----------
    knots_ : float32, the kept training values of all features, end to end; ``bounds_`` says where each begins.
    left_, right_ : float32, the surprises of the two tails at the knots and beyond them.
    sides_ : (d,) which tail counts: -1 left, 1 right, 0 the larger.
    levels_, stretches_ : what missing values and categories score, and where each feature's part begins.
    """

    tags = Tags(missing=True, categories=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {"quantile_points": Range(16, 1_000_000, integer=True)}
    learned = ("knots_", "bounds_", "left_", "right_", "sides_", "levels_", "stretches_")

    knots_: NDArray[np.float32]
    bounds_: NDArray[np.int64]
    left_: NDArray[np.float32]
    right_: NDArray[np.float32]
    sides_: NDArray[np.int64]
    levels_: NDArray[np.float64]
    stretches_: NDArray[np.int64]

    def __init__(self, quantile_points: int = 1024) -> None:
        self.quantile_points = quantile_points

    @abstractmethod
    def _sides(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        """(d,) the tail of each feature that counts: -1 left, 1 right, 0 the larger of both."""

    def _fit(self, X: NDArray[np.float32]) -> None:
        n_categories = self.features_.n_categories
        found = [self._tails(column, known) for column, known in zip(X.T, n_categories, strict=True)]
        knots, self.bounds_ = joined([one.knots for one in found])
        self.knots_ = knots.astype(np.float32)
        self.left_ = joined([one.left for one in found])[0].astype(np.float32)
        self.right_ = joined([one.right for one in found])[0].astype(np.float32)
        self.levels_, self.stretches_ = joined([_levels(*pair) for pair in zip(X.T, n_categories, strict=True)])
        self.sides_ = self._sides(X)
        self._restored()

    def _tails(self, column: NDArray[np.float32], n_categories: int) -> Tails:
        return tails_of(column[:0] if n_categories else column, int(self.quantile_points))

    def _restored(self) -> None:
        d, k = len(self.features_), np.size(self.knots_)
        require_shapes(
            self, {"knots_": (k,), "left_": (k + d,), "right_": (k + d,), "sides_": (d,), "levels_": (None,)}
        )
        require_stretches(self, "bounds_", k, d, 0)
        require_stretches(self, "stretches_", len(self.levels_), d)
        self._tables: tuple[NDArray[Any], ...] = tuple(getattr(self, name) for name in self.learned)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = tails(X, *self._tables)
        return scores

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row: microseconds, and the same bits as in a batch."""
        return float(tails_row(row, *self._tables))


def _levels(column: NDArray[np.float32], n_categories: int) -> NDArray[np.float64]:
    if n_categories:
        return category_surprises(column, n_categories)
    return np.array([missing_surprise(column)])
