"""Seasonal profile: distance from what is usual at this place of the season."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Range
from anomaly_detection.detectors.series._ewma_kernels import advance_levels
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.detectors.series.ewma import FEWEST
from anomaly_detection.features.series.periods import season_lengths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

ROUNDS = 2 * FEWEST
"""A season is used if the training rows go round it so often."""


class SeasonalProfile(SeriesDetector):
    """A robust level and scale for each place of the season: Monday nine o'clock against Mondays at nine.

    Each place has the chart of :class:`~anomaly_detection.detectors.series.ewma.EWMA`, which moves along from round to
    round; the place of a row comes from its time, so that gaps do not shift it. Without a season there is one place.

    Parameters
    ----------
    period : rows of the season; ``"auto"`` takes the strongest that the training rows go round ten times.
    rounds : a value of so many rounds ago weighs about 1 / e of the latest.

    Attributes
    ----------
    chart_ : (period, 3, d) float64, level, mean absolute deviation and values seen of each place.
    above_ : (period, 1) float64, the share of the latest rows of each place that scored above the line.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> hours = np.arange(1000)
    >>> noise = np.random.default_rng(0).normal(0.0, 0.2, size=1000)
    >>> series = Series.of(np.sin(2 * np.pi * hours / 24) + noise, 3_600_000_000)
    >>> series.values[906] = -series.values[906]
    >>> detector = SeasonalProfile().fit(series[:800])
    >>> detector.evidence(), int(np.argmax(detector.advance(series[800:]).score))
    ({'period': 24}, 106)
    """

    tags: ClassVar[SeriesTags] = SeriesTags(expects=True)
    learned: ClassVar[tuple[str, ...]] = ("chart_", "above_")
    moving: ClassVar[tuple[str, ...]] = ("chart_", "above_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "period": AnyOf(Choice("auto"), Range(1, 100_000, integer=True)),
        "rounds": Range(FEWEST, 1e9),
    }

    chart_: NDArray[np.float64]
    above_: NDArray[np.float64]

    def __init__(self, period: int | str = "auto", rounds: float = 30.0) -> None:
        self.period = period
        self.rounds = rounds

    def evidence(self) -> dict[str, Any]:
        """The rows of the season, 1 for none."""
        return {"period": len(self.chart_)}

    def _fit(self, series: Series) -> None:
        period = self._period(series)
        self.chart_, self.above_ = np.zeros((period, 3, series.width)), np.zeros((period, 1))
        self._advance(series, np.inf)

    def _period(self, series: Series) -> int:
        if not isinstance(self.period, str):
            return int(self.period)
        found = [one for k in range(series.width) for one in season_lengths(series.values[:, k], series.step)]
        long = [(strength, length) for length, strength in found if length * ROUNDS <= len(series)]
        return max(long, default=(0.0, 1))[1]

    def _advance(self, series: Series, line: float) -> SeriesScores:
        n, d = series.values.shape
        score, side = np.empty(n), np.zeros(n, np.int8)
        expected, scale, distance = np.empty((n, d)), np.empty((n, d)), np.empty((n, d))
        place = (series.time // self.step_) % len(self.chart_)
        for one in np.unique(place).tolist():
            rows = np.flatnonzero(place == one)
            parts = score[rows], expected[rows], scale[rows], distance[rows], side[rows]
            values, chart, above = series.values[rows], self.chart_[one], self.above_[one]
            advance_levels(values, chart, above, float(self.rounds), float(FEWEST), line, *parts)
            score[rows], expected[rows], scale[rows], distance[rows], side[rows] = parts
        return SeriesScores(score, expected, scale, np.nan_to_num(distance), side)

    def _restored(self) -> None:
        self._require_shapes(np.float64, (None, 3, len(self.names_)), "chart_")
        self._require_shapes(np.float64, (len(self.chart_), 1), "above_")
        self._require(len(self.chart_) > 0, not np.isnan(self.chart_).any(), (self.chart_[:, 1:] >= 0.0).all())
