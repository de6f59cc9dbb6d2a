"""Flatline: a channel that stands still, or is not there, for longer than it ever was."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.detectors.series._still_kernels import advance_still
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

NEVER = np.iinfo(np.int64).min
"""The time of the last row where there is none."""


class Flatline(SeriesDetector):
    """How long a value has not changed, and how long there was none, against the longest time of the training rows.

    The score of a row is the larger ratio of its channels: 1 as long as the longest stretch in training. A channel that
    never changed in training may stand still. A gap is told by the first row after it, by its time, and by rows whose
    value is missing.

    Attributes
    ----------
    longest_ : (2, d) float64, the most rows without a change and steps without a value in training.
    last_ : (3, d) the last value, rows that it has stood, and steps without one.
    clock_ : (1,) int64, the time of the last row.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(size=300)
    >>> values[250:270] = values[250]
    >>> score = Flatline().fit(Series.of(values[:200])).advance(Series.of(values)[200:]).score
    >>> int(np.argmax(score)), float(score.max())
    (69, 20.0)
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ("longest_", "last_", "clock_")
    moving: ClassVar[tuple[str, ...]] = ("last_", "clock_")

    longest_: NDArray[np.float64]
    last_: NDArray[np.float64]
    clock_: NDArray[np.int64]

    def _fit(self, series: Series) -> None:
        self.last_ = np.stack([np.full(series.width, np.nan), np.zeros(series.width), np.zeros(series.width)])
        self.clock_ = np.array([series.time[0] - series.step])
        most = self._still(series).max(axis=1)
        most[0, most[0] >= np.maximum((~np.isnan(series.values)).sum(axis=0), 1)] = np.inf
        self.longest_ = np.maximum(most, 1.0)

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: nothing has stood still yet, and there was no gap."""
        self.last_ = np.stack([np.full(len(self.names_), np.nan), *np.zeros((2, len(self.names_)))])
        self.clock_ = np.full(1, NEVER)

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  nothing is learned from any row
        ratio = (self._still(series) / self.longest_[:, None]).max(axis=0)
        return SeriesScores(ratio.max(axis=1), contributions=ratio)

    def _still(self, series: Series) -> NDArray[np.float64]:
        """(2, n, d) rows without a change and steps without a value; the rows are then the last ones."""
        if not len(series):
            return np.empty((2, *series.values.shape))
        before = series.time[:1] - series.step if self.clock_[0] == NEVER else self.clock_
        steps = np.diff(series.time, prepend=before) / series.step
        still = np.empty((2, *series.values.shape))
        advance_still(series.values, steps, self.last_, still)
        self.clock_ = series.time[-1:].copy()
        return still

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (3, d), "last_")
        self._require_shapes(np.int64, (1,), "clock_")
        self._require(np.shape(self.longest_) == (2, d), (np.asarray(self.longest_) >= 1.0).all())
