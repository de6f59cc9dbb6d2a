"""Array loops of windows.py: what happened in the last minutes, per service and in all, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_TIME = np.iinfo(np.int64).min
"""Stands for a time that is not known."""

LONG_AGO = -(2**62)
"""When lines were that came before any time was known."""

SINCE_LAST, IN_WINDOW, MEAN, DEVIATION, MEDIAN, ERROR_RATE, VOLUME = range(7)
"""Columns of what is measured."""


class Rings(NamedTuple):
    """The lines that are within the window, in the order they came: s services, at most c lines of each."""

    times: NDArray[np.int64]
    """(s, c) microseconds."""
    values: NDArray[np.float32]
    """(s, c) response times, NaN where there is none."""
    errors: NDArray[np.bool_]
    """(s, c)"""
    ordered: NDArray[np.float32]
    """(s, c) the response times there are, in order."""
    counts: NDArray[np.int64]
    """(s, 4): place of the oldest line, lines, response times, errors."""
    sums: NDArray[np.float64]
    """(s, 2): of the response times, and of their squares."""
    clocks: NDArray[np.int64]
    """(s,) the latest time of each service, or :data:`NO_TIME`."""


class Services(NamedTuple):
    """Which service has which place."""

    names: NDArray[np.uint64]
    """(s,) hashes of the services' names."""
    seen: NDArray[np.int64]
    """(s,) the number of the line that each was last seen in; -1 for a free place."""
    table: NDArray[np.int64]
    """(2 ** k,) places by hash, with open addressing; -1 where there is none."""


FIRST, LINES, TIMED, ERRORS = range(4)
"""Columns of the counts."""


@inlined
def _position(ordered: NDArray[np.float32], n: int, value: np.float32) -> np.uint64:
    """How many of the first n are smaller."""
    below, left = np.uint64(0), np.uint64(n)
    while left > 1:
        half = left >> np.uint64(1)
        below = below + half if ordered[below + half - np.uint64(1)] < value else below
        left -= half
    return below + np.uint64(left == 1 and ordered[below] < value)


@inlined
def forget_oldest(rings: Rings, k: int) -> None:
    """Take the oldest line of service k out of its window."""
    counts, capacity = rings.counts[k], rings.times.shape[1]
    first = counts[FIRST]
    value = rings.values[k, first]
    if not np.isnan(value):
        ordered, n = rings.ordered[k], counts[TIMED]
        at = _position(ordered, n, value)
        later = ordered[at:n]
        for place in range(len(later) - 1):
            later[place] = later[place + 1]
        rings.sums[k, 0] -= value
        rings.sums[k, 1] -= np.float64(value) * value
        counts[TIMED] -= 1
    counts[ERRORS] -= rings.errors[k, first]
    counts[LINES] -= 1
    counts[FIRST] = first + 1 if first + 1 < capacity else 0


@inlined
def remember(rings: Rings, k: int, time: int, value: np.float32, error: bool) -> None:
    """Put a line into the window of service k, where there is room for it."""
    counts, capacity = rings.counts[k], rings.times.shape[1]
    place = counts[FIRST] + counts[LINES]
    place -= capacity if place >= capacity else 0
    rings.times[k, place] = time
    rings.values[k, place] = value
    rings.errors[k, place] = error
    counts[LINES] += 1
    counts[ERRORS] += error
    if not np.isnan(value):
        ordered, n = rings.ordered[k], counts[TIMED]
        at = _position(ordered, n, value)
        later = ordered[at : n + 1]
        for place in range(len(later) - 1, 0, -1):
            later[place] = later[place - 1]
        ordered[at] = value
        counts[TIMED] += 1
        rings.sums[k, 0] += value
        rings.sums[k, 1] += np.float64(value) * value
    if place == capacity - 1:
        _add_up_again(rings, k)


@lean
def _add_up_again(rings: Rings, k: int) -> None:
    """Sums of what is there, so that the rounding of sums and differences does not pile up."""
    total, squares = 0.0, 0.0
    for place in range(rings.counts[k, TIMED]):
        value = np.float64(rings.ordered[k, place])
        total += value
        squares += value * value
    rings.sums[k, 0] = total
    rings.sums[k, 1] = squares


