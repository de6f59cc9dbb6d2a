"""Sub-PCA: windows that the usual shapes of a series cannot put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors._pca_kernels import Axes, distances_along_axes
from anomaly_detection.detectors.series._windowed import Windowed
from anomaly_detection.detectors.series.base import SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

FLOOR = 1e-4
"""The error that is usual is at least so much, in squared spreads of a value."""

MOST = 20_000
"""Axes are found from so many windows at most, evenly chosen."""


class SubPCA(Windowed):
    """How much of the window that ends at a row is not made of the principal shapes of the training windows.

    The window is put together again of the few shapes that explain most of the training windows; the score is the root
    of the mean squared error, in units of what that was in training. A window without enough values is not judged.

    Parameters
    ----------
    window : rows of a window, at least 3; ``"auto"`` is the length of the season in training, or 50 without one.
    share : the principal shapes explain this share of the variance of the training windows.

    Attributes
    ----------
    centre_ : (w,) float64, the mean window.
    axes_ : (a, w) float64, the shapes, unit length; none where no training window is whole.
    usual_ : (1,) float64, the mean squared error in training; 0 where no training window is whole.

    References
    ----------
    Aggarwal: Outlier Analysis, chapter 9. Springer 2017. Paparrizos et al.: TSB-UAD, an End-to-End Benchmark Suite for
    Univariate Time-Series Anomaly Detection. VLDB 2022.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) * 2 * np.pi / 24) + np.random.default_rng(0).normal(0.0, 0.05, size=600)
    >>> values[500:512] = values[500]
    >>> detector = SubPCA().fit(Series.of(values[:400]))
    >>> int(np.argmax(detector.advance(Series.of(values)[400:]).score)) in range(100, 136)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags(multivariate=False)
    learned: ClassVar[tuple[str, ...]] = (*Windowed.learned, "centre_", "axes_", "usual_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        **Windowed.constraints,
        "share": Range(0, 1, open_low=True, open_high=True),
    }

    centre_: NDArray[np.float64]
    axes_: NDArray[np.float64]
    usual_: NDArray[np.float64]

    def __init__(self, window: int | str = "auto", share: float = 0.99) -> None:
        self.window = window
        self.share = share

    def _learn(self, windows: NDArray[np.float64]) -> None:
        rows = windows[:: max(1, -(-len(windows) // MOST)), 0]
        self.centre_, self.axes_, self.usual_ = np.zeros(self._rows), np.empty((0, self._rows)), np.zeros(1)
        if not len(rows):
            self._restored()
            return
        self.centre_ = rows.mean(axis=0)
        away = rows - self.centre_
        variances, columns = np.linalg.eigh(away.T @ away / len(rows))
        covered = np.cumsum(np.maximum(variances[::-1], 0.0))
        kept = int(np.searchsorted(covered, self.share * covered[-1])) + 1 if covered[-1] > 0.0 else 0
        self.axes_ = np.ascontiguousarray(columns.T[::-1][:kept])
        self._restored()
        self.usual_ = np.array([max(float(self._errors(rows).mean()), FLOOR)])

    def _errors(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) the mean squared error of (n, w) windows."""
        errors = np.empty(len(rows))
        distances_along_axes(rows.astype(np.float32), self._axes, errors)
        return errors / self._rows

    def _judge(self, windows: NDArray[np.float64]) -> SeriesScores:
        if self.usual_[0] == 0.0:
            return SeriesScores(np.full(len(windows), np.nan))
        return SeriesScores(np.sqrt(self._errors(windows[:, 0]) / self.usual_[0]))

    def _restored(self) -> None:
        super()._restored()
        w = self._rows
        self._require_shapes(np.float64, (w,), "centre_")
        self._require_shapes(np.float64, (None, w), "axes_")
        self._require_shapes(np.float64, (1,), "usual_")
        self._require(self.usual_[0] >= 0.0, not np.isnan(self.axes_).any(), not np.isnan(self.centre_).any())
        self._axes = Axes(
            centre=self.centre_,
            spread=np.ones(w),
            base=np.zeros(w),
            by_column=np.ascontiguousarray(self.axes_.T),
            projections=-(self.axes_ * self.centre_).sum(axis=1),
            precisions=np.zeros(len(self.axes_)),
            length=float((self.centre_**2).sum()),
            residual_precision=1.0,
        )
