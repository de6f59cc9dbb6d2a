"""Did a table arrive when it usually does?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import exp, log
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.calendar import check_zone
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.quality.answer import Answer
from anomaly_detection.quality.arrivals import moment_of, read_arrivals
from anomaly_detection.quality.cadence import LONGEST, Slots, length_words, next_of, slots_of
from anomaly_detection.records import counted
from anomaly_detection.verdicts import judge_one

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA = 0.01
"""The share of normal arrivals that are called anomalous."""

MANY, PAUSE, BUSY = 8, 10.0, 0.15
"""Bursts are told from so many gaps on, by pauses so many times longer than gaps, which fill all but this share."""

MOST_GAPS = 20
"""How many gaps of the past are named."""

IRREGULAR = 0.3
"""How much the lengths of gaps usually vary, as a share, before anything is known."""


@dataclass(frozen=True, slots=True)
class TimelinessAnswer(Answer):
    """The answer on the arrival of a table; the expected range is of times, from the earliest to the latest.

    Parameters
    ----------
    status : ``on time``, ``not due``, ``late``, ``missing``, ``early`` or ``repeated``.
    cadence : how often the table arrives, for people.
    last_arrival : the latest one.
    usually_by : when nine of ten would have been there.
    next_range : when the next one is due, from the earliest to the latest.
    late_seconds : how long after the latest expected time it came, or how long it is overdue; 0 if it is neither.
    p_value, anomaly_score : how probable that is; the line is at 0.6.
    arrivals : how many were learned from.
    gaps : expected times at which nothing came, the latest first.
    notes : what was put right, and what is still needed.
    """

    status: str = "on time"
    cadence: str = ""
    last_arrival: str = ""
    usually_by: str = ""
    next_range: tuple[str, str] = ("", "")
    late_seconds: float = 0.0
    p_value: float = 1.0
    anomaly_score: float = 0.0
    arrivals: int = 0
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return Answer.to_dict(self)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found: moments in microseconds since 1970 UTC."""

    status: str
    p: float
    window: tuple[int, int, int]
    following: tuple[int, int]
    late: int
    cadence: str
    gaps: tuple[int, ...] = ()


def check_timeliness(
    arrivals: Any, now: Any = None, zone: str | None = None, alpha: float = ALPHA, table: str = "The table"
) -> TimelinessAnswer:
    """Say whether a table is there when it usually is: late, missing, early or repeated.

    Parameters
    ----------
    arrivals : when it arrived: times in a list, dicts with a ``timestamp``, or a frame with such a column.
    now : the present; the time of the last arrival when not given, so that it is that one which is judged.
    zone : the time zone whose days and clocks the table follows, such as ``Europe/Berlin``; None is UTC.
    alpha : the share of normal arrivals that are called anomalous.
    table : its name, for the message.

    Raises
    ------
    InputError
        for fewer than two arrivals.
    ParameterError
        for an unknown zone, or alpha out of range.

    >>> days = [f"2026-03-{day:02}T06:3{day % 5}" for day in range(1, 29)]
    >>> answer = check_timeliness(days, now="2026-03-29T09:00")
    >>> answer.status, answer.cadence, answer.usually_by
    ('late', 'every day', '2026-03-29T06:33:59+00:00')
    """
    check_zone(zone)
    if not 0 < alpha < 0.5:
        raise ParameterError(f"alpha is {alpha}; it must be above 0 and below 0.5, such as {ALPHA}.")
    times, notes = np.unique(read_arrivals(arrivals)), []
    moment = moment_of(now)
    if moment is not None and len(times) and times[-1] > moment:
        notes.append(f"{counted(int((times > moment).sum()), 'arrival')} after the present left out")
        times = times[times <= moment]
    if len(times) < 2:
        raise InputError(
            f"{counted(len(times), 'arrival')} cannot say when the next is due. Give at least 2; 14 are good."
        )
    if len(times) < 14:
        notes.append(f"learned from {counted(len(times), 'arrival')}; {14 - len(times)} more make the bounds narrow")
    if len(times) != len(times := first_of_bursts(times)):
        notes.append(f"what arrives comes in bursts, {counted(len(times), 'burst')} in all; the first of each counts")
    times = times[-LONGEST:]
    found = judged(times, moment, zone, alpha)
    return _answer(found, times, zone, alpha, table, tuple(notes))


