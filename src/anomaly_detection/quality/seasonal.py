"""Foretelling row counts: level, trend, and effects of the calendar, each value from those before it.

Logarithms of counts go through Kalman filters that differ in what they believe in: whether the level drifts, whether
there is a trend, and whether days of the week, hours or the ends of months matter. All run at once, as one stack.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.series.clock import DAY
from anomaly_detection.quality.expectation import Errors

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from numpy.typing import NDArray

HOUR = DAY // 24

DRIFTS = (0.0, 0.01, 0.1, 1.0)
"""Variances of the step that the level takes from row to row, in units of the noise."""

SLOPE, SEASON, DAILY, EDGE = 0.01, 100.0, 25.0, 25.0
"""Variances, in units of the noise, of what is believed of the slope of a step and of effects of the calendar."""

SURE = 14
"""How many values it takes to tell what is far off."""

FAR = 4.0
"""Values this many robust standard deviations off are learned from as if they were this far off."""

EDGES = ("last day", "first day", "last working day", "first working day", "holiday")


@dataclass(frozen=True, slots=True)
class Design:
    """What the calendar says of n rows.

    Parameters
    ----------
    steps : (n,) how many usual steps each row is from the first.
    season : (n, s) a column for weekends, each weekday and hour, or each place in a cycle; 1 where it applies.
    belief : (s,) the variance, in units of the noise, of what is believed of their effects.
    edges : (n, e) ends of months and holidays.
    words : what the seasons are, such as ``weekday``; "" for none.
    """

    steps: NDArray[np.float64]
    season: NDArray[np.float64]
    belief: NDArray[np.float64]
    edges: NDArray[np.float64]
    words: str

    def of(self, rows: slice | NDArray[np.bool_]) -> Design:
        """The same for some of the rows."""
        return Design(self.steps[rows], self.season[rows], self.belief, self.edges[rows], self.words)

    @property
    def has_news(self) -> bool:
        """Whether the last row is the first weekend, or the first day that is in none."""
        weekend = self.season[:, 0] if self.words.startswith("weekday") else np.zeros(0)
        return len(weekend) > 1 and bool((weekend[:-1] != weekend[-1]).all())


def design_of(civil: NDArray[np.int64] | None, rows: int, holidays: Collection[date] = ()) -> Design:
    """Lay out the calendar of rows in order of time.

    Parameters
    ----------
    civil : (n,) microseconds since 1970 as the wall shows them; None where rows are only counted.
    rows : n.
    holidays : days that are unlike others.
    """
    if civil is None:
        steps = np.arange(rows, dtype=np.float64)
        season = one_hot(np.arange(rows) % 7, 7) if rows > 21 else np.zeros((rows, 0))
        belief = np.full(season.shape[1], SEASON)
        return Design(steps, season, belief, np.zeros((rows, 0)), "place in seven" if rows > 21 else "")
    step = max(float(np.median(np.diff(civil[:-1]))) if rows > 2 else float(DAY), 1.0)
    steps = (civil - civil[0]) / step
    if step > 5 * DAY:
        return Design(steps, np.zeros((rows, 0)), np.zeros(0), np.zeros((rows, 0)), "")
    moments = pl.Series(civil).cast(pl.Datetime("us"))
    weekday = moments.dt.weekday().to_numpy().astype(np.int64) - 1
    free = (weekday >= 5)[:, None]
    season, words = np.hstack([free, one_hot(weekday, 7)]), "weekday"
    belief = np.append(SEASON, np.full(7, DAILY))
    if step < DAY / 2:
        hours = one_hot(moments.dt.hour().to_numpy().astype(np.int64), 24)
        season, words = np.hstack([season, hours, hours * free]), "weekday and hour"
        belief = np.append(belief, np.repeat([SEASON, DAILY], 24))
    return Design(steps, season, belief, edges_of(moments.dt.date(), holidays), words)


def one_hot(codes: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    """(n, width) 1 in the column of each code."""
    return np.eye(width)[codes]


def edges_of(days: pl.Series, holidays: Collection[date]) -> NDArray[np.float64]:
    """(n, 5) which days are :data:`EDGES`."""
    frame = days.alias("day").to_frame()
    day = pl.col("day")
    weekday = day.dt.weekday()
    last, first = day.dt.month_end(), day.dt.month_start()
    last_working = last.dt.offset_by("0d") - pl.duration(days=(last.dt.weekday() - 5).clip(lower_bound=0))
    first_working = first + pl.duration(days=pl.when(first.dt.weekday() > 5).then(8 - first.dt.weekday()).otherwise(0))
    wanted = [day == last, day == first, day == last_working, day == first_working]
    made = frame.select(*[one.alias(str(place)) for place, one in enumerate(wanted)], weekday.alias("w"))
    columns = [made[str(place)].to_numpy() for place in range(len(wanted))]
    columns.append(days.is_in(list(holidays)).to_numpy() if holidays else np.zeros(len(days), dtype=bool))
    return np.column_stack(columns).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Foretold:
    """What each of m filters said of n rows before it saw them.

    Parameters
    ----------
    centre : (m, n) predictions.
    doubt : (m, n) the variance of what was not known, in units of the noise.
    """

    centre: NDArray[np.float64]
    doubt: NDArray[np.float64]


def foretell(values: NDArray[np.float64], design: Design) -> Foretold:
    """Predict each of n + 1 rows from those before it.

    Parameters
    ----------
    values : (n,) logarithms of counts.
    design : of n + 1 rows, the last of which is still to come.
    """
    rows = np.column_stack([np.ones(len(values) + 1), np.zeros(len(values) + 1), design.season, design.edges])
    known, drift = _beliefs(design)
    state = np.zeros((len(known), rows.shape[1]))
    state[:, 0] = values[0]
    cover = np.einsum("md,de->mde", known, np.eye(rows.shape[1]))
    centre, doubt = np.empty((2, len(known), len(rows)))
    for place, row in enumerate(rows):
        if place:
            _pass(state, cover, drift, design.steps[place] - design.steps[place - 1])
        gain = cover @ row
        centre[:, place], doubt[:, place] = state @ row, gain @ row
        if place < len(values):
            gain /= (1.0 + doubt[:, place])[:, None]
            state += gain * (values[place] - centre[:, place])[:, None]
            cover -= gain[:, :, None] * (cover @ row)[:, None, :]
    return Foretold(centre, doubt)


def _pass(state: NDArray[np.float64], cover: NDArray[np.float64], drift: NDArray[np.float64], steps: float) -> None:
    """Let steps of time pass: the level moves with the slope and drifts."""
    state[:, 0] += steps * state[:, 1]
    cover[:, 0, :] += steps * cover[:, 1, :]
    cover[:, :, 0] += steps * cover[:, :, 1]
    places = np.arange(cover.shape[1])
    cover[:, places, places] += drift * min(steps, 30.0)


def _beliefs(design: Design) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(m, d) variances of the state at first, and of its drift."""
    e = design.edges.shape[1]
    wide = 1 + (len(design.belief) > 0) + (e > 0)
    known, drift = [], []
    for level, sloped, calendar in product(DRIFTS, (False, True), range(wide)):
        if sloped and level > 0.05:
            continue
        seasonal = design.belief if calendar >= 1 else 0.0 * design.belief
        edged = EDGE if calendar == wide - 1 and e else 0.0
        known.append([1e4, SLOPE * sloped, *seasonal, *[edged] * e])
        drift.append([level, 0.0, *(1e-5 * seasonal), *[0.0] * e])
    return np.array(known), np.array(drift)


