"""Histories of a table as users have them: lists of numbers, dicts or pairs, and frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.features._reading import read_numbers
from anomaly_detection.features.series.clock import clock_of, read_microseconds
from anomaly_detection.frames import as_frame
from anomaly_detection.records import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COUNTS = ("row_count", "rows", "count", "n_rows", "num_rows", "rowcount", "records", "volume", "value")
"""Names that a column of row counts may have, the likeliest first."""

TIMES = (
    *("timestamp", "date", "time", "datetime", "day", "ds", "run_at", "arrived_at", "loaded_at", "created_at"),
    *("updated_at", "arrival", "partition"),
)
"""Names that a column of times may have, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Row counts of earlier runs, in order of time.

    Parameters
    ----------
    counts : (n,) float64, whole numbers, none below 0.
    time : (n,) microseconds since 1970 UTC, increasing; None where the runs have no times.
    notes : what had to be put right.
    """

    counts: NDArray[np.float64]
    time: NDArray[np.int64] | None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.counts)

    def before(self, moment: int | None) -> Counts:
        """The runs before a moment; what is later than it, or of the same time, is left out and said."""
        if moment is None or self.time is None or not (self.time >= moment).any():
            return self
        kept = self.time < moment
        later, same = int((self.time > moment).sum()), bool((self.time == moment).any())
        notes = [f"{counted(later, 'run')} later than the one that is checked left out"] if later else []
        notes += ["an earlier run of the same time is left out"] if same else []
        return Counts(self.counts[kept], self.time[kept], (*self.notes, *notes))


def read_counts(history: Any) -> Counts:
    """Row counts from what users have.

    Parameters
    ----------
    history : numbers, oldest first; dicts such as ``{"date": "2026-03-01", "row_count": 1000}``; pairs of a time and a
        count; or a frame with such columns.

    Raises
    ------
    InputError
        for a negative or broken count, or columns that cannot be told.
    """
    if isinstance(history, Counts):
        return history
    frame = history_frame(history, COUNTS[0])
    if not len(frame):
        return Counts(np.empty(0), None)
    name = column_named(frame, COUNTS, "the row counts")
    numbers = read_numbers(frame[name]).fill_nan(None)
    check_counts(numbers)
    time = next((one for one in TIMES if one in frame.columns and one != name), None)
    if time is None and len(frame.columns) == 2:
        time = next(one for one in frame.columns if one != name)
    kept = numbers.is_not_null()
    notes = [f"{counted(int((~kept).sum()), 'run')} without a row count left out"] if not kept.all() else []
    if time is None:
        return Counts(numbers.filter(kept).to_numpy(), None, tuple(notes))
    return in_order(numbers, frame[time], kept, notes)


def check_counts(numbers: pl.Series) -> None:
    """Refuse counts that are none.

    Raises
    ------
    InputError
        naming the first such value.
    """
    wrong = numbers.filter((numbers < 0) | numbers.is_infinite() | (numbers != numbers.floor()))
    if len(wrong):
        raise InputError(f"{wrong[0]:g} is no row count. Row counts are whole numbers from 0.")


def in_order(numbers: pl.Series, times: pl.Series, kept: pl.Series, notes: list[str]) -> Counts:
    """Counts sorted by time; of several with one time the last is taken."""
    if times.dtype != pl.Null and times.is_null().any():
        notes.append(f"{counted(times.null_count(), 'run')} without a time left out")
    kept &= times.is_not_null()
    clock = clock_of(times.filter(kept))
    frame = pl.DataFrame({"time": read_microseconds(times.filter(kept), clock), "count": numbers.filter(kept)})
    once = frame.unique("time", keep="last", maintain_order=True).sort("time")
    if len(once) < len(frame):
        notes.append(f"of {counted(len(frame) - len(once), 'run')} with the time of another one the last is taken")
    time = once["time"].to_numpy() if clock.is_clock else None
    return Counts(once["count"].to_numpy(), time, tuple(notes))


def read_arrivals(arrivals: Any) -> NDArray[np.int64]:
    """(n,) microseconds since 1970 UTC, sorted, from times in a list, dicts, or a frame; missing ones are left out.

    Raises
    ------
    InputError
        where no column holds times.
    """
    frame = history_frame(arrivals, TIMES[0])
    if not len(frame):
        return np.empty(0, dtype=np.int64)
    column = frame[column_named(frame, TIMES, "the times of arrival")]
    column = column.filter(column.is_not_null())
    clock = clock_of(column)
    if not clock.is_clock:
        raise SchemaError(f"Column {column.name!r} holds numbers that are no times. Give dates, or seconds since 1970.")
    return np.sort(read_microseconds(column, clock))


def moment_of(value: Any) -> int | None:
    """Microseconds since 1970 UTC of one time; None stays None.

    Raises
    ------
    InputError
        for what is no time.
    """
    if value is None:
        return None
    return int(read_arrivals([value])[0])


def history_frame(history: Any, name: str) -> pl.DataFrame:
    """A frame of what users have; plain values become a column ``name``, pairs a time and a count."""
    if isinstance(history, list | tuple):
        return _of_list(history, name)
    if isinstance(history, pl.Series):
        return history.alias(name).to_frame()
    if isinstance(history, np.ndarray) and history.ndim == 1:
        return pl.DataFrame({name: history})
    return as_frame(history)


def _of_list(history: Sequence[Any], name: str) -> pl.DataFrame:
    if history and isinstance(history[0], list | tuple) and len(history[0]) == 2:
        return pl.DataFrame({"timestamp": [each[0] for each in history], name: [each[1] for each in history]})
    if history and isinstance(history[0], dict):
        return as_frame(list(history))
    try:
        return pl.DataFrame({name: list(history)})
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise InputError(f"The history cannot be read ({error}). Give numbers, dicts or a frame.") from error


def column_named(frame: pl.DataFrame, names: Sequence[str], what: str) -> str:
    """The column that holds what is looked for: one of the names, or the only one there is.

    Raises
    ------
    SchemaError
        with the columns there are.
    """
    lower = {each.lower(): each for each in frame.columns}
    for name in names:
        if name in lower:
            return lower[name]
    if len(frame.columns) == 1:
        return frame.columns[0]
    raise SchemaError(f"No column holds {what}: there are {quoted(frame.columns)}. Name one of them {names[0]!r}.")
