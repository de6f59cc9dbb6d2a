"""Some rows of a table in a database, read by ranges of its key, so that a large table is never fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import ParameterError, SourceError
from anomaly_detection.records import counted
from anomaly_detection.sources.sql_profile import kind_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.sources.sql import SqlTable

MOST_ROWS = 50_000
"""Rows that are read of a table, unless more are asked for."""

RANGES = 64
"""Ranges of the key that rows are read from."""

MOST_EXTREMES = 500
"""Rows that are added because they have the least or greatest number of a column."""

EMPTY_TYPES: dict[str, Any] = {"number": pl.Float64, "time": pl.Datetime, "boolean": pl.Boolean}


@dataclass(frozen=True, slots=True)
class SqlSample:
    """Rows of a table.

    Parameters
    ----------
    frame : the rows.
    total : how many the table has.
    how : how they were chosen, in words; "" for all of them.
    """

    frame: pl.DataFrame
    total: int
    how: str

    def note(self) -> str | None:
        """What to say of a sample; None where all rows were read."""
        if not self.how:
            return None
        return f"looked at {len(self.frame):,} of {counted(self.total, 'row')} ({self.how}); row numbers are those read"


def sample_sql(table: SqlTable, most: int = MOST_ROWS, columns: Sequence[str] = ()) -> SqlSample:
    """Read a table, or a bounded part of it.

    A table with more rows is read by ranges of its whole-number key (in SQLite the row id), spread evenly; without
    one, PostgreSQL chooses pages; elsewhere the first rows are taken. The rows with the least and the greatest number
    of each column, which one aggregate finds, are always among them. The same table gives the same rows.

    Parameters
    ----------
    table : the table.
    most : the most rows to read.
    columns : those to read; all when empty.

    Raises
    ------
    ParameterError
        for fewer than 1 row.
    SchemaError
        for a column that is not there.
    SourceError
        for anything that the database refuses.
    """
    if most < 1:
        raise ParameterError(f"rows is {most}; at least 1 row has to be read.")
    table.check_columns(columns)
    names = [name for name in table.columns if not columns or name in columns]
    total = table.count()
    sampling = _Sampling(table, names)
    if total <= most:
        return SqlSample(sampling.framed(sampling.all_rows()), total, "")
    rows, how = sampling.ranges(most) or sampling.pages(most, total) or sampling.first(most)
    extremes = sampling.extremes(rows)
    how += f", and {len(extremes)} with the least or greatest numbers" if extremes else ""
    return SqlSample(sampling.framed([*rows, *extremes]), total, how)


class _Sampling:
    """The questions that are asked of one table; values come as the driver gives them, whatever columns promise."""

    def __init__(self, table: SqlTable, names: Sequence[str]) -> None:
        self.table, self.sa, self.names = table, table.sa, list(names)
        self.kinds = [kind_of(table.sa, table.columns[name]) for name in names]
        self.plain = self.sa.table(table.name, *map(self.sa.column, names), schema=table.schema)

    def asked(self, source: Any = None) -> Any:
        """A selection of the columns, whose rows are the same each time where the table has a key."""
        found = self.plain if source is None else source
        return self.sa.select(*[found.c[name] for name in self.names])

    def all_rows(self) -> list[Any]:
        key = self.table.whole_number_key()
        asked = self.asked() if key is None else self.asked().order_by(key)
        return self.table.rows(asked)

    def ranges(self, most: int) -> tuple[list[Any], str] | None:
        """Rows of evenly spread ranges of the key; None where there is none."""
        key = self.table.whole_number_key()
        if key is None:
            return None
        asked = self.sa.select(self.sa.func.min(key), self.sa.func.max(key)).select_from(self.plain)
        low, high = map(int, self.table.rows(asked)[0])
        limit = -(-most // RANGES)
        bounds = [low + (high + 1 - low) * n // RANGES for n in range(RANGES + 1)]
        late = np.random.default_rng(0).random(RANGES).tolist()
        rows: list[Any] = []
        for first, end, share in zip(bounds[:-1], bounds[1:], late, strict=True):
            start = first + int(max(end - first - limit, 0) * share)
            rows += self.table.rows(self.asked().where(key >= start, key < end).order_by(key).limit(limit))
        return rows[:most], f"{RANGES} ranges of {key.name}"

    def pages(self, most: int, total: int) -> tuple[list[Any], str] | None:
        """Rows of pages that PostgreSQL chooses; None where it cannot, as of a view."""
        if self.table.dialect != "postgresql":
            return None
        share = self.sa.func.system(min(110.0 * most / total, 100.0))
        source = self.sa.tablesample(self.plain, share, name="part", seed=self.sa.literal(0))
        try:
            rows = self.table.rows(self.asked(source).limit(most))
        except SourceError:
            return None
        return (rows, "pages chosen by the database") if rows else None

    def first(self, most: int) -> tuple[list[Any], str]:
        """The first rows, in the order of the database."""
        return self.table.rows(self.asked().limit(most)), "the first ones, as there is no key to spread them by"

    def extremes(self, rows: Sequence[Any]) -> list[Any]:
        """Rows with the least or greatest number of a column, where none of these has it."""
        places = [place for place, kind in enumerate(self.kinds) if kind == "number"]
        if not places:
            return []
        columns = [self.plain.c[self.names[place]] for place in places]
        asked = [word(column) for column in columns for word in (self.sa.func.min, self.sa.func.max)]
        ends = self.table.rows(self.sa.select(*asked))[0]
        wanted = []
        for n, place in enumerate(places):
            known = {row[place] for row in rows}
            wanted += [columns[n] == end for end in ends[2 * n : 2 * n + 2] if end is not None and end not in known]
        return self.table.rows(self.asked().where(self.sa.or_(*wanted)).limit(MOST_EXTREMES)) if wanted else []

    def framed(self, rows: Sequence[Any]) -> pl.DataFrame:
        """The rows as a frame."""
        columns = list(zip(*rows, strict=True)) or [()] * len(self.names)
        made = zip(self.names, self.kinds, columns, strict=True)
        return pl.DataFrame([_series(name, kind, values) for name, kind, values in made])


def _series(name: str, kind: str, values: Sequence[Any]) -> pl.Series:
    """A column of values as a driver gives them; as text where they are of several types, or of one unknown here."""
    try:
        made = pl.Series(name, values, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        made = pl.Series(name, [], dtype=pl.Object)
    if made.dtype == pl.Object:
        return pl.Series(name, [None if one is None else text_of(one) for one in values], dtype=pl.String)
    return made.cast(EMPTY_TYPES.get(kind, pl.String)) if made.dtype == pl.Null else made
