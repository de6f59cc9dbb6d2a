"""The columns of the Fourier model: trend, seasons of the calendar, further seasons, holidays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series.calendar import SEASONS, civil, phases
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.forecasters.seasons import seasons_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

KNOTS = 12
"""The trend may change at so many moments, evenly over the history."""

LAST_KNOT = 0.9
"""None of them in the last tenth."""

ROUNDS = {"day": 2.0, "week": 2.0, "month": 3.0, "year": 2.0}
"""A season of the calendar is looked at once it has gone round so many times."""

HARMONICS = {"day": 8, "week": 3, "month": 3, "year": 6}
"""Waves of a season, at most."""

WEEKDAYS = 24
"""Waves of a week that came round three times: days of the week may have shapes of their own."""

OTHER = 6
"""Waves of a season that the calendar does not know."""


@dataclass(frozen=True, slots=True)
class Wave:
    """A season of the model.

    Parameters
    ----------
    season : a season of the calendar; the empty text for one that it does not know.
    rows : its length in rows.
    orders : how many times each wave goes round in a season.
    """

    season: str
    rows: float
    orders: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """How moments become columns.

    Parameters
    ----------
    step : the distance of rows, in microseconds.
    zone : for civil time.
    knots : where the trend may change, in [0, 1) of the history.
    waves : the seasons.
    holidays : days in civil time, in days since 1970, sorted.
    """

    step: int
    zone: str | None
    knots: tuple[float, ...]
    waves: tuple[Wave, ...]
    holidays: tuple[int, ...] = ()

    def trend(self, rows: int) -> NDArray[np.float64]:
        """(rows, 2 + knots) columns of the trend."""
        t = np.arange(rows) / max(1, rows - 1)
        return np.column_stack([np.ones(rows), t, *(np.maximum(t - knot, 0.0) for knot in self.knots)])

    def seasons(self, time: NDArray[np.int64], first: int) -> NDArray[np.float64]:
        """(n, s) columns of seasons and holidays of rows of which the first is the ``first``-th of the history."""
        columns = [column for wave in self.waves for column in self._waves(wave, time, first)]
        columns += self._holidays(time)
        return np.column_stack(columns) if columns else np.empty((len(time), 0))

    def penalties(self, hinge: float, wave: float) -> NDArray[np.float64]:
        """How much each column is drawn to 0: faster waves more than slow ones."""
        trend = [0.0, 1e-3, *(hinge for _ in self.knots)]
        seasons = [wave * _speed(one, order) ** 2 for one in self.waves for order in one.orders for _ in range(2)]
        return np.array([*trend, *seasons, *(1.0 for _ in range(self._holiday_columns()))])

    def _waves(self, wave: Wave, time: NDArray[np.int64], first: int) -> list[NDArray[np.float64]]:
        if wave.season:
            phase = phases(time, wave.season, self.zone)
        else:
            phase = (first + np.arange(len(time))) / wave.rows % 1.0
        turns = 2.0 * np.pi * phase
        return [shape(order * turns) for order in wave.orders for shape in (np.sin, np.cos)]

    def is_holiday(self, time: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether each moment lies in one of the holidays."""
        return np.isin(civil(time, self.zone) // DAY, np.array(self.holidays, dtype=np.int64))

    def _holidays(self, time: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        if not self.holidays:
            return []
        free = self.is_holiday(time).astype(np.float64)
        if self._holiday_columns() == 1:
            return [free]
        turns = 2.0 * np.pi * phases(time, "day", self.zone)
        return [free, free * np.sin(turns), free * np.cos(turns)]

    def _holiday_columns(self) -> int:
        return 0 if not self.holidays else 1 if self.step > DAY // 4 else 3


def design_of(series: Series, knots: int, holidays: tuple[int, ...]) -> Design:
    """The seasons that a series supports: those of the calendar by its length, others where they are found."""
    n = len(series)
    span = int(series.time[-1] - series.time[0]) + series.step
    waves = [wave for season in ROUNDS if (wave := _of_calendar(season, series.step, span)) is not None]
    waves += _further(series, waves)
    places = np.linspace(0.0, LAST_KNOT, knots + 2)[1:-1] if n >= 4 * knots else np.empty(0)
    return Design(series.step, series.zone, tuple(map(float, places)), tuple(waves), holidays)


def _of_calendar(season: str, step: int, span: int) -> Wave | None:
    length = SEASONS[season]
    rows = length / step
    most = int((rows - 1e-9) // 2)
    if rows < 3.5 or span < ROUNDS[season] * length or (step > DAY and season == "month"):
        return None
    orders = list(range(1, min(HARMONICS[season], most) + 1))
    if season == "week" and step <= DAY // 4:
        wide = WEEKDAYS if span >= 3 * length else HARMONICS["week"]
        orders = [k for k in range(1, min(wide, most) + 1) if k % 7]
    return Wave(season, rows, tuple(orders))


def _further(series: Series, known: list[Wave]) -> list[Wave]:
    """Seasons that are found in the rows and that no wave of the calendar has."""
    waves: list[Wave] = []
    for rows in seasons_of(series):
        if any(_is_wave_of(rows, wave) for wave in known) or rows < 3:
            continue
        waves.append(Wave("", float(rows), tuple(range(1, min(OTHER, (rows - 1) // 2) + 1))))
    return waves


def _is_wave_of(rows: int, wave: Wave) -> bool:
    """Whether a season is one of the calendar, a part of it, or whole ones of it."""
    times = wave.rows / rows if wave.rows >= rows else rows / wave.rows
    near = abs(times - round(times)) < 0.03 * times
    return near and (rows > wave.rows or round(times) in wave.orders)


def _speed(wave: Wave, order: int) -> float:
    """How fast a wave is, where 1 is once a day, or once a season for longer ones without days."""
    return order / 7.0 if wave.season == "week" and len(wave.orders) > HARMONICS["week"] else float(order)
