"""Fourier: seasons of the calendar and a trend that changes, fitted robustly to thousands of series at once."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.forecasters._fourier_design import KNOTS, Design, Wave, design_of
from anomaly_detection.forecasters._fourier_fit import (
    FLAT,
    FREE,
    HINGE,
    WAVE,
    WAYS,
    Fits,
    Model,
    fit_channels,
    gone_on,
    leaning,
)
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags, origins
from anomaly_detection.forecasters.holidays import read_holidays
from anomaly_detection.forecasters.timeline import times_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

ADDED = (
    "nothing",
    "their latest level",
    "their level in a season",
    "their latest level, fading",
    "those of one season ago",
)
"""What is added of the latest residuals, in the order of the kernels."""

MOST_RING = 2_016
"""At most so many of the latest residuals are kept."""

CHUNK = 64
"""So many channels are fitted at a time: what they need stays in the cache."""


class Fourier(Forecaster):
    """Daily, weekly, monthly and yearly seasons in civil time, a trend that may change, and what is left of late.

    Seasons are sums of waves; the week has enough of them for each of its days to have a shape of its own. A season is
    used once the history has gone round it often enough; others are looked for in the rows. The trend is a line that
    may bend at 12 moments. Waves and bends are drawn to 0, fast waves more than slow ones. Values far from the fit
    count as if they were nearer (Huber), so that outliers do not matter.

    How to go on is decided for each channel by forecasts from earlier moments: whether the slope goes on, whether it
    changed before, and what of the latest residuals stays: nothing, their level, fading or not, or those of one season
    ago; and whether there is a season at all. The ways are averaged, by their errors to the power of -8.

    Parameters
    ----------
    holidays : dates such as ``("2025-12-25", "2026-12-25")``, those to come included, or a country such as ``"DE"``
        or ``"US-CA"`` (package ``holidays``, extra ``forecast``).
    knots : the trend may bend so many times.
    horizon : for how many rows ahead it is tried out and bands are measured; None is an eighth of the history.

    Attributes
    ----------
    level_, slope_, waves_, ring_, weight_ : see :class:`~anomaly_detection.forecasters._fourier_fit.Fits`.
    design_ : how moments become columns.

    References
    ----------
    Huber, Ronchetti: Robust Statistics, 2nd ed., chapter 7.8 (modified residuals). Wiley, 2009.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> hours = np.arange(24 * 28)
    >>> series = Series.of(20 + 5 * np.sin(hours * np.pi / 12), step=3_600_000_000)
    >>> Fourier().fit(series).predict(7).mean[6].round(2)
    array([25.])
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(updates=True)
    learned: ClassVar[tuple[str, ...]] = ("level_", "slope_", "waves_", "ring_", "weight_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"knots": Range(0, 100, integer=True), "horizon": HORIZON}

    level_: NDArray[np.float64]
    slope_: NDArray[np.float64]
    waves_: NDArray[np.float64]
    ring_: NDArray[np.float64]
    weight_: NDArray[np.float64]
    design_: Design
    seen_: int

    def __init__(self, holidays: Any = None, knots: int = KNOTS, horizon: int | None = None) -> None:
        self.holidays = holidays
        self.knots = knots
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The seasons, and the way to go on that counts most in the most channels."""
        names = [one.season or f"{one.rows:g} rows" for one in self.design_.waves]
        counts = np.bincount(np.argmax(self.weight_, axis=1), minlength=len(WAYS))
        model, trend, added = WAYS[int(np.argmax(counts))]
        return {
            "seasons": names,
            "trend": "none" if model == FLAT or not trend else "bends" if model == FREE else "a line",
            "latest_residuals": ADDED[added],
            "seasonal": bool(model != FLAT),
        }

    def _measure(self, series: Series, horizon: int) -> None:
        self.design_ = design_of(series, self.knots, read_holidays(self.holidays, series))
        self.seen_ = len(series)
        starts = origins(len(series), horizon, self.windows, self.fewest_rows)
        time = np.concatenate([series.time, times_after(series, horizon)])
        trend, waves = self.design_.trend(len(series)), self.design_.seasons(time, 0)
        columns = np.hstack([trend, waves[: len(series)]])
        found: list[tuple[NDArray[np.int64], Fits]] = []
        for rows, channels in _alike(series.values):
            model = Model(
                columns[rows],
                waves,
                rows,
                len(series),
                trend.shape[1],
                np.array(self.design_.knots) * (len(series) - 1),
                self.design_.penalties(HINGE, WAVE),
                _ring(self.design_, len(series)),
                self.design_.is_holiday(series.time[rows]),
            )
            for first in range(0, len(channels), CHUNK):
                some = channels[first : first + CHUNK]
                Y = np.ascontiguousarray(series.values[np.ix_(rows, some)].T)
                found.append((some, fit_channels(model, Y, starts, horizon)))
        self._join(found)
        self._keep_bands(series, horizon)

    def _join(self, found: list[tuple[NDArray[np.int64], Fits]]) -> None:
        """Put what was learned of groups of channels in the order of the channels."""
        order = np.argsort(np.concatenate([channels for channels, _ in found]))
        fits = [fits for _, fits in found]
        self.level_ = np.concatenate([one.level for one in fits], axis=1)[:, order]
        self.slope_ = np.concatenate([one.slope for one in fits], axis=1)[:, order]
        self.waves_ = np.concatenate([one.waves for one in fits], axis=1)[:, order]
        self.ring_ = np.concatenate([one.ring for one in fits], axis=1)[:, order]
        self.weight_ = np.concatenate([one.weight for one in fits])[order]
        errors = np.concatenate([one.errors for one in fits])[order]
        self.errors_ = np.ascontiguousarray(errors.transpose(1, 2, 0))

    def _fit(self, series: Series) -> None:
        self._measure(series, 1)

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        columns = self.design_.seasons(times_after(self._last(), horizon), self.seen_)
        mean = np.empty((horizon, self.level_.shape[1]))
        for first in range(0, mean.shape[1], CHUNK):
            some = slice(first, first + CHUNK)
            weight, season = np.ascontiguousarray(self.weight_[some].T), self.waves_[:, some] @ columns.T
            level, slope, ring = (np.ascontiguousarray(one[:, some]) for one in (self.level_, self.slope_, self.ring_))
            mean[:, some] = gone_on(weight, level, slope, season, leaning(ring), ring).T
        return mean

    def _update(self, series: Series) -> None:
        columns = self.design_.seasons(series.time, self.seen_)
        ahead = np.arange(1.0, len(series) + 1.0)
        expected = self.level_[:, :, None] + self.slope_[:, :, None] * ahead + self.waves_ @ columns.T
        fresh = series.values.T[None] - expected
        self.ring_ = np.concatenate([self.ring_, fresh], axis=2)[:, :, -self.ring_.shape[2] :]
        self.level_ = self.level_ + self.slope_ * len(series)
        self.seen_ += len(series)

    def _own(self) -> dict[str, Any]:
        return {"design": asdict(self.design_), "seen": self.seen_}

    def _take(self, own: Mapping[str, Any]) -> None:
        design = dict(own["design"])
        waves = tuple(Wave(one["season"], one["rows"], tuple(one["orders"])) for one in design.pop("waves"))
        knots, holidays = tuple(design.pop("knots")), tuple(design.pop("holidays"))
        self.design_ = Design(**design, knots=knots, waves=waves, holidays=holidays)
        self.seen_ = int(own["seen"])


def _alike(values: NDArray[np.float64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Groups of channels with values in the same rows: the rows, and the channels."""
    known = ~np.isnan(values)
    if known.all():
        return [(np.arange(len(values)), np.arange(values.shape[1]))]
    kinds, which = np.unique(known, axis=1, return_inverse=True)
    return [(np.flatnonzero(kinds[:, k]), np.flatnonzero(which.ravel() == k)) for k in range(kinds.shape[1])]


def _ring(design: Design, n: int) -> int:
    """How many residuals are kept: those of a day, or of the shortest season."""
    lengths = [round(wave.rows) for wave in design.waves] or [24]
    return max(3, min(lengths[0], MOST_RING, n // 2))
