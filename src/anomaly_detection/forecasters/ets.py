"""ETS: exponential smoothing with a level, a trend that is damped, and a season, all of which follow the series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.forecasters._ets_kernels import smooth, try_out
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags, origins
from anomaly_detection.forecasters.seasonal_naive import SEASON
from anomaly_detection.forecasters.seasons import filled, main_season

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

LEVELS = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
"""Rates of the level that are tried."""

TRENDS = ((0.0, 0.0), (0.05, 0.9), (0.05, 0.98), (0.2, 0.98))
"""Rates of the trend, in rates of the level, with how much of it stays; the first is no trend."""

SEASONS = (0.02, 0.1, 0.3)
"""Rates of the season, in what the level leaves."""

ROUNDS = 3
"""A season has to go round so many times; the first two of it start the state."""


class ETS(Forecaster):
    """Exponential smoothing: a level, a damped trend and an additive season that follow the series row by row.

    Rates are chosen among 28, or 84 with a season, by the errors of forecasts from earlier moments over the whole
    horizon; where the history is too short for those, by the errors one row ahead. A value moves the state as if it
    were at most three scales away, so that outliers pass without a trace.

    Parameters
    ----------
    season : after how many rows it repeats; None finds it; 1 is none.
    horizon : for how many rows ahead it is tried out and bands are measured; None is an eighth of the history.

    Attributes
    ----------
    rates_ : (d, 4) of level, trend and season, and how much of the trend stays.
    smooth_ : (d, 3 + season) level, trend, scale and season; the season begins with that of row 0 of the history.

    References
    ----------
    Gardner, McKenzie: Forecasting Trends in Time Series. Management Science 31(10), 1985.
    Gelper, Fried, Croux: Robust Forecasting with Exponential and Holt-Winters Smoothing. J. Forecasting 29(3), 2010.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> ETS().fit(Series.of(np.arange(40.0) % 4)).predict(4).mean.ravel().round(3) + 0.0
    array([0., 1., 2., 3.])
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(updates=True)
    learned: ClassVar[tuple[str, ...]] = ("rates_", "smooth_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"season": SEASON, "horizon": HORIZON}

    rates_: NDArray[np.float64]
    smooth_: NDArray[np.float64]
    seen_: int

    def __init__(self, season: int | None = None, horizon: int | None = None) -> None:
        self.season = season
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The season, and the rates of the channels."""
        names = ("level", "trend", "season", "stays")
        rates = [dict(zip(names, map(float, row), strict=True)) for row in self.rates_]
        return {"season": self.smooth_.shape[1] - 3, "rates": rates}

    def _measure(self, series: Series, horizon: int) -> None:
        length = main_season(series, self.season, ROUNDS)
        starts = np.array(origins(len(series), horizon, self.windows, 2 * length + 2), dtype=np.int64)
        self.seen_ = len(series)
        found = [self._channel(series.values[:, k], length, starts, horizon) for k in range(series.width)]
        self.rates_ = np.array([rates for rates, _, _ in found])
        self.smooth_ = np.array([state for _, state, _ in found])
        self.errors_ = np.stack([errors for _, _, errors in found], axis=2)
        self._keep_bands(series, horizon)

    def _channel(
        self, values: NDArray[np.float64], length: int, starts: NDArray[np.int64], horizon: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """The best rates of a channel, its state after the last row, and the errors from each start."""
        values = np.ascontiguousarray(values)
        first, best = _first_state(values, length), np.inf
        found: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]] | None = None
        for rates in _rates(length):
            state, errors = first.copy(), np.full((len(starts), horizon), np.nan)
            size = smooth(values, rates, state, min(2 * length, len(values) // 2), starts, horizon, errors)
            if np.isfinite(errors).any():
                size = float(np.nanmean(np.abs(errors)))
            if found is None or size < best * (1.0 - 1e-9):
                best, found = size, (rates, state, errors)
        if found is None:
            raise AssertionError("There are always rates to try.")
        return found

    def _fit(self, series: Series) -> None:
        self._measure(series, 1)

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        return level_ahead(self.rates_, self.smooth_, horizon, self.seen_)

    def _update(self, series: Series) -> None:
        take_in(series.values, self.rates_, self.smooth_, self.seen_)
        self.seen_ += len(series)

    def _own(self) -> dict[str, Any]:
        return {"seen": self.seen_}

    def _take(self, own: Mapping[str, Any]) -> None:
        self.seen_ = int(own["seen"])


def _rates(length: int) -> list[NDArray[np.float64]]:
    seasons = SEASONS if length > 1 else (0.0,)
    return [
        np.array([level, level * trend, (1.0 - level) * season, stays])
        for level in LEVELS
        for trend, stays in TRENDS
        for season in seasons
    ]


def _first_state(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(3 + m,) a state to begin with, from the first two seasons, or the first ten values."""
    begin = values[: max(2 * length, 10)]
    if np.isnan(begin).all():
        begin = values[~np.isnan(values)][:10]
    middle = float(np.nanmedian(begin))
    season = np.zeros(length)
    if length > 1:
        rows = filled(begin[: 2 * length, None], length)[:, 0]
        season = (rows - middle).reshape(2, length).mean(axis=0)
        rest = rows - middle - np.tile(season, 2)
    else:
        rest = begin[~np.isnan(begin)] - middle
    return np.concatenate([[middle, 0.0, float(np.abs(rest).mean())], season])


def level_ahead(
    rates: NDArray[np.float64], states: NDArray[np.float64], horizon: int, seen: int = 0
) -> NDArray[np.float64]:
    """(horizon, d) what states expect after ``seen`` rows of history."""
    mean = np.empty((horizon, len(rates)))
    nothing = np.zeros(seen % (states.shape[1] - 3) + horizon)
    for k, (one, state) in enumerate(zip(rates, states, strict=True)):
        ahead = np.empty(horizon)
        try_out(nothing, one, state, len(nothing) - horizon, horizon, ahead)
        mean[:, k] = -ahead
    return mean


def take_in(
    values: NDArray[np.float64], rates: NDArray[np.float64], states: NDArray[np.float64], seen: int = 0
) -> None:
    """Let states follow (n, d) values that come after ``seen`` rows of history; they are changed in place."""
    turned = seen % (states.shape[1] - 3)
    for k in range(len(rates)):
        state = np.concatenate([states[k, :3], np.roll(states[k, 3:], -turned)])
        channel = np.ascontiguousarray(values[:, k])
        smooth(channel, rates[k], state, 0, np.empty(0, np.int64), 1, np.empty((0, 1)))
        states[k] = np.concatenate([state[:3], np.roll(state[3:], turned)])
