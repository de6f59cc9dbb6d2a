"""Fields of many lines as texts, and what they mean: from raw values to typed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from anomaly_detection.sources.logs import levels, numbers, times
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs.columns import TEXTS, LogColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Lines


class Found(NamedTuple):
    """The raw values of one column, and which of its names each was found under (None: the first)."""

    spans: Spans
    names: NDArray[np.int64] | None = None

    def take(self, rows: NDArray[np.int64]) -> Found:
        """Some of the values."""
        return Found(self.spans.take(rows), None if self.names is None else self.names[rows])


class Decoded(NamedTuple):
    """What a decoder found in lines: (lines,) which it could read, and their raw values by column."""

    ok: NDArray[np.bool_]
    fields: Mapping[str, Found]


class Decoder(Protocol):
    """Reads the lines of one format.

    Attributes
    ----------
    joins : which other lines belong to the line before them: ``trace`` those that look like a stack trace, ``any`` all.
    orphans : whether a line that belongs to no other is a record by itself.
    """

    joins: str
    orphans: bool

    def decode(self, lines: Lines) -> Decoded:
        """Find the raw values in lines."""
        ...


class Clock(NamedTuple):
    """The zone of time stamps that name none, and the time that those without a year are near, in microseconds."""

    zone: str
    reference: int


class Typed(NamedTuple):
    """Columns of a log frame, and how many values could not be used."""

    columns: dict[str, pl.Series]
    unknown_levels: int
    unreadable_times: int
    unusable_values: int


def typed(fields: Mapping[str, Found], columns: LogColumns, rows: int, clock: Clock) -> Typed:
    """Read raw values as what they mean.

    Parameters
    ----------
    fields : by column of a log frame; columns that are not there are missing throughout.
    columns : the names that the values were found under, for their units.
    rows : how many values each has.
    clock : what time stamps leave out.
    """
    missing = Found(Spans.missing(rows))
    made: dict[str, pl.Series] = {}
    found = fields.get("time", missing)
    stamps, unread = times.instants(found.spans, clock.zone, clock.reference)
    made["time"] = times.time_column(stamps)
    found = fields.get("level", missing)
    codes = levels.level_codes(found.spans, _of_names(found, columns.level, levels.scale_of))
    made["level"] = levels.level_column(codes)
    unusable = 0
    for name in columns.named:
        found = fields.get(name, missing)
        if name in TEXTS:
            made[name] = found.spans.series(name)
        elif name == "response_time":
            values, states = numbers.durations(found.spans, _of_names(found, columns.response_time, _power))
            made[name] = numbers.duration_column(values)
            unusable += int(numbers.unusable(states).sum())
        elif name == "status_code":
            whole, bad = numbers.wholes(found.spans)
            made[name] = numbers.whole_column(whole)
            unusable += int(bad.sum())
    return Typed(made, int((codes == -2).sum()), int(unread.sum()), unusable)


def _power(name: str) -> int:
    return numbers.POWERS[numbers.unit_of(name)]


def _of_names(found: Found, names: tuple[str, ...], meaning: Callable[[str], int]) -> NDArray[np.int64]:
    """(rows,) what the name of each value says."""
    said = np.array([meaning(name) for name in names] or [0], np.int64)
    return np.full(found.spans.starts.size, said[0]) if found.names is None else said[found.names]
