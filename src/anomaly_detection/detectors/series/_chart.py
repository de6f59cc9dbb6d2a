"""The control chart that says what values were expected to be, where another detector judges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from anomaly_detection.detectors.series._surprise import worth
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.detectors.series.seasonal_ewma import SeasonalEWMA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anomaly_detection.detectors.series.base import SeriesScores
    from anomaly_detection.features.series.series import Series

Chart: TypeAlias = EWMA | SeasonalEWMA


def chart_of(span: float, period: int) -> Chart:
    """An unfitted chart: with a season of so many rows, or without for 1."""
    return EWMA(span) if period == 1 else SeasonalEWMA(period, span)


def name_of_chart(chart: Chart) -> str:
    """Its name in the catalog."""
    return "ewma" if isinstance(chart, EWMA) else "seasonal_ewma"


def charted(series: Series, score: NDArray[np.float64], span: float, period: int) -> SeriesScores:
    """Scores of a whole file with what a chart expects beside them, its scale made comparable.

    A chart with a season learns it from the whole file first.
    """
    chart = EWMA(span).blank(series.names, series.zone) if period == 1 else SeasonalEWMA(period, span).fit(series)
    chart.until_ = int(series.time[0]) if len(series) else chart.until_
    found = replace(chart.advance(series), score=score)
    return replace(found, scale=None if found.scale is None else found.scale * worth(series.values, found))
