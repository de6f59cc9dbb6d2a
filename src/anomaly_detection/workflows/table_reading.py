"""Where tables for the checks come from: a file, a directory of daily files, or a table of a database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import InputError, ParameterError, SchemaError, SourceError
from anomaly_detection.features.series.calendar import check_zone
from anomaly_detection.features.series.clock import clock_of, read_microseconds
from anomaly_detection.sources.files import open_source
from anomaly_detection.sources.sql import SqlTable
from anomaly_detection.workflows.reading import check_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

STEPS = {"day": "1d", "hour": "1h"}

MOST_STEPS = 100_000
"""Days or hours that a table may span; more is a wrong time."""


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where a table is, and how its runs are told apart.

    Parameters
    ----------
    data : a file, or a directory of daily files.
    url, table : a database and its table, in place of ``data``.
    timestamp : a column that says when each row was; each day or hour is then a run.
    every : ``day`` or ``hour``.
    zone : the zone of the days.
    history : a folder of remembered runs, a directory of daily files, or a file with an earlier table.
    segments : columns whose values part the table.
    now : the present; rows and files that are later are left out. That of the clock when not given.
    title : what the table is called in messages; the name of the table or file when not given.
    """

    data: str | None = None
    url: str | None = None
    table: str | None = None
    timestamp: str | None = None
    every: str = "day"
    zone: str | None = None
    history: str | None = None
    segments: tuple[str, ...] = ()
    now: datetime | None = None
    title: str | None = None

    def __post_init__(self) -> None:
        check_place(self.data, self.url, self.table)
        if self.every not in STEPS:
            raise ParameterError(f"every is {self.every!r}; it must be one of {', '.join(STEPS)}.")
        check_zone(self.zone)

    @property
    def name(self) -> str:
        """What the table is called in messages."""
        if self.title is not None:
            return self.title
        return self.table if self.table is not None else Path(str(self.data)).name or str(self.data)

    @property
    def folder(self) -> Path | None:
        """The directory of daily files, where it is one."""
        return Path(self.data) if self.data is not None and Path(self.data).is_dir() else None

    @property
    def present(self) -> int | None:
        """The present in microseconds since 1970 UTC; None if it was not given."""
        return None if self.now is None else microseconds(self.now)

    def sql(self) -> SqlTable:
        """Open the table of a database; raises as :class:`~anomaly_detection.sources.sql.SqlTable` does."""
        return SqlTable(str(self.url), str(self.table))

    def read(self, columns: Sequence[str] = ()) -> pl.DataFrame:
        """The records of the file.

        Raises
        ------
        SourceError
            if it cannot be read as records.
        SchemaError
            for a column that is not there.
        """
        with open_source(str(self.data)) as source:
            check_columns([*columns, *self.segments], source)
            return source.read()

    def buckets(self, moments: pl.Series) -> pl.Series:
        """(n,) the day or hour of each moment."""
        return moments.dt.truncate(STEPS[self.every]).alias("bucket")

    def moments(self, frame: pl.DataFrame) -> pl.Series:
        """(n,) when each row was, as the wall shows it; null where it has no time, or a later one than the present.

        Raises
        ------
        SchemaError
            where the column holds no times.
        """
        column = frame[str(self.timestamp)]
        known = column.is_not_null()
        if not known.any():
            raise SchemaError(f"Column {column.name!r} is to say when each row was, and it is empty.")
        clock = clock_of(column.filter(known))
        if not clock.is_clock:
            raise SchemaError(f"Column {column.name!r} holds numbers that are no times. Name another one.")
        moments = pl.Series(read_microseconds(column, clock)).cast(pl.Datetime("us"))
        if self.present is not None:
            known &= moments.cast(pl.Int64) <= self.present
        if self.zone is not None:
            moments = moments.dt.replace_time_zone("UTC").dt.convert_time_zone(self.zone).dt.replace_time_zone(None)
        return moments.set(~known, None)

    def bucket_now(self) -> datetime | None:
        """The day or hour of the present, as the wall shows it."""
        return None if self.now is None else self._on_the_wall(self.now)[1]

    def so_far(self, last: datetime) -> timedelta | None:
        """How much of a day or hour, given by its begin, is over; None where all of it is.

        The present is that of the clock where none was given.
        """
        moment, begin = self._on_the_wall(self.now or datetime.now(UTC))
        return moment - begin if begin == last else None

    def _on_the_wall(self, moment: datetime) -> tuple[datetime, datetime]:
        """A moment, and when its day or hour began."""
        utc = pl.Series([aware(moment)]).cast(pl.Datetime("us", "UTC"))
        local = utc.dt.convert_time_zone(self.zone or "UTC").dt.replace_time_zone(None)
        return local[0], local.dt.truncate(STEPS[self.every])[0]


def check_place(data: str | None, url: str | None, table: str | None) -> None:
    """Make sure that one place is named, and that a file or directory is there.

    Raises
    ------
    ParameterError
        for none, several, or half of one.
    SourceError
        for a path that leads nowhere.
    """
    if (data is None) == (url is None):
        raise ParameterError("Give a file or a directory, or --url with --table; one of them.")
    if (url is None) != (table is None):
        raise ParameterError("--url says which database and --table which table of it. Give both.")
    if data is not None and data != "-" and not Path(data).exists():
        raise SourceError(f"There is no file or directory {data!r}. Check the path.")


def microseconds(moment: datetime) -> int:
    """A time in microseconds since 1970 UTC; it is in UTC where it has no zone."""
    return int(aware(moment).timestamp() * 1e6)


def aware(moment: datetime) -> datetime:
    """A time with a zone; UTC where it had none."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def filled(counts: Sequence[tuple[Any, int]], every: str, until: datetime | None) -> list[tuple[datetime, int]]:
    """Counts of days or hours with those between that have no rows, up to the present.

    Raises
    ------
    InputError
        where there is no row, or the times span more than there can be.
    """
    if not counts:
        raise InputError("No row has a time, so there is nothing to learn from.")
    frame = pl.DataFrame(
        {"bucket": [_moment(one) for one, _ in counts], "rows": [count for _, count in counts]},
        schema={"bucket": pl.Datetime("us"), "rows": pl.Int64},
    ).sort("bucket")
    if until is not None:
        frame = frame.filter(pl.col("bucket") <= until)
    if not len(frame):
        raise InputError("No row is from before the present, so there is nothing to learn from.")
    first, last = frame["bucket"][0], until if until is not None else frame["bucket"][-1]
    steps = (last - first).total_seconds() / {"day": 86_400, "hour": 3_600}[every]
    if steps > MOST_STEPS:
        raise InputError(f"The times go from {first} to {last}. Correct the ones that are wrong.")
    every_ = pl.datetime_range(first, last, STEPS[every], eager=True).alias("bucket").to_frame()
    made = every_.join(frame, on="bucket", how="left").with_columns(pl.col("rows").fill_null(0)).sort("bucket")
    return list(made.iter_rows())


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    return datetime.fromisoformat(str(value)).replace(tzinfo=None)
