"""EWMA: distance from an exponentially weighted level, in units of an exponentially weighted scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._ewma_kernels import advance_levels
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

FEWEST = 5
"""A channel says nothing before it has seen so many values."""


class EWMA(SeriesDetector):
    """A control chart that moves along: how far a value is from the level of late, in scales of late.

    The level of a channel is an exponentially weighted mean, its scale an exponentially weighted mean absolute
    deviation, times 1.2533, which makes it a standard deviation for normal values. Both are robust: a value moves them
    as if it were at most 3 scales away. At first, all values weigh alike. The score of a row is the largest distance of
    its channels. Where a channel never varied, another value has the distance 1000. A missing value is left out.
    Rows above the line are not learned from, unless most of the last 20 are: what lasts is the new normal.

    Parameters
    ----------
    span : a value of so many rows ago weighs about 1 / e of the latest.

    Attributes
    ----------
    chart_ : (3, d) float64, level, mean absolute deviation, and values seen, at most ``span``, of each channel.
    above_ : (1,) float64, the share of the latest rows that scored above the line.

    References
    ----------
    Roberts: Control Chart Tests Based on Geometric Moving Averages. Technometrics 1(3), 1959.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(20.0, 2.0, size=300)
    >>> values[250] = 35.0
    >>> series = Series.of(values)
    >>> scores = EWMA().fit(series[:200]).advance(series[200:])
    >>> int(np.argmax(scores.score)), scores.side[50], scores.expected[50].round(0)
    (50, np.int8(1), array([20.]))
    """

    tags: ClassVar[SeriesTags] = SeriesTags(expects=True)
    learned: ClassVar[tuple[str, ...]] = ("chart_", "above_")
    moving: ClassVar[tuple[str, ...]] = ("chart_", "above_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"span": Range(FEWEST, 1e9)}

    chart_: NDArray[np.float64]
    above_: NDArray[np.float64]

    def __init__(self, span: float = 100.0) -> None:
        self.span = span

    def blank(self, names: tuple[str, ...], zone: str | None = None) -> Self:
        """A chart that has seen nothing yet, fitted on no rows: it says nothing before it has seen a few."""
        self.validate()
        self.names_, self.step_, self.zone_ = names, 1, zone
        self.until_ = int(np.iinfo(np.int64).min)
        self.chart_, self.above_ = np.zeros((3, len(names))), np.zeros(1)
        return self

    def _fit(self, series: Series) -> None:
        self.chart_, self.above_ = np.zeros((3, series.width)), np.zeros(1)
        self._advance(series, np.inf)

    def _advance(self, series: Series, line: float) -> SeriesScores:
        n, d = series.values.shape
        score, side = np.empty(n), np.zeros(n, np.int8)
        expected, scale, distance = np.empty((n, d)), np.empty((n, d)), np.empty((n, d))
        values = np.require(series.values, np.float64, ["C", "W"])
        advance_levels(
            values,
            self.chart_,
            self.above_,
            float(self.span),
            float(FEWEST),
            line,
            score,
            expected,
            scale,
            distance,
            side,
        )
        return SeriesScores(score, expected, scale, np.nan_to_num(distance), side)

    def _restored(self) -> None:
        self._require_shapes(np.float64, (3, len(self.names_)), "chart_")
        self._require_shapes(np.float64, (1,), "above_")
        self._require(not np.isnan(self.chart_).any(), 0.0 <= self.above_[0] <= 1.0, (self.chart_[1:] >= 0.0).all())
