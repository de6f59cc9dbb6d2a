"""Distance from the centre along principal axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Range
from anomaly_detection.detectors._pca_kernels import Axes, distances_along_axes
from anomaly_detection.detectors._restored import require_shapes
from anomaly_detection.detectors.base import Detector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

FLOOR = 0.01
"""The smallest variance of a direction, in variances of a standardised column: flatter ones are noise."""

CHUNK = 1 << 14
"""Rows standardised at a time."""


class PCA(Detector):
    """Squared distance from the centre along each principal axis, in that axis's own variance.

    Columns are standardised; the axes are those of their correlation matrix. The score is the sum of
    ``projection**2 / variance`` over the kept axes (Shyu et al.), plus the squared length of what they leave over,
    divided by the mean variance of the directions left out (the model of Tipping and Bishop), which counts as at least
    0.01 of a column's variance. So a row that breaks a correlation is found, and so is one that leaves the plane all
    training rows lie in or the value of a constant column (whose unit is its own).

    Parameters
    ----------
    n_components : how many axes to keep, those of the largest variance first: a whole number; a share between 0 and 1
        of the variance to cover; or None for all with more than 0.01 of a column's variance.

    Attributes
    ----------
    centre_ : (d,) float64, the columns' means.
    spread_ : (d,) float64, their standard deviations; 1 for constant columns.
    axes_ : (a, d) float64, the kept axes, unit length, of standardised columns.
    variances_ : (a,) float64, the training rows' variance along each, at least 0.01.
    residual_variance_ : variance of each direction left out; infinite when there is none.

    References
    ----------
    Shyu, Chen, Sarinnapakorn and Chang, "A novel anomaly detection scheme based on principal component classifier",
    ICDM Workshop 2003.
    Tipping and Bishop, "Probabilistic principal component analysis", JRSS B 1999.

    Examples
    --------
    >>> X = [[0.0, 0.1], [1.0, 0.9], [2.0, 2.1], [3.0, 2.9]]
    >>> along, across = PCA().fit(X).score([[4.0, 4.0], [3.0, 0.0]])
    >>> bool(across > 10 * along)
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_components": AnyOf(Range(1, integer=True, or_none=True), Range(0, 1, open_low=True, open_high=True)),
    }
    learned: ClassVar[tuple[str, ...]] = ("centre_", "spread_", "axes_", "variances_", "residual_variance_")

    centre_: NDArray[np.float64]
    spread_: NDArray[np.float64]
    axes_: NDArray[np.float64]
    variances_: NDArray[np.float64]
    residual_variance_: float

    def __init__(self, n_components: float | None = None) -> None:
        self.n_components = n_components

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.centre_, self.spread_ = _centre_and_spread(X)
        variances, axes = _principal_axes(X, self.centre_, self.spread_)
        kept = self._how_many(variances)
        self.variances_ = np.maximum(variances[:kept], FLOOR)
        self.axes_ = np.ascontiguousarray(axes[:kept])
        left_out = X.shape[1] - kept
        mean_left = float(variances[kept:].sum()) / left_out if left_out else math.inf
        self.residual_variance_ = max(mean_left, FLOOR)
        self._restored()

    def _how_many(self, variances: NDArray[np.float64]) -> int:
        if self.n_components is None:
            return int((variances > FLOOR).sum())
        if self.n_components >= 1:
            return min(int(self.n_components), int((variances > 0).sum()))
        covered = np.cumsum(variances)
        return int(np.searchsorted(covered, self.n_components * covered[-1])) + 1 if covered[-1] > 0 else 0

    def _restored(self) -> None:
        a, d = np.size(self.variances_), len(self.features_)
        require_shapes(self, {"centre_": (d,), "spread_": (d,), "axes_": (a, d), "variances_": (a,)})
        require_shapes(self, {"residual_variance_": ()}, finite=False)
        base = np.where(np.abs(self.centre_) <= self.spread_, 0.0, self.centre_.astype(np.float32))
        by_column = np.ascontiguousarray((self.axes_ / self.spread_).T)
        usual = (base - self.centre_) / self.spread_
        self._axes = Axes(
            centre=self.centre_,
            spread=self.spread_,
            base=base,
            by_column=by_column,
            projections=np.ascontiguousarray((self.axes_ * usual).sum(axis=1)),
            precisions=1.0 / self.variances_,
            length=float((usual**2).sum()),
            residual_precision=1.0 / float(self.residual_variance_),
        )

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        distances_along_axes(X, self._axes, scores)
        return scores


def _centre_and_spread(X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    low, high = X.min(axis=0), X.max(axis=0)
    constant = low == high
    centre = np.where(constant, low, X.mean(axis=0, dtype=np.float64))
    squares = sum(((part - centre) ** 2).sum(axis=0) for part in _parts(X))
    return centre, np.where(constant, 1.0, np.sqrt(squares / len(X)))


def _principal_axes(
    X: NDArray[np.float32], centre: NDArray[np.float64], spread: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Variances, largest first, and unit vectors, one a row; with fewer rows than columns only as many as rows."""
    n, d = X.shape
    if n < d:
        _, lengths, axes = np.linalg.svd((X - centre) / spread, full_matrices=False)
        return lengths**2 / n, axes
    correlations = np.zeros((d, d))
    for part in _parts(X):
        standard = (part - centre) / spread
        correlations += standard.T @ standard
    variances, columns = np.linalg.eigh(correlations / n)
    return np.maximum(variances[::-1], 0.0), columns.T[::-1]


def _parts(X: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    return (X[start : start + CHUNK] for start in range(0, len(X), CHUNK))
