"""Array loops of features.py: names to numbers, and the columns that need no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._terms_kernels import SMALL
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 86_400_000_000
"""Microseconds."""

MINUTE = np.uint64(60_000_000)
PER_MICROSECOND = 2 * np.pi / DAY

CALENDAR, LEVELS = 4, 5
"""Columns of the calendar, and of the levels."""


def _turns(count: int) -> NDArray[np.float64]:
    """(count, 2) sine and cosine of so many even parts of a turn."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.column_stack([np.sin(angles), np.cos(angles)])


TURNS, WEEKDAYS = _turns(24 * 60), _turns(7)

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_S29, _S32 = np.uint64(29), np.uint64(32)


@lean
def hash_names(data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Fill ``out`` (n,) with hashes of names that are bytes one behind the other; capitals count."""
    for i in range(len(out)):
        value = _BASIS
        for at in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[at])) * _PRIME
        value = (value ^ (value >> _S32)) * _MIX
        out[i] = value ^ (value >> _S29)


@lean
def level_codes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], known: NDArray[np.uint64], out: NDArray[np.int64]
) -> None:
    """Fill ``out`` (n,) with the place of each level among the hashes of those that are known, -1 for others."""
    for i in range(len(out)):
        value = _BASIS
        for at in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(SMALL[data[at]])) * _PRIME
        out[i] = -1
        for k in range(len(known)):
            if known[k] == value:
                out[i] = k


@lean
def fill_numbers(
    times: NDArray[np.int64],
    levels: NDArray[np.int64],
    services: NDArray[np.uint64],
    response_times: NDArray[np.float32],
    status_codes: NDArray[np.float32],
    rolled: NDArray[np.float32],
    known: NDArray[np.uint64],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` (n, 18 + s) with the features of lines but for those of messages, each row in one go.

    Parameters
    ----------
    rolled : (n, 7) of the windows.
    known : at most s hashes of services with a column of their own.
    """
    count = out.shape[1] - 2 - CALENDAR - LEVELS - rolled.shape[1]
    for i in range(len(times)):
        row, of_windows = out[i], rolled[i]
        row[0], row[1] = response_times[i], status_codes[i]
        _put_calendar(times[i], row[2:])
        row[6], row[7] = of_windows[0], of_windows[1]
        for k in range(LEVELS):
            row[8 + k] = levels[i] == k
        ones = row[8 + LEVELS :]
        for k in range(count):
            ones[k] = k < len(known) and services[i] == known[k]
        last = ones[count:]
        for k in range(2, len(of_windows)):
            last[k - 2] = of_windows[k]


@inlined
def _put_calendar(time: int, row: NDArray[np.float32]) -> None:
    """Sine and cosine of the time of day, and of the day of the week; NaN without a time.

    Those of whole minutes are in a table, and a rest below a minute is turned on by its series, to 1e-13.
    """
    if time == NO_TIME:
        for k in range(CALENDAR):
            row[k] = np.nan
        return
    of_day = np.uint64(time % DAY)
    turn = TURNS[of_day // MINUTE]
    angle = np.float64(of_day % MINUTE) * PER_MICROSECOND
    square = angle * angle
    sine, cosine = angle * (1.0 - square / 6.0), 1.0 - square * (0.5 - square / 24.0)
    row[0], row[1] = turn[0] * cosine + turn[1] * sine, turn[1] * cosine - turn[0] * sine
    weekday = WEEKDAYS[np.uint64((time // DAY + 3) % 7)]  # 1 January 1970 was a Thursday; Monday is 0
    row[2], row[3] = weekday[0], weekday[1]
