"""Tables with a record a line: Parquet, CSV, JSON documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.sources.files import FileSource, open_source
from anomaly_detection.sources.logs._fields import Clock, Found, Typed, typed
from anomaly_detection.sources.logs._pattern import cut
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs.columns import FIELDS, MOST_PATHS, LogColumns, usual
from anomaly_detection.sources.logs.counts import LogCounts
from anomaly_detection.sources.logs.format import LogFormat
from anomaly_detection.sources.logs.joining import MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from anomaly_detection.sources._bytes import Limits

BATCH = 65_536


class TableLog:
    """A table whose columns are those of a log.

    Parameters
    ----------
    path : the file.
    kind : ``csv``, ``parquet`` and so on; None tells it.
    given : the columns that the user named.
    zone : of times that name none.
    reference : the time that time stamps without a year are near, in microseconds since 1970.
    service : of records that name none.
    limits : how much the file may make this process do.

    Raises
    ------
    SchemaError
        for a column that the file does not have.
    """

    def __init__(
        self,
        path: str | Path,
        kind: str | None,
        given: LogColumns,
        zone: str,
        reference: int,
        service: str | None,
        encoding: str,
        limits: Limits | None,
    ) -> None:
        self._source: FileSource = open_source(path, format=kind, encoding=encoding, limits=limits)
        self._clock, self._service = Clock(zone, reference), service
        columns = columns_of(self._source.columns, given, self._source.name)
        self.format = LogFormat("table", columns, zone=zone)
        self.name = self._source.name
        self.counts = LogCounts()

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file was read."""
        return self._source.notes

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records in file order."""
        self.counts = LogCounts()
        self._as_text()
        first = 1
        for batch in self._source.batches(BATCH):
            yield self._frame(batch, first)
            first += batch.height

    def close(self) -> None:
        """Delete the temporary copy of standard input, if there is one."""
        self._source.close()

    def _as_text(self) -> None:
        """Have the columns of a text file read as they stand there."""
        if not self._source.format.startswith(("parquet", "json")):
            self._source.with_dtypes(dict.fromkeys(self._source.columns, pl.String))

    def _frame(self, batch: pl.DataFrame, first: int) -> pl.DataFrame:
        columns = self.format.columns
        made, shortened = typed_rows(batch, columns, self._clock)
        self.counts += LogCounts(shortened=shortened)
        self.counts += LogCounts(
            lines=batch.height,
            decoded=batch.height,
            unknown_levels=made.unknown_levels,
            unreadable_times=made.unreadable_times,
            unusable_values=made.unusable_values,
        )
        if self._service is not None:
            made.columns["service"] = made.columns["service"].fill_null(self._service)
        numbers = pl.Series("line", np.arange(first, first + batch.height, dtype=np.uint64))
        return pl.DataFrame([*(made.columns[name].alias(name) for name in columns.named), numbers])


def columns_of(names: Sequence[str], given: LogColumns, table: str) -> LogColumns:
    """Which columns of a table hold what: those that the user named, else those with the usual names.

    Raises
    ------
    SchemaError
        for a column that the table does not have.
    """
    known = given.as_dict()
    for field, asked in known.items():
        for name in asked:
            if name not in names:
                shown = ", ".join(names[:20])
                raise SchemaError(f"{table} has no column {name!r} for {field}. It has {shown}.")
    taken = {name for asked in known.values() for name in asked}
    for field in FIELDS:
        if field not in known:
            known[field] = [name for name in usual(field, names) if name not in taken][:MOST_PATHS]
            taken |= set(known[field])
    return LogColumns.of(known)


def typed_rows(table: pl.DataFrame, columns: LogColumns, clock: Clock) -> tuple[Typed, int]:
    """The columns of a log, and how many messages were shortened."""
    found = {field: _found(table, columns.of_field(field), field) for field in FIELDS if columns.of_field(field)}
    shortened = 0
    if "message" in found:
        messages, long = cut(found["message"].spans, MESSAGE_BYTES)
        found["message"] = Found(messages, found["message"].names)
        shortened = int(long.sum())
    return typed(found, columns, table.height, clock), shortened


def _found(batch: pl.DataFrame, names: tuple[str, ...], field: str) -> Found:
    texts = [_text(batch[name]) for name in names]
    if field != "message":
        texts = [text.set(text == "", None) for text in texts]
    which = pl.coalesce([pl.when(text.is_not_null()).then(i) for i, text in enumerate(texts)]).fill_null(0)
    chosen = pl.select(pl.coalesce(texts).alias("text"), which.cast(pl.Int64).alias("which"))
    return Found(Spans.of(chosen["text"]), chosen["which"].to_numpy())


def _text(column: pl.Series) -> pl.Series:
    """The values of a column as text, times in ISO 8601."""
    if column.dtype == pl.String:
        return _without_nul(column)
    if isinstance(column.dtype, pl.Datetime):
        zoned = column.dtype.time_zone is not None
        utc = column.dt.convert_time_zone("UTC") if zoned else column
        return utc.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f" + ("Z" if zoned else ""))
    if column.dtype == pl.Binary:
        return _without_nul(pl.Series([None if v is None else v.decode(errors="replace") for v in column.to_list()]))
    if column.dtype.is_nested() or column.dtype == pl.Object:
        return pl.Series([None if value is None else str(value) for value in column.to_list()], dtype=pl.String)
    return column.cast(pl.String, strict=False)


def _without_nul(column: pl.Series) -> pl.Series:
    texts = column.cast(pl.String)
    return (
        texts.str.replace_all("\0", "\ufffd", literal=True) if texts.str.contains("\0", literal=True).any() else texts
    )
