"""STL: a season and a trend by robust local regression; the season stays, the rest is smoothed exponentially."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.features.series.series import Series
from anomaly_detection.forecasters._loess_kernels import loess
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags
from anomaly_detection.forecasters.ets import ETS, level_ahead, take_in
from anomaly_detection.forecasters.seasonal_naive import SEASON
from anomaly_detection.forecasters.seasons import filled, main_season

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

ROBUST = 2
"""Values are weighed by their remainders so many times."""

INNER = 2
"""Season and trend take turns so many times each."""

SEASONAL_SPAN = 11
"""So many seasons belong to a local line of the season."""


class STL(Forecaster):
    """Seasonal decomposition: the season of the last round goes on, and what is left is forecast by smoothing.

    Cleveland's procedure: the rows at the same place of the season are smoothed by local regression, what is slow is
    taken out of them, and the rest is smoothed into a trend; twice, and then again with weights that are smaller the
    further a value is from season and trend.

    Parameters
    ----------
    season : after how many rows it repeats; None finds it.
    horizon : for how many rows ahead bands are measured; None is an eighth of the history.

    Attributes
    ----------
    season_ : (season, d) the last round of it.
    rates_, smooth_ : those of the :class:`~anomaly_detection.forecasters.ets.ETS` of the rest.

    References
    ----------
    Cleveland, Cleveland, McRae, Terpenning: STL: A Seasonal-Trend Decomposition Procedure Based on Loess. Journal of
    Official Statistics 6(1), 1990.

    Examples
    --------
    >>> series = Series.of(np.arange(60.0) % 6)
    >>> STL().fit(series).predict(3).mean.ravel().round(2) + 0.0
    array([0., 1., 2.])
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(updates=True)
    learned: ClassVar[tuple[str, ...]] = ("season_", "rates_", "smooth_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"season": SEASON, "horizon": HORIZON}

    season_: NDArray[np.float64]
    rates_: NDArray[np.float64]
    smooth_: NDArray[np.float64]

    def __init__(self, season: int | None = None, horizon: int | None = None) -> None:
        self.season = season
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The season."""
        return {"season": len(self.season_)}

    def _measure(self, series: Series, horizon: int) -> None:
        self._length = main_season(series, self.season)
        super()._measure(series, horizon)

    def _fit(self, series: Series) -> None:
        length = min(self._length, len(series) // 2)
        values = filled(series.values, max(1, length))
        seasons = [decompose(column, length)[0] if length > 1 else np.zeros(len(column)) for column in values.T]
        season = np.column_stack(seasons)
        self.season_ = season[-max(1, length) :].copy()
        rest = Series(np.ascontiguousarray(series.values - season), series.time, series.step, series.names, series.zone)
        fitted = ETS(season=1).fit(rest)
        self.rates_, self.smooth_ = fitted.rates_, fitted.smooth_

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        return level_ahead(self.rates_, self.smooth_, horizon) + self.season_[np.arange(horizon) % len(self.season_)]

    def _update(self, series: Series) -> None:
        turned = len(series) % len(self.season_)
        season = self.season_[np.arange(len(series)) % len(self.season_)]
        take_in(series.values - season, self.rates_, self.smooth_)
        self.season_ = np.roll(self.season_, -turned, axis=0)


def decompose(values: NDArray[np.float64], length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Season and trend, each (n,), of (n,) values without missing ones; their rest is what neither explains."""
    n = len(values)
    slow = _odd(max(3, int(np.ceil(1.5 * length / (1.0 - 1.5 / SEASONAL_SPAN)))))
    weights, trend, season = np.ones(n), np.zeros(n), np.zeros(n)
    for _ in range(ROBUST + 1):
        for _ in range(INNER):
            rough = _by_place(values - trend, weights, length)
            fast = rough[length : length + n]
            season = fast - _slow_part(rough, length, n)
            loess(values - season, weights, slow, 0, 0, trend)
        rest = np.abs(values - season - trend)
        reach = 6.0 * float(np.median(rest))
        weights = np.clip(1.0 - (rest / reach) ** 2, 0.0, 1.0) ** 2 if reach > 0.0 else np.ones(n)
    return season, trend


def _by_place(values: NDArray[np.float64], weights: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(n + 2 length,) the rows at each place of the season, smoothed, and carried on by one season at both ends."""
    smoothed = np.empty(len(values) + 2 * length)
    for place in range(length):
        rows = np.ascontiguousarray(values[place::length])
        out = np.empty(len(rows) + 2)
        loess(rows, np.ascontiguousarray(weights[place::length]), SEASONAL_SPAN, 1, 1, out)
        smoothed[place::length][: len(out)] = out
    return smoothed


def _slow_part(rough: NDArray[np.float64], length: int, n: int) -> NDArray[np.float64]:
    """(n,) what is slow in seasons: means over seasons, twice, over three rows, and a local regression."""
    means = rough
    for width in (length, length, 3):
        sums = np.concatenate([[0.0], np.cumsum(means)])
        means = (sums[width:] - sums[:-width]) / width
    slow = np.empty(n)
    loess(np.ascontiguousarray(means[:n]), np.ones(n), _odd(length), 0, 0, slow)
    return slow


def _odd(span: int) -> int:
    return span + 1 - span % 2
