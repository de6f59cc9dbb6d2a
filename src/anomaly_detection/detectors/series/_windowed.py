"""What detectors share that look at a window of rows ending at each row: its values, held and standardised."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Range
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores
from anomaly_detection.detectors.series.matrix_profile import window_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

SHORTEST, LONGEST = 3, 10_000
"""Rows of a window."""

NORMAL = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""

FAR = 1e9
"""No standardised value is farther out."""


class Windowed(SeriesDetector):
    """A detector whose score of a row is made of the window that ends there.

    Each channel is standardised by the median and the spread of the training rows. A missing value counts as the one
    before it; a window that lacks more than a quarter of its values is not judged, nor is one before the first whole
    one. Subclasses write ``_learn(windows)`` and ``_judge(windows)``.

    Attributes
    ----------
    frame_ : (2, d) float64, median and spread of each channel.
    tail_ : (w - 1, d) float64, the latest rows, standardised.
    absent_ : (w - 1, d) bool, which of them were missing.
    lacking : a window that lacks more than this share of its values is not judged.
    """

    learned: ClassVar[tuple[str, ...]] = ("frame_", "tail_", "absent_")
    moving: ClassVar[tuple[str, ...]] = ("tail_", "absent_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "window": AnyOf(Choice("auto"), Range(SHORTEST, LONGEST, integer=True)),
    }

    lacking: ClassVar[float] = 0.25

    window: int | str
    frame_: NDArray[np.float64]
    tail_: NDArray[np.float64]
    absent_: NDArray[np.bool_]

    def evidence(self) -> dict[str, Any]:
        """How many rows a window has."""
        return {"window": self._rows}

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: no window reaches back to before the first of them."""
        self.absent_ = np.ones_like(self.absent_)

    @property
    def _rows(self) -> int:
        return len(self.tail_) + 1

    def _fit(self, series: Series) -> None:
        w = self._rows_for(series)
        self.frame_ = np.column_stack([_frame(values) for values in series.values.T])
        self.tail_, self.absent_ = np.zeros((w - 1, series.width)), np.ones((w - 1, series.width), np.bool_)
        windows, lacking = self._latest(series)
        self._learn(windows[w - 1 :][~lacking[w - 1 :]])

    def _rows_for(self, series: Series) -> int:
        """The rows of a window: as asked, or those of a season, of the channel with the shortest."""
        return min(window_for(values, self.window) for values in series.values.T)

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  no row is learned from
        if not len(series):
            return self._judge(np.empty((0, series.width, self._rows)))
        windows, lacking = self._latest(series)
        scores = self._judge(windows)
        scores.score[lacking] = np.nan
        return scores

    def _latest(self, series: Series) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(n, d, w) the window that ends at each row, a view, and (n,) whether it lacks too much; the tail moves on."""
        w, missing = self._rows, np.isnan(series.values)
        standard = np.clip((series.values - self.frame_[0]) / self.frame_[1], -FAR, FAR)
        rows = np.concatenate([self.tail_, _held(standard, self.tail_[-1])])
        absent = np.concatenate([self.absent_, missing])
        total = np.concatenate([[0], np.cumsum(absent.sum(axis=1))])
        lacking: NDArray[np.bool_] = total[w:] - total[:-w] > self.lacking * w * series.width
        self.tail_, self.absent_ = rows[len(rows) - w + 1 :].copy(), absent[len(absent) - w + 1 :].copy()
        return np.lib.stride_tricks.sliding_window_view(rows, w, axis=0), lacking

    @abstractmethod
    def _learn(self, windows: NDArray[np.float64]) -> None:
        """Learn from (k, d, w) whole windows, of which there may be none."""

    @abstractmethod
    def _judge(self, windows: NDArray[np.float64]) -> SeriesScores:
        """Score (n, d, w) windows, each by itself; NaN where nothing was learned."""

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (2, d), "frame_")
        self._require_shapes(np.float64, (None, d), "tail_")
        self._require_shapes(np.bool_, (len(self.tail_), d), "absent_")
        self._require(len(self.tail_) >= SHORTEST - 1, (self.frame_[1] > 0.0).all())
        self._require(not np.isnan(self.frame_).any(), not np.isnan(self.tail_).any())


def _frame(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median and spread of the known values: the median absolute deviation, or what there is in its place."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0
    middle = float(np.median(known))
    return middle, NORMAL * float(np.median(np.abs(known - middle))) or float(known.std()) or 1.0


def _held(values: NDArray[np.float64], latest: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) missing values as the one before them; ``latest`` (d,) comes before all."""
    rows = np.concatenate([latest[None], values])
    place = np.where(np.isnan(rows), 0, np.arange(len(rows))[:, None])
    held: NDArray[np.float64] = np.take_along_axis(rows, np.maximum.accumulate(place, axis=0), axis=0)[1:]
    return held
