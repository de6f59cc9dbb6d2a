"""Seasonal EWMA: distance from a level that moves along plus what the place of the season adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._seasonal_kernels import advance_seasons
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.detectors.series.ewma import FEWEST
from anomaly_detection.features.series.calendar import civil

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

BEGIN = 4
"""Level and season begin as the means of so many rounds."""


class SeasonalEWMA(SeriesDetector):
    """A control chart with a season: a level that moves along, and what each place of the season adds to it.

    This is additive exponential smoothing: the level moves with every row, so that a shift is followed, and by a slope
    that is learned slowly; what a place adds moves from round to round. The scale of a place is a mean absolute
    deviation, times 1.2533, which borrows from all places while few values were seen there. A value moves them as if it
    were at most 3 scales away. The place of a row comes from its time on the clock of the zone, so that neither gaps
    nor daylight saving shift it. Rows above the line are not learned from, unless most of the last 20 are.

    Parameters
    ----------
    period : rows of the season.
    span : the memory of the level: a value of so many rows ago weighs about 1 / e; two seasons at least.
    rounds : the memory of a place in seasons.

    Attributes
    ----------
    season_ : (period, 3, d) float64, what each place adds, mean absolute deviation there, values seen.
    level_ : (4, d) float64, level, mean absolute deviation, values seen, and what a row adds, of each channel.
    above_ : (1,) float64, the share of the latest rows that scored above the line.

    References
    ----------
    Winters: Forecasting Sales by Exponentially Weighted Moving Averages. Management Science 6(3), 1960.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> hours = np.arange(1000)
    >>> noise = np.random.default_rng(0).normal(0.0, 0.2, size=1000)
    >>> series = Series.of(np.sin(2 * np.pi * hours / 24) + 0.01 * hours + noise, 3_600_000_000)
    >>> series.values[906] -= 2.0
    >>> scores = SeasonalEWMA(period=24).fit(series[:800]).advance(series[800:])
    >>> int(np.argmax(scores.score)), bool(abs(scores.expected[106, 0] - series.values[882, 0]) < 1.0)
    (106, True)
    """

    tags: ClassVar[SeriesTags] = SeriesTags(expects=True)
    learned: ClassVar[tuple[str, ...]] = ("season_", "level_", "above_")
    moving: ClassVar[tuple[str, ...]] = learned
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "period": Range(1, 100_000, integer=True),
        "span": Range(FEWEST, 1e9),
        "rounds": Range(FEWEST, 1e9),
    }

    season_: NDArray[np.float64]
    level_: NDArray[np.float64]
    above_: NDArray[np.float64]

    def __init__(self, period: int = 24, span: float = 100.0, rounds: float = 30.0) -> None:
        self.period = period
        self.span = span
        self.rounds = rounds

    def _fit(self, series: Series) -> None:
        self.above_ = np.zeros(1)
        first = series[: BEGIN * self.period]
        place, level, slope = self._place(first), _mean(first.values), self._slope(first.values)
        rest = first.values - level - slope * (np.arange(len(first)) - 0.5 * (len(first) - 1))[:, None]
        self.season_ = np.zeros((self.period, 3, series.width))
        for one in np.unique(place).tolist():
            self.season_[one, 0] = np.nan_to_num(_mean(rest[place == one]))
            self.season_[one, 2] = (~np.isnan(rest[place == one])).any(axis=0)
        away = _mean(np.abs(rest - self.season_[place, 0]))
        spread = np.nan_to_num(away) * len(first) / max(len(first) - self.period, 1)
        self.season_[:, 1] = spread
        known = np.minimum((~np.isnan(first.values)).sum(axis=0), FEWEST).astype(np.float64)
        start = np.nan_to_num(level) - slope * 0.5 * (len(first) + 1)
        self.level_ = np.stack([start, spread, known, slope])
        self._advance(series, np.inf)

    def _slope(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(d,) what a row adds, from the difference of two halves of whole rounds; 0 where there are not two rounds."""
        half = len(values) // (2 * self.period) * self.period
        if not half:
            return np.zeros(values.shape[1])
        slope: NDArray[np.float64] = np.nan_to_num((_mean(values[half : 2 * half]) - _mean(values[:half])) / half)
        return slope

    def _place(self, series: Series) -> NDArray[np.int64]:
        place: NDArray[np.int64] = (civil(series.time, self.zone_) // self.step_) % self.period
        return place

    def _advance(self, series: Series, line: float) -> SeriesScores:
        n, d = series.values.shape
        score, told, side = np.empty(n), np.empty((3, n, d)), np.zeros(n, np.int8)
        spans = max(float(self.span), 2.0 * self.period), float(self.rounds)
        values = np.require(series.values, np.float64, ["C", "W"])
        place = self._place(series)
        advance_seasons(values, place, self.season_, self.level_, self.above_, spans, line, score, told, side)
        return SeriesScores(score, told[0], told[1], np.nan_to_num(told[2]), side)

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (self.period, 3, d), "season_")
        self._require_shapes(np.float64, (4, d), "level_")
        self._require_shapes(np.float64, (1,), "above_")
        self._require(not np.isnan(self.season_).any(), (self.season_[:, 1:] >= 0.0).all())
        self._require(not np.isnan(self.level_).any(), (self.level_[1:3] >= 0.0).all(), 0.0 <= self.above_[0] <= 1.0)


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) the mean of the known values of each channel, NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: NDArray[np.float64] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
