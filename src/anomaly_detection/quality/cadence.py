"""When a table arrives: a slot for every day or step, which slots are used, and how far into one an arrival comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.series.calendar import civil
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.quality.expectation import Errors, Expectation, expect

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE = DAY // 1440
HOUR = DAY // 24

USUAL_GAP = 0.02
"""How many slots of a table are left out, before anything is known: nearly all tables do so always or hardly ever."""

MEMORY = 30
"""How many of the latest arrivals say when the next is due."""

LONGEST = 2_000
"""How many of the latest arrivals are learned from."""

TYPICAL = 0.25
"""How much the time of arrival usually varies, in 24ths of a slot: a quarter of an hour a day."""

DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Slots:
    """Arrivals laid into slots of equal length.

    Parameters
    ----------
    step : the length of a slot, microseconds.
    start : where slot 0 begins, on the clock that the slots follow.
    zone : the zone whose wall clock they follow; None is UTC.
    number : (n,) which slot each arrival is in, not decreasing.
    offset : (n,) how far into its slot it is, microseconds.
    """

    step: int
    start: int
    zone: str | None
    number: NDArray[np.int64]
    offset: NDArray[np.int64]

    def place(self, moment: int) -> tuple[int, int]:
        """The slot of a moment in UTC, and how far into it that is."""
        local = int(civil(np.array([moment]), self.zone)[0])
        return divmod(local - self.start, self.step)

    def moment(self, slot: int, offset: float) -> int:
        """The moment in UTC of a place in a slot."""
        local = self.start + slot * self.step + round(offset)
        if self.zone is None:
            return local
        wall = pl.Series([local]).cast(pl.Datetime("us"))
        found = wall.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
        if found.null_count():  # the hour that spring leaves out
            found = wall.dt.offset_by("1h").dt.replace_time_zone(self.zone, ambiguous="earliest")
        return int(found.dt.epoch("us")[0])

    def kind(self, slot: NDArray[np.int64]) -> NDArray[np.int64]:
        """The kind of each slot: its weekday, or its time of a working or free day."""
        middle = self.start + slot * self.step + self.step // 2
        weekday = (middle // DAY + 3) % 7
        if self.step >= DAY:
            return np.asarray(weekday)
        return np.asarray((weekday >= 5) * 10_000 + (middle % DAY) // self.step)

    @property
    def used(self) -> NDArray[np.int64]:
        """The slots that have an arrival."""
        return np.unique(self.number)

    @property
    def first_offsets(self) -> NDArray[np.int64]:
        """How far into its slot the first arrival of each used one was."""
        return self.offset[np.unique(self.number, return_index=True)[1]]

    def absence(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """How probable it is that nothing comes in each of these slots, from slots of their kind.

        Before the first weekend nobody knows whether weekends count.
        """
        every = np.arange(self.number[0], self.number[-1] + 1)
        here = np.isin(every, self.used)
        kinds = self.kind(every)
        said = [(int((kinds == kind).sum()), int((~here & (kinds == kind)).sum())) for kind in self.kind(slots)]
        typical = min(max(float((~here).mean()), USUAL_GAP), 0.5) if len(every) > 4 else USUAL_GAP
        absence = np.array([(empty + (USUAL_GAP if total else typical)) / (total + 1.0) for total, empty in said])
        unknown = np.array([total == 0 for total, _ in said]) & (self.step >= DAY) & (self.kind(slots) >= 5)
        return np.where(unknown, 0.5, absence)

    def expectation(self) -> Expectation:
        """Of the offset of the next arrival, in 24ths of a slot."""
        values = np.asarray(self.first_offsets[-LONGEST:] * (24.0 / self.step), dtype=np.float64)
        return next_of(values, TYPICAL)

    def words(self) -> str:
        """How often the table arrives, for people."""
        if self.step < DAY:
            return f"every {length_words(self.step)}"
        week = np.arange(self.number[-1] - 6, self.number[-1] + 1)
        days = sorted(int(day) for day in self.kind(week[self.absence(week) < 0.5]))
        if days == list(range(7)):
            return "every day"
        return "every working day" if days == [0, 1, 2, 3, 4] else f"on {', '.join(DAYS[day] for day in days)}"


def next_of(values: NDArray[np.float64], typical: float) -> Expectation:
    """What follows values that stay about the same: predicted from all before them, and from the latest."""
    tame = _tamed(values)
    centre, doubt = np.empty((2, 2, len(values) + 1))
    for place in range(1, len(values) + 1):
        for row, memory in enumerate((MEMORY, 5)):
            part = tame[max(place - memory, 0) : place]
            centre[row, place], doubt[row, place] = part.mean(), 1.0 / len(part)
    off = values[1:] - centre[:, 1:-1]
    past = Errors(off, doubt[:, 1:-1], np.zeros_like(off))
    return expect(past, centre[:, -1], Errors(np.zeros((2, 1)), doubt[:, -1:], np.zeros((2, 1))), typical)


def _tamed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the values, those far off the ones before and after them brought nearer."""
    if len(values) < 5:
        return values
    padded = np.pad(values, 7, constant_values=np.nan)
    middle = np.nanmedian(np.lib.stride_tricks.sliding_window_view(padded, 15), axis=1)
    scale = max(1.4826 * float(np.median(np.abs(values - middle))), 0.02)
    return middle + np.clip(values - middle, -4 * scale, 4 * scale)