def tamed(values: NDArray[np.float64], design: Design) -> NDArray[np.float64]:
    """(n,) the values with what is far off its surroundings and its kind of day brought nearer."""
    if len(values) < SURE:
        return values
    effects = np.zeros(len(values))
    classes = [column[: len(values)] > 0 for column in np.hstack([design.season, design.edges]).T]
    for _ in range(2):
        level = running_median(values - effects)
        off = values - level
        effects = np.zeros(len(values))
        for members in classes:
            if members.sum() >= 2:
                effects[members] += np.median((off - effects)[members])
    fitted = running_median(values - effects) + effects
    off = values - fitted
    scale = max(1.4826 * float(np.median(np.abs(off - np.median(off)))), 0.01)
    return fitted + np.clip(off, -FAR * scale, FAR * scale)


def running_median(values: NDArray[np.float64], width: int = 9) -> NDArray[np.float64]:
    """(n,) medians of each value and its neighbours; fewer at the ends."""
    half = width // 2
    padded = np.concatenate([np.full(half, np.nan), values, np.full(half, np.nan)])
    medians: NDArray[np.float64] = np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
    return medians


def errors_of(values: NDArray[np.float64], told: Foretold, first: int) -> tuple[Errors, Errors]:
    """The errors on the rows from ``first`` on, and what is known of the row that is still to come."""
    noise = 1.0 / (1.0 + np.expm1(np.clip(told.centre, 0.0, 40.0)))
    n = len(values)
    past = Errors(values[first:] - told.centre[:, first:n], told.doubt[:, first:n], noise[:, first:n])
    return past, Errors(np.zeros((len(noise), 1)), told.doubt[:, n:], noise[:, n:])
