"""Does a table have as many rows as its history lets expect?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil, expm1, floor, log1p
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.calendar import check_zone, civil
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.forecasters.holidays import days_of_country
from anomaly_detection.quality.answer import Answer
from anomaly_detection.quality.arrivals import Counts, moment_of, read_counts
from anomaly_detection.quality.expectation import Expectation, expect
from anomaly_detection.quality.seasonal import Design, design_of, errors_of, foretell, tamed
from anomaly_detection.records import counted
from anomaly_detection.verdicts import judge_one

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

ALPHA = 0.01
"""The share of normal runs that are called anomalous."""

TYPICAL = 0.1
"""How much row counts usually vary, as a share, before anything is known."""

NEWS = 0.8
"""How much the first weekend may differ from working days, as a standard deviation of the logarithm."""

USUAL_ZEROS = 3
"""So many runs without rows are no accidents any more."""

LONGEST = 750
"""How many of the latest runs are learned from."""

ENOUGH = 28
"""Runs that weekdays can be learned well from."""

MOST = 2**53
"""The upper bound where there is none."""

EPOCH = date(1970, 1, 1).toordinal()
DIRECTIONS = ("both", "rise", "drop")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class VolumeAnswer(Answer):
    """The answer on a number of rows; the expected range is of rows.

    Parameters
    ----------
    expected : the row count in the middle of what was expected.
    row_count : how many there are.
    p_value : how probable a count at least as far out is.
    anomaly_score : in [0, 1]; the line is at 0.6.
    runs : how many runs were learned from.
    notes : what was put right, and what is still needed.
    """

    expected: float = 0.0
    row_count: int = 0
    p_value: float = 1.0
    anomaly_score: float = 0.0
    runs: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return Answer.to_dict(self)


@dataclass(frozen=True, slots=True)
class VolumeRules:
    """What counts as an anomaly.

    Parameters
    ----------
    alpha : in (0, 1), the share of normal runs that are called anomalous.
    direction : ``both``, ``rise`` or ``drop``.
    minimum_relative : at least 0; a count nearer to what was expected than this share of it is no anomaly.
    holidays : days that are unlike others, past and to come.
    zone : the time zone that days are of, such as ``Europe/Berlin``; None is UTC.
    country : a country such as ``DE``, or a part of one such as ``US-CA``, whose holidays are unlike other days.
    """

    alpha: float = ALPHA
    direction: str = "both"
    minimum_relative: float = 0.0
    holidays: Collection[date] = ()
    zone: str | None = None
    country: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 0.5:
            raise ParameterError(f"alpha is {self.alpha}; it must be above 0 and below 0.5, such as {ALPHA}.")
        if self.direction not in DIRECTIONS:
            raise ParameterError(f"direction is {self.direction!r}; it must be one of {', '.join(DIRECTIONS)}.")
        if not self.minimum_relative >= 0:
            raise ParameterError(f"minimum_relative is {self.minimum_relative}; it is a share, at least 0.")
        check_zone(self.zone)

    def days(self, wall: NDArray[np.int64] | None) -> frozenset[date]:
        """Days unlike others around moments as the wall shows them, in microseconds since 1970.

        Raises
        ------
        ParameterError
            for a country of which no holidays are known.
        MissingDependencyError
            for a country where the package ``holidays`` is not installed.
        """
        if self.country is None or wall is None:
            return frozenset(self.holidays)
        first, last = (date.fromordinal(EPOCH + int(moment // DAY)).year for moment in (wall.min(), wall.max()))
        found = days_of_country(self.country, range(first, last + 1))
        return frozenset(self.holidays) | {date.fromordinal(EPOCH + day) for day in found}


def check_volume(
    current_row_count: int,
    history: Any,
    timestamp: Any = None,
    rules: VolumeRules | None = None,
    table: str = "The table",
) -> VolumeAnswer:
    """Say whether a table has about as many rows as its history lets expect.

    Parameters
    ----------
    current_row_count : how many rows it has now.
    history : row counts of earlier runs: numbers, oldest first; dicts such as ``{"date": …, "row_count": …}``; pairs of
        a time and a count; or a frame. Three are enough for wide bounds; four weeks for weekdays.
    timestamp : when the current run was; one step after the latest of the history when not given.
    rules : what counts as an anomaly; two sides and 1 % of normal runs when not given.
    table : its name, for the message.

    Raises
    ------
    InputError
        for a negative or broken count, or an empty history.
    ParameterError
        for a country of which no holidays are known.

    >>> history = [{"date": f"2026-03-{day:02}", "row_count": 1000 + 7 * (day % 3)} for day in range(1, 29)]
    >>> check_volume(430, history).severity, check_volume(1005, history).is_anomaly
    ('critical', False)
    """
    rules = rules or VolumeRules()
    count = _whole(current_row_count)
    moment = moment_of(timestamp)
    past = read_counts(history).before(moment)
    if not len(past):
        raise InputError("There is no earlier run to learn from. Give at least 3 row counts; 28 days are good.")
    return _answer(count, moment, past, rules, table)


def _whole(count: Any) -> int:
    try:
        number = float(count)
    except (TypeError, ValueError):
        raise InputError(f"{count!r} is no row count. Give a whole number from 0.") from None
    if not (number >= 0 and number == floor(number) and number < 1e18):
        raise InputError(f"{count!r} is no row count. Row counts are whole numbers from 0.")
    return int(number)


def _answer(count: int, moment: int | None, past: Counts, rules: VolumeRules, table: str) -> VolumeAnswer:
    times, wall = _clock(past, moment, rules.zone)
    design = design_of(wall, len(past) + 1, rules.days(wall))
    band = band_of(past.counts, design)
    low, high = band.range_at(rules)
    p = band.p_value(count, rules.direction)
    far = abs(count - band.middle) > rules.minimum_relative * band.middle
    outside = (count < low or count > high) and far
    p = min(p, rules.alpha) if outside else max(p, rules.alpha * (1 + 1e-9))
    verdict = judge_one(abs(count - band.middle), p, rules.alpha, max(band.scored, 1))
    notes = (*past.notes, *_notes(past, design, times))
    day = WEEKDAYS[int((wall[-1] // DAY + 3) % 7)] if wall is not None and design.words else ""
    message = _message(table, count, band.middle, (low, high), day, is_anomaly=outside, p=p)
    return VolumeAnswer(
        is_anomaly=outside,
        severity=verdict.severity,
        confidence=verdict.confidence,
        expected_range=(low, high),
        message=message,
        expected=round(band.middle, 1),
        row_count=count,
        p_value=p,
        anomaly_score=verdict.anomaly_score,
        runs=len(past),
        notes=notes,
    )


def _clock(
    past: Counts, moment: int | None, zone: str | None
) -> tuple[NDArray[np.int64] | None, NDArray[np.int64] | None]:
    """(n + 1,) the times of all runs and the one that is checked, in UTC and on the wall; None where there are none."""
    if past.time is None:
        return None, None
    step = int(np.median(np.diff(past.time))) if len(past) > 1 else DAY
    times = np.append(past.time, moment if moment is not None else past.time[-1] + max(step, 1))
    return times, civil(times, zone)


@dataclass(frozen=True, slots=True)
class Band:
    """How many rows are expected: a mixture for the logarithm of the count, and a chance of none at all.

    Parameters
    ----------
    expectation : of the logarithm of the count and one.
    none : the probability of no rows.
    scored : how many past runs the width was learned from.
    """

    expectation: Expectation
    none: float
    scored: int

    @property
    def middle(self) -> float:
        """The count that half of all are below."""
        return max(expm1(min(self.expectation.quantile(0.5), 60.0)), 0.0)

    def range_at(self, rules: VolumeRules) -> tuple[int, int]:
        """The least and the most rows that are no anomaly."""
        sides = 2 if rules.direction == "both" else 1
        low = self.expectation.quantile(rules.alpha / sides)
        high = self.expectation.quantile(1 - rules.alpha / sides)
        least = 0 if rules.direction == "rise" or self.none > rules.alpha else max(floor(expm1(min(low, 60.0))), 0)
        most = ceil(expm1(min(high, 60.0))) if rules.direction != "drop" else MOST
        return _room(least, self.middle, -rules.minimum_relative), _room(most, self.middle, rules.minimum_relative)

    def p_value(self, count: int, direction: str) -> float:
        """How probable a count at least as far out is."""
        value = log1p(count)
        if direction == "both":
            p = self.expectation.p_value(value)
        else:
            p = self.expectation.below(value) if direction == "drop" else self.expectation.above(value)
        return max(p, self.none if count == 0 else 0.0, 1e-300)


def _room(bound: int, middle: float, share: float) -> int:
    """The bound, or the one that a share of the middle gives where that is farther out."""
    other = middle * (1 + share)
    return bound if share == 0 else max(bound, ceil(other)) if share > 0 else max(min(bound, floor(other)), 0)


def band_of(counts: NDArray[np.float64], design: Design) -> Band:
    """The band of the run that follows n others."""
    counts = counts[-LONGEST:]
    design = design.of(slice(-len(counts) - 1, None))
    odd = odd_zeros(counts, design)
    kept = ~odd if not odd.all() else np.ones(len(odd), dtype=bool)
    none = chance_of_none(odd)
    design = design.of(np.append(kept, np.True_))
    values = np.log1p(counts[kept])
    told = foretell(tamed(values, design), design)
    first = min(14, max(1, len(values) // 3)) if len(values) > 1 else 1
    past, now = errors_of(values, told, first)
    expectation = expect(past, told.centre[:, -1], now, TYPICAL)
    if design.has_news:
        expectation = expectation.widened(NEWS)
    return Band(expectation, float(none), len(values) - first)


def chance_of_none(odd: NDArray[np.bool_]) -> float:
    """How probable a run without rows is; 0 where there were hardly any, or only in an outage that goes on.

    >>> chance_of_none(np.array([False] * 40 + [True] * 5)), chance_of_none(np.array([True, False, False, False] * 5))
    (0.0, 0.25)
    """
    if odd.all():
        return 0.0
    settled = odd[: len(odd) - int(odd[::-1].argmin())]
    return float(settled.mean()) if settled.sum() >= USUAL_ZEROS else 0.0


def odd_zeros(counts: NDArray[np.float64], design: Design) -> NDArray[np.bool_]:
    """(n,) which runs have no rows though runs of their kind of day mostly have some."""
    odd = np.asarray(counts == 0)
    if not odd.any() or not design.season.shape[1]:
        return odd & bool(np.median(counts) > 0)
    for members in design.season[: len(counts)].T > 0:
        if members.any() and np.median(counts[members]) == 0:
            odd &= ~members
    return odd


def _notes(past: Counts, design: Design, times: NDArray[np.int64] | None) -> list[str]:
    notes = []
    if len(past) < ENOUGH and (design.words or times is None):
        notes.append(
            f"learned from {counted(len(past), 'run')}, so the bounds are wide; "
            f"{ENOUGH - len(past)} more make them as narrow as weekdays allow"
        )
    if times is not None and len(past) > 3:
        gaps = np.diff(past.time) if past.time is not None else np.empty(0)
        step = float(np.median(gaps))
        missing = int(np.round(gaps[gaps > 1.5 * step] / step - 1).sum())
        if missing:
            notes.append(f"{counted(missing, 'run')} missing between the earlier ones")
    return notes


def _message(
    table: str, count: int, middle: float, band: tuple[int, int], day: str, *, is_anomaly: bool, p: float
) -> str:
    rows = f"{table} has {counted(count, 'row')}"
    usual = f"{middle:,.0f} expected{' for a ' + day if day else ''} ({band[0]:,} to {band[1]:,})"
    if band[1] >= MOST:
        usual = f"{middle:,.0f} expected{' for a ' + day if day else ''} (at least {band[0]:,})"
    if not is_anomaly:
        return f"{rows}, as usual: {usual}."
    if count == 0:
        return f"{table} is empty: {usual}."
    words = (
        f"{abs(count / middle - 1):.0%} {'more' if count > middle else 'fewer'} than the " if middle >= 1 else "not "
    )
    return f"{rows}, {words}{usual}; so far out is one run in {1 / p:,.0f}." if p > 1e-9 else f"{rows}, {words}{usual}."
