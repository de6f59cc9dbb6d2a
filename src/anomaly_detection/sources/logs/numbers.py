"""Response times as milliseconds, status codes as whole numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.sources.logs._values_kernels import LONG, READ, REFUSED, UNREADABLE, read_durations, read_wholes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Spans

MISSING_WHOLE = np.iinfo(np.int64).min
"""In place of a whole number: none."""

UNITS: dict[str, tuple[str, ...]] = {
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds"),
    "us": ("us", "usec", "usecs", "micro", "micros", "microsecond", "microseconds"),
    "ns": ("ns", "nsec", "nsecs", "nano", "nanos", "nanosecond", "nanoseconds"),
}
"""The last word of a field's name, and the unit it says."""

POWERS = {"s": 3, "ms": 0, "us": -3, "ns": -6}
"""The power of ten from a unit to milliseconds."""

_SECONDS = ("request_time", "upstream_response_time", "upstream_connect_time", "upstream_header_time")
_NANOSECONDS = ("event.duration",)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_NUMBER = re.compile(rb"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def unit_of(field: str) -> str:
    """The unit of the numbers in a field: what its name ends in; else seconds for nginx's names, else milliseconds.

    >>> unit_of("latency_ms"), unit_of("elapsedSeconds"), unit_of("request_time"), unit_of("duration")
    ('ms', 's', 's', 'ms')
    """
    if field.lower() in _NANOSECONDS:
        return "ns"
    last = field.rpartition(".")[2]
    return _unit_word(last) or ("s" if last.lower() in _SECONDS else "ms")


def without_unit(field: str) -> str:
    """The name of a field without the unit at its end.

    >>> without_unit("http.latency_ms"), without_unit("elapsedSeconds"), without_unit("ms")
    ('http.latency', 'elapsed', 'ms')
    """
    before, dot, last = field.rpartition(".")
    return before + dot + "".join(_WORD.findall(last)[:-1]) if _unit_word(last) else field


def _unit_word(name: str) -> str | None:
    """The unit that the last of several words says."""
    words = _WORD.findall(name)
    ending = words[-1].lower() if len(words) > 1 else ""
    return next((unit for unit, endings in UNITS.items() if ending in endings), None)


def durations(texts: Spans, powers: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Read durations, such as ``12.5``, ``12ms`` or ``1.5 s``, as milliseconds.

    Parameters
    ----------
    texts : the durations.
    powers : (rows,) the power of ten from the unit of the field to milliseconds; a unit in the text goes before it.

    Returns
    -------
    Milliseconds, NaN where there are none; and ABSENT, READ, REFUSED (below 0, NaN or infinite) or UNREADABLE.
    """
    rows = texts.starts.size
    values, states = np.empty(rows), np.empty(rows, np.uint8)
    read_durations(texts.text, texts.starts, texts.ends, powers, np.empty(0), values, states)
    long = np.flatnonzero(states == LONG)
    if long.size:
        exact = np.array([_exact(texts.raw(row)) for row in long.tolist()])
        few = texts.take(long)
        more, found = np.empty(long.size), np.empty(long.size, np.uint8)
        read_durations(few.text, few.starts, few.ends, powers[long], exact, more, found)
        values[long], states[long] = more, found
    return values, states


def wholes(texts: Spans) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read whole numbers, such as ``200``: the numbers, MISSING_WHOLE where there is none, and which cannot be read."""
    rows = texts.starts.size
    values, states = np.empty(rows, np.int64), np.empty(rows, np.uint8)
    read_wholes(texts.text, texts.starts, texts.ends, values, states)
    values[states != READ] = MISSING_WHOLE
    return values, states == UNREADABLE


def unusable(states: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which durations were there and are no number from 0 on."""
    return np.asarray((states == REFUSED) | (states == UNREADABLE))


def duration_column(values: NDArray[np.float64]) -> pl.Series:
    """Milliseconds as a column, missing ones null."""
    return pl.Series("response_time", values).fill_nan(None)


def whole_column(values: NDArray[np.int64]) -> pl.Series:
    """Whole numbers as a column, missing ones null."""
    missing = values == MISSING_WHOLE
    column = pl.Series("status_code", values)
    return column.set(pl.Series(missing), None) if missing.any() else column


def _exact(text: bytes) -> float:
    found = _NUMBER.match(text.strip())
    return float(found.group()) if found else float("nan")
