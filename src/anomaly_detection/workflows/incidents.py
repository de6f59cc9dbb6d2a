"""A file of known incidents: when each began and ended, what it was about, and how it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.evaluation.backtest import Incident
from anomaly_detection.features.series.clock import ROWS, Clock, clock_of, read_microseconds
from anomaly_detection.records import quoted
from anomaly_detection.sources.files import open_source

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

COLUMNS = ("start", "end", "key", "name")


def read_incidents(path: str, clock: Clock) -> list[Incident]:
    """Read incidents, in order of their start.

    Parameters
    ----------
    path : a file with the columns ``start`` and ``end``, and perhaps ``key`` and ``name``; an incident without a key is
        about any.
    clock : how the rows of the history are read; times without a zone are of its zone.

    Raises
    ------
    SourceError
        if it cannot be read as records.
    SchemaError
        for a column that is missing, or a time that cannot be read.
    InputError
        if an incident ends before it starts, or has no time.
    """
    with open_source(path) as source:
        frame = source.read()
        name = source.name
    missing = [each for each in COLUMNS[:2] if each not in frame.columns]
    if missing:
        raise SchemaError(
            f"{name} has no column {missing[0]!r}; incidents have start and end, and perhaps key and name. Its columns "
            f"are {quoted(frame.columns)}."
        )
    start, end = (_times(frame[each], clock, name) for each in COLUMNS[:2])
    late = [i for i in range(len(frame)) if start[i] > end[i]]
    if late:
        row = frame.row(late[0], named=True)
        raise InputError(f"{name}: incident {late[0] + 1} ends at {row['end']}, before it starts at {row['start']}.")
    keys, names = (_texts(frame, each) for each in COLUMNS[2:])
    found = [Incident(int(start[i]), int(end[i]), keys[i], names[i] or "") for i in range(len(frame))]
    return sorted(found, key=lambda one: (one.start, one.key or ""))


def _times(column: pl.Series, clock: Clock, name: str) -> NDArray[np.int64]:
    if column.null_count():
        raise InputError(f"{name}: {column.null_count()} of {len(column)} incidents have no {column.name}.")
    own = clock_of(column, clock.zone) if clock.is_clock else Clock(ROWS)
    if clock.is_clock and not own.is_clock:
        raise SchemaError(f"{name}: {column.name} counts rows, and the rows of the history have times. Give times.")
    return read_microseconds(column, own)


def _texts(frame: pl.DataFrame, name: str) -> list[str | None]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if value is None or not str(value).strip() else str(value) for value in frame[name].to_list()]
