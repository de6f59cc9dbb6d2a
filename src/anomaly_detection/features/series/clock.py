"""Reading a column of time: dates, text, seconds since 1970 in four units, or numbers that only count the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.features._reading import read_numbers, read_times
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECOND = 1_000_000
"""Microseconds in a second."""

DAY = 86_400 * SECOND

EPOCH = (978_307_200, 4_102_444_800)
"""Whole numbers between these, 2001 and 2100, are seconds since 1970; so are those 10^3, 10^6 and 10^9 times larger."""

UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}
"""How many of each there are in a second."""

ROWS = "rows"
"""The unit of numbers that are no clock: each is one step."""

FRACTIONS = "fractions"
"""The unit of numbers with fractions that are no clock: read as seconds."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How a column of time is read; the same for training and for what comes later.

    Parameters
    ----------
    unit : ``"dates"``, a name of :data:`UNITS`, ``"rows"`` or ``"fractions"``.
    zone : the time zone of the calendar; None is UTC.
    """

    unit: str
    zone: str | None = None

    @property
    def is_clock(self) -> bool:
        """Whether there are days and weeks."""
        return self.unit not in (ROWS, FRACTIONS)


def clock_of(column: pl.Series, zone: str | None = None) -> Clock:
    """How to read a column of time, told from its type and its values.

    Parameters
    ----------
    column : dates, text, or numbers.
    zone : the time zone of the calendar, where the column does not say.

    Raises
    ------
    SchemaError
        if it holds neither times nor numbers, or times of day without a date.

    >>> clock_of(pl.Series([1_700_000_000, 1_700_000_060])), clock_of(pl.Series([0, 1, 2]))
    (Clock(unit='seconds', zone=None), Clock(unit='rows', zone=None))
    """
    if column.dtype.is_numeric():
        return Clock(_unit_of(read_numbers(column).drop_nulls().drop_nans()), zone)
    if column.dtype == pl.Datetime:
        own = getattr(column.dtype, "time_zone", None)
        return Clock("dates", zone or (None if own in (None, "UTC") else own))
    read_microseconds(column, Clock("dates"))
    return Clock("dates", zone)


def read_microseconds(column: pl.Series, clock: Clock) -> NDArray[np.int64]:
    """(n,) microseconds since 1970 UTC, or numbers of rows; a missing one is that of the row before, or the next.

    Raises
    ------
    SchemaError
        if the column cannot be read like that, or no row has a time.
    """
    if clock.unit == "dates":
        times = read_times(column)
        if times.dtype != pl.Datetime:
            raise SchemaError(f"Column {column.name!r} holds times of day without a date; a series needs both.")
        found = times.cast(pl.Datetime("us")).cast(pl.Int64)
    else:
        found = _from_numbers(column, clock.unit)
    if found.null_count() == len(found) and len(found):
        raise SchemaError(f"Column {column.name!r} is to say when each row was, and it is empty.")
    filled: NDArray[np.int64] = found.fill_null(strategy="forward").fill_null(strategy="backward").to_numpy()
    return np.array(filled, dtype=np.int64)


def clock_notes(column: pl.Series, clock: Clock) -> list[str]:
    """What to say of how a column of time was read."""
    notes = []
    if clock.unit in UNITS:
        notes.append(f"time: {column.name} is read as {clock.unit} since 1970")
    elif not clock.is_clock:
        notes.append(f"time: {column.name} counts rows; there are no days and weeks")
    missing = column.null_count()
    if missing:
        notes.append(f"time: {counted(missing, 'row')} without a time take that of the row before")
    return notes


def _unit_of(numbers: pl.Series) -> str:
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, float) or not isinstance(high, float):
        return ROWS
    for unit, factor in UNITS.items():
        if EPOCH[0] * factor <= low and high <= EPOCH[1] * factor:
            return unit
    return ROWS if bool((numbers == numbers.floor()).all()) else FRACTIONS


def _from_numbers(column: pl.Series, unit: str) -> pl.Series:
    if not column.dtype.is_numeric() and column.dtype != pl.Null:
        column = read_numbers(column)
    if column.dtype.is_integer() and unit in (ROWS, "microseconds"):
        return column.cast(pl.Int64)
    if column.dtype.is_integer() and unit == "nanoseconds":
        return column.cast(pl.Int64) // 1_000
    factor = 1.0 if unit == ROWS else SECOND / UNITS.get(unit, 1)
    numbers = read_numbers(column).fill_nan(None) * factor
    if bool((numbers.abs() > 9e18).any()):
        raise SchemaError(f"Column {column.name!r} holds times beyond the year 290,000. Correct them.")
    return numbers.round().cast(pl.Int64)