@inlined
def _measure(rings: Rings, k: int, out: NDArray[np.float32]) -> None:
    """Mean, deviation, median, error rate and volume of the window of service k."""
    lines, n = rings.counts[k, LINES], rings.counts[k, TIMED]
    out[ERROR_RATE] = rings.counts[k, ERRORS] / lines
    out[VOLUME] = lines
    if n == 0:
        out[MEAN] = out[DEVIATION] = out[MEDIAN] = np.nan
        return
    mean = rings.sums[k, 0] / n
    out[MEAN] = mean
    variance = (rings.sums[k, 1] - n * mean * mean) / (n - 1) if n > 1 else 0.0
    out[DEVIATION] = np.sqrt(max(variance, 0.0))
    ordered, half = rings.ordered[k], n >> 1
    out[MEDIAN] = ordered[half] if n & 1 else 0.5 * (np.float64(ordered[half]) + ordered[half - 1])


@inlined
def place_of(services: Services, name: np.uint64) -> int:
    """The place of a service, or -1."""
    last = len(services.table) - 1
    slot = np.int64(name & np.uint64(last))
    while services.table[slot] >= 0:
        if services.names[services.table[slot]] == name:
            return int(services.table[slot])
        slot = (slot + 1) & last
    return -1


@lean
def enter(services: Services, name: np.uint64) -> int:
    """A place for a service that has none: a free one, or that of the service that was unseen the longest."""
    place = int(np.argmin(services.seen))
    taken = services.seen[place] >= 0
    services.names[place] = name
    services.seen[place] = 0
    if taken:
        enter_all(services)
    else:
        _enter_in_table(services, place)
    return place


@lean
def _enter_in_table(services: Services, place: int) -> None:
    last = len(services.table) - 1
    slot = np.int64(services.names[place] & np.uint64(last))
    while services.table[slot] >= 0:
        slot = (slot + 1) & last
    services.table[slot] = place


@lean
def enter_all(services: Services) -> None:
    """Fill the table anew."""
    services.table[:] = -1
    for place in range(len(services.seen)):
        if services.seen[place] >= 0:
            _enter_in_table(services, place)


@lean
def roll(
    rings: Rings,
    services: Services,
    overall: Rings,
    names: NDArray[np.uint64],
    times: NDArray[np.int64],
    values: NDArray[np.float32],
    errors: NDArray[np.bool_],
    window: int,
    first_line: int,
    out: NDArray[np.float32],
) -> None:
    """Take in n lines and fill ``out`` (n, 7) with what the windows hold after each.

    Parameters
    ----------
    rings, services : of the services, changed in place.
    overall : of all lines, as those of one service without response times.
    names : (n,) hashes of the services' names.
    times : (n,) microseconds, or :data:`NO_TIME`.
    values : (n,) response times; negative, infinite and NaN ones count as missing.
    errors : (n,) whether a line is an error.
    window : microseconds.
    first_line : the number of the first line.
    """
    missing = np.float32(np.nan)
    for i in range(len(names)):
        now = _advanced(overall, 0, times[i])
        _forget_before(overall, 0, now - window)
        remember(overall, 0, now, missing, False)
        k = place_of(services, names[i])
        if k < 0:
            k = enter(services, names[i])
            rings.counts[k] = 0
            rings.sums[k] = 0.0
            rings.clocks[k] = NO_TIME
        services.seen[k] = first_line + i
        before = rings.clocks[k]
        own = _advanced(rings, k, times[i] if times[i] != NO_TIME else overall.clocks[0])
        out[i, SINCE_LAST] = (own - before) / 1e6 if before != NO_TIME else np.nan
        _forget_before(rings, k, own - window)
        remember(rings, k, own, values[i] if 0 <= values[i] < np.inf else missing, errors[i])
        _measure(rings, k, out[i])
        out[i, IN_WINDOW] = overall.counts[0, LINES]


@inlined
def _advanced(rings: Rings, k: int, time: int) -> int:
    """The clock of service k after a line: a late line counts as of now, and so does one without a time."""
    rings.clocks[k] = max(rings.clocks[k], time)
    return int(rings.clocks[k]) if rings.clocks[k] != NO_TIME else LONG_AGO


@inlined
def _forget_before(rings: Rings, k: int, time: int) -> None:
    """Take lines out of the window that are not after a time, and the oldest one where there is no room."""
    counts, capacity = rings.counts[k], rings.times.shape[1]
    while counts[LINES] > 0 and (rings.times[k, counts[FIRST]] <= time or counts[LINES] == capacity):
        forget_oldest(rings, k)