def slots_of(arrivals: NDArray[np.int64], zone: str | None) -> Slots | None:
    """Lay arrivals into days or shorter steps; None where they follow neither.

    Parameters
    ----------
    arrivals : (n,) microseconds since 1970 UTC, sorted, at least two.
    zone : the zone of the days.
    """
    local = civil(arrivals, zone)
    daily = _laid(local, DAY, zone)
    counts = np.bincount(daily.number - daily.number[0])
    if np.median(counts[counts > 0]) == 1 and np.median(np.diff(daily.used) if len(daily.used) > 1 else [0]) >= 1:
        return daily if _is_regular(daily) else None
    gaps = np.diff(arrivals)
    gaps = gaps[gaps > 0.1 * np.median(gaps)] if len(gaps) else gaps
    step = nice_step(float(np.median(gaps)) if len(gaps) else 0.0)
    if step < 1 or np.median(np.abs(gaps - step)) > 0.2 * step:
        return None
    return _laid(arrivals, step, None)


def _is_regular(slots: Slots) -> bool:
    """Whether some weekdays nearly always have an arrival and the others hardly ever."""
    week = np.arange(slots.number[-1] - 6, slots.number[-1] + 1)
    absence = slots.absence(week)
    if len(slots.used) < 8:
        return bool(np.median(np.diff(slots.used)) == 1)
    return bool(absence.min() < 0.3 and (np.minimum(absence, 1 - absence) < 0.35).all())


def _laid(local: NDArray[np.int64], step: int, zone: str | None) -> Slots:
    """Slots that begin where hardly anything arrives."""
    phase = np.sort(local % step)
    gaps = np.diff(np.append(phase, phase[0] + step))
    widest = int(gaps.argmax())
    start = int((phase[widest] + gaps[widest] // 2) % step)
    if start > step // 2 and step == DAY:
        start -= step
    number = (local - start) // step
    return Slots(step, start, zone, number, local - start - number * step)


def nice_step(step: float) -> int:
    """The step, or a whole part of a day that is nearly the same."""
    for parts in (1440, 720, 480, 288, 144, 96, 72, 48, 24, 12, 8, 6, 4, 3, 2):
        if abs(step - DAY / parts) < 0.1 * DAY / parts:
            return DAY // parts
    return round(step)


def length_words(microseconds: float) -> str:
    """A length of time, for people.

    >>> length_words(3_600_000_000), length_words(90_000_000), length_words(2 * 86_400_000_000)
    ('hour', '90 seconds', '2 days')
    """
    for unit, length in (("day", DAY), ("hour", HOUR), ("minute", MINUTE), ("second", MINUTE // 60)):
        if microseconds >= 1.95 * length or abs(microseconds - length) < 0.05 * length:
            number = round(microseconds / length, 1)
            return unit if number == 1 else f"{number:g} {unit}s"
    return f"{microseconds / 1000:g} milliseconds"
