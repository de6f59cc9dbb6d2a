"""How far ahead a forecast goes: a number of rows, or a duration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.series.clock import DAY, SECOND

if TYPE_CHECKING:
    from anomaly_detection.features.series.clock import Clock

UNITS = {
    "ms": SECOND // 1000,
    "s": SECOND,
    "m": 60 * SECOND,
    "min": 60 * SECOND,
    "h": DAY // 24,
    "d": DAY,
    "w": 7 * DAY,
}
"""What durations are written in, in microseconds."""

MOST = 100_000
"""A forecast has at most so many rows."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def rows_ahead(horizon: int | str, step: int, clock: Clock) -> int:
    """How many rows of a series a horizon is; a part of a row counts as one.

    Raises
    ------
    ParameterError
        for what is neither a number nor a duration, a duration where rows are only counted, or too many rows.

    >>> from anomaly_detection.features.series.clock import Clock
    >>> rows_ahead("7d", 3_600_000_000, Clock("dates")), rows_ahead(24, 1, Clock("rows"))
    (168, 24)
    """
    text = str(horizon).strip().lower()
    rows = int(text) if text.isdigit() else _of_duration(text, step, clock)
    if not 1 <= rows <= MOST:
        raise ParameterError(f"A horizon of {horizon} is {rows:,} rows here; it has to be 1 to {MOST:,}.")
    return rows


def _of_duration(text: str, step: int, clock: Clock) -> int:
    found = _DURATION.fullmatch(text)
    if found is None or found[2] not in UNITS:
        raise ParameterError(
            f"A horizon is a number of rows, such as 24, or a duration, such as 90min, 12h, 7d or 2w; got {text!r}."
        )
    if not clock.is_clock:
        raise ParameterError(
            f"The times only count rows, so a horizon of {text!r} says nothing. Give rows, such as 24."
        )
    return int(-(-float(found[1]) * UNITS[found[2]] // step))