def first_of_bursts(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The beginnings of bursts where arrivals come in short ones with long pauses; all arrivals where they do not.

    >>> first_of_bursts(np.array([0, 1, 2, 3, 500, 501, 502, 1000, 1001, 1002, 1500, 1501])).tolist()
    [0, 500, 1000, 1500]
    """
    gaps = np.diff(times)
    if len(gaps) < MANY:
        return times
    pause = gaps > PAUSE * np.median(gaps)
    if pause.sum() < 3 or gaps[~pause].sum() > BUSY * gaps.sum():
        return times
    begins: NDArray[np.int64] = times[np.append(np.True_, pause)]
    return begins


def judged(times: NDArray[np.int64], now: int | None, zone: str | None, alpha: float) -> _Judged:
    """Judge what is missing at a moment, or the last arrival where nothing is."""
    slots = slots_of(times, zone)
    if slots is None:
        return _by_gaps(times, now, alpha)
    overdue = _overdue(slots, now, alpha) if now is not None else None
    return overdue or _last(slots, alpha)


def _overdue(slots: Slots, now: int, alpha: float) -> _Judged | None:
    """What is said where a slot after the last arrival should have had one by now; None where none should."""
    here, offset = slots.place(now)
    last = int(slots.number[-1])
    if here <= last:
        return None
    due = np.arange(last + 1, here + 1)[:10_000]
    absence, expectation, unit = slots.absence(due), slots.expectation(), slots.step / 24
    late = [1.0] * (len(due) - 1) + [expectation.below(offset / unit)]
    chances = absence + (1 - absence) * (1 - np.array(late))
    wanted = due[absence < 0.5]
    p = float(np.exp(np.log(np.maximum(chances, 1e-30)).sum()))
    if not len(wanted) or p > alpha:
        return None
    window = _window(slots, int(wanted[0]), alpha)
    if now <= window[2]:
        return None
    after = _next_used(slots, int(wanted[0]))
    following = _window(slots, after, alpha)
    status = "missing" if now > following[2] or (len(wanted) > 1 and now > following[0]) else "late"
    return _Judged(
        status, p, window, (following[0], following[2]), now - window[2], slots.words(), _gaps(slots, window)
    )


def _last(slots: Slots, alpha: float) -> _Judged:
    """What is said of the last arrival."""
    last = int(slots.number[-1])
    before = slots.number < last
    following = _window(slots, _next_used(slots, last), alpha)
    if len(np.unique(slots.number[before])) < 2:
        window = _window(slots, last, 2 * alpha)
        return _Judged("on time", 1.0, window, (following[0], following[2]), 0, slots.words())
    past = Slots(slots.step, slots.start, slots.zone, slots.number[before], slots.offset[before])
    window = _window(past, last, alpha)
    place = float(slots.first_offsets[-1]) * 24 / slots.step
    p = past.expectation().p_value(place)
    several, share = int((~before).sum()), _repeated(past)
    arrived = slots.moment(last, float(slots.first_offsets[-1]))
    status = ("late" if arrived > window[1] else "early") if p <= alpha else "on time"
    if p > alpha and several > 1 and share <= alpha:
        status, p = "repeated", share
    late = max(arrived - window[2], 0) if status == "late" else 0
    return _Judged(status, p, window, (following[0], following[2]), late, slots.words(), _gaps(slots, window))


def _repeated(slots: Slots) -> float:
    """How probable it is that a slot has several arrivals."""
    counts = np.bincount(slots.number - slots.number[0])
    return float(((counts > 1).sum() + 0.05) / ((counts > 0).sum() + 1.0))


def _window(slots: Slots, slot: int, alpha: float) -> tuple[int, int, int]:
    """The earliest, the usual and the latest moment for a slot."""
    expectation, unit = slots.expectation(), slots.step / 24
    low, usual, high = (expectation.quantile(share) * unit for share in (alpha / 2, 0.9, 1 - alpha / 2))
    return slots.moment(slot, low), slots.moment(slot, usual), slots.moment(slot, high)


def _next_used(slots: Slots, slot: int) -> int:
    """The next slot that usually has an arrival."""
    following = np.arange(slot + 1, slot + 1 + min(max(round(7 * DAY / slots.step), 1), 2_000))
    absence = slots.absence(following)
    return int(following[(absence < 0.5).argmax() if (absence < 0.5).any() else absence.argmin()])


def _gaps(slots: Slots, window: tuple[int, int, int]) -> tuple[int, ...]:
    """When something was expected between the first and the last arrival, and nothing came; the latest first."""
    every = np.arange(slots.number[0], slots.number[-1])
    empty = every[~np.isin(every, slots.used)]
    if len(empty):
        empty = empty[slots.absence(empty) < 0.5]
    _, middle, _ = window
    within = slots.place(middle)[1]
    return tuple(slots.moment(int(slot), within) for slot in empty[::-1][:MOST_GAPS])


def _by_gaps(times: NDArray[np.int64], now: int | None, alpha: float) -> _Judged:
    """What is said where arrivals follow no clock: by the time since the last one."""
    gaps = np.log(np.diff(times).astype(np.float64))
    learned = gaps if now is not None or len(gaps) < 3 else gaps[:-1]
    since = times[-1] if now is not None else times[-2]
    waited = max(float((times[-1] if now is None else now) - since), 1.0)
    expectation = next_of(learned, IRREGULAR)
    low, usual, high = (
        int(since + exp(min(expectation.quantile(share), 40.0))) for share in (alpha / 2, 0.9, 1 - alpha / 2)
    )
    tail = expectation.above(log(waited))
    p = tail if now is not None else expectation.p_value(log(waited))
    status = "on time"
    if p <= (alpha / 2 if now is not None else alpha):
        status = "late" if waited > np.exp(expectation.quantile(0.5)) else "early"
    elif now is not None:
        status = "not due"
    following = (low, high)
    if now is None:
        ahead = next_of(gaps, IRREGULAR)
        following = (
            int(times[-1] + exp(ahead.quantile(alpha / 2))),
            int(times[-1] + exp(min(ahead.quantile(1 - alpha / 2), 40.0))),
        )
    late = max(int(since + waited) - high, 0) if status == "late" else 0
    middle = float(np.exp(np.median(gaps)))
    words = "about every " if np.std(gaps) < 0.3 else "irregularly, about every "
    return _Judged(status, min(2 * p, 1.0), (low, usual, high), following, late, words + length_words(middle))


def _answer(
    found: _Judged, times: NDArray[np.int64], zone: str | None, alpha: float, table: str, notes: tuple[str, ...]
) -> TimelinessAnswer:
    flagged = found.status in ("late", "missing", "early", "repeated")
    p = min(max(found.p, 1e-300), alpha) if flagged else max(min(found.p, 1.0), alpha * (1 + 1e-9))
    verdict = judge_one(0.0, p, alpha, len(times))
    low, usual, high = (_iso(moment, zone) for moment in found.window)
    last = _iso(int(times[-1]), zone)
    return TimelinessAnswer(
        is_anomaly=flagged,
        severity=verdict.severity,
        confidence=verdict.confidence,
        expected_range=(low, high),
        message=_message(found, table, last, usual, high),
        status=found.status,
        cadence=found.cadence,
        last_arrival=last,
        usually_by=usual,
        next_range=(_iso(found.following[0], zone), _iso(found.following[1], zone)),
        late_seconds=found.late / 1e6,
        p_value=p,
        anomaly_score=verdict.anomaly_score,
        arrivals=len(times),
        gaps=tuple(_iso(moment, zone) for moment in found.gaps),
        notes=(*notes, *([f"{counted(len(found.gaps), 'earlier gap')}"] if found.gaps else [])),
    )


def _message(found: _Judged, table: str, last: str, usual: str, high: str) -> str:
    comes = f"it comes {found.cadence}"
    bounds = f"usually there by {_short(usual)}, at the latest {_short(high)}"
    if found.status == "missing":
        return f"{table} is missing since {_short(high)}: {comes}, and came last {_short(last)}."
    if found.status == "late":
        over = length_words(max(found.late, 1_000_000))
        over = over if over[0].isdigit() else f"one {over}"
        return f"{table} is late by {over}: {comes}, {bounds}; last {_short(last)}."
    if found.status == "early":
        return f"{table} came early, {_short(last)}: {comes}, {bounds}."
    if found.status == "repeated":
        return f"{table} came more than once where it comes once: {comes}; last {_short(last)}."
    return f"{table} is on time: {comes}, {bounds}; last {_short(last)}."


def _iso(moment: int, zone: str | None) -> str:
    try:
        return datetime.fromtimestamp(moment // 1_000_000, UTC).astimezone(ZoneInfo(zone or "UTC")).isoformat()
    except (OverflowError, ValueError, OSError):
        return "9999-12-31T23:59:59+00:00"


def _short(iso: str) -> str:
    return iso[:16].replace("T", " ")
