"""The profile of a table in a database, made by the database: counts, ranges, histograms and frequent values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.quality.segments import MOST_PARTS
from anomaly_detection.quality.table_profile import (
    GRID,
    LARGEST,
    LONGEST_VALUE,
    MOST_VALUES,
    ColumnSketch,
    TableProfile,
)
from anomaly_detection.sources.sql_distinct import EXACT_ROWS, count_distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.quality.segments import Part
    from anomaly_detection.sources.sql import SqlTable

BUCKETS = 100
"""Buckets of equal width in the first histogram of a column."""

MOST_COLUMNS = 100
"""Columns that one query is about; databases have limits."""

CROWDED = 0.05
"""A bucket with more than this share of the rows is divided again."""


def profile_sql(
    table: SqlTable, time: int | None = None, segments: Sequence[str] = (), where: Any = None
) -> TableProfile:
    """Profile a table, or the rows of it that a condition lets through; no row is fetched.

    Parameters
    ----------
    table : the table.
    time : when the run is, microseconds since 1970 UTC.
    segments : columns whose values part the table.
    where : a condition of SQLAlchemy.

    Raises
    ------
    SourceError
        for anything that the database refuses.
    SchemaError
        for a segment that is no column.
    """
    table.check_columns(segments)
    made = _Profiling(table, where)
    rows = int(table.rows(made.ask(table.sa.func.count()))[0][0])
    basics = made.basics(exact=rows <= EXACT_ROWS)
    columns = {name: made.sketch(name, *numbers) for name, numbers in basics.items()}
    return TableProfile(rows, columns, time, table.name, {name: made.parts(name) for name in segments})


class _Profiling:
    """The questions that are asked of one table."""

    def __init__(self, table: SqlTable, where: Any) -> None:
        self.table = table
        self.sa = table.sa
        self.where = where if where is not None else table.sa.true()
        self.kinds = {name: kind_of(table.sa, type_) for name, type_ in table.columns.items()}

    def ask(self, *columns: Any) -> Any:
        """A selection of the rows that are looked at."""
        return self.sa.select(*columns).select_from(self.table.table).where(self.where)

    def value(self, name: str) -> Any:
        """A column with what is missing as NULL, numbers as doubles."""
        column = self.table.table.c[name]
        if self.kinds[name] == "number":
            number = self.sa.cast(column, self.sa.Double)
            return self.sa.case((number.between(-LARGEST, LARGEST), number))
        return self.sa.func.nullif(column, "") if self.kinds[name] == "text" else column

    def basics(self, *, exact: bool) -> dict[str, Sequence[Any]]:
        """Of each column the numbers of rows, of those with a value and of different values, and the range and mean.

        A wide table takes several queries. Different values are counted at once only where ``exact`` says so.
        """
        found: dict[str, Sequence[Any]] = {}
        for names in _few(list(self.kinds)):
            asked = [part for name in names for part in self._basic(name, exact=exact)]
            rows, *numbers = self.table.rows(
                self.ask(self.sa.func.count(), *[each.label(f"a{n}") for n, each in enumerate(asked)])
            )[0]
            found |= {name: (rows, *numbers[5 * n : 5 * n + 5]) for n, name in enumerate(names)}
        return found

    def _basic(self, name: str, *, exact: bool) -> list[Any]:
        value, kind, nothing = self.value(name), self.kinds[name], self.sa.null()
        distinct = self.sa.func.count(value.distinct()) if exact and kind != "nested" else nothing
        ranged = kind == "number"
        range_ = [getattr(self.sa.func, word)(value) if ranged else nothing for word in ("min", "max", "avg")]
        return [self.sa.func.count(value), distinct, *range_]

    def sketch(self, name: str, rows: int, filled: int, distinct: int | None, *range_: float | None) -> ColumnSketch:
        """What is kept of a column; ``range_`` is its lowest, highest and mean number."""
        kind = self.kinds[name]
        if distinct is None and kind != "nested" and filled:
            distinct = count_distinct(self.table, self.ask, self.value(name))
        different = int(distinct or 0)
        few = 0 < different <= (MOST_VALUES // 2 if kind == "number" else max(MOST_VALUES, 0.5 * filled))
        asked = few and filled and kind in ("number", "text", "boolean")
        values = self.top_values(name) if asked else {}
        numbers = self.numbers(name, filled, *range_) if kind == "number" and filled else {}
        return ColumnSketch(kind, int(rows), int(rows) - int(filled), different, values=values, **numbers)

    def top_values(self, name: str) -> dict[str, int]:
        """The most frequent values, with their counts."""
        value, count = self.value(name).label("v"), self.sa.func.count().label("n")
        asked = self.ask(value, count).where(value.is_not(None)).group_by(value).order_by(count.desc(), value)
        return {text_of(each)[:LONGEST_VALUE]: int(n) for each, n in self.table.rows(asked.limit(MOST_VALUES))}

    def numbers(self, name: str, filled: int, low: Any, high: Any, mean: Any) -> dict[str, Any]:
        """Range, spread and quantiles."""
        value = self.value(name)
        off = value - float(mean)
        spread = self.table.rows(self.ask(self.sa.func.avg(off * off)))[0][0]
        buckets = self.histogram(value, float(low), float(high))
        crowded = [each for each in buckets if each[0] > CROWDED * filled and each[1] < each[2]]
        for each in crowded:
            buckets.remove(each)
            buckets += self.histogram(value, each[1], each[2])
        return {
            "mean": float(mean),
            "deviation": float(spread) ** 0.5,
            "low": float(low),
            "high": float(high),
            "quantiles": quantiles_of(sorted(buckets, key=lambda each: each[1])),
        }

    def histogram(self, value: Any, low: float, high: float) -> list[tuple[int, float, float]]:
        """Count, lowest and highest number of each bucket between two values that has any."""
        if low == high:
            count = self.table.rows(self.ask(self.sa.func.count(value)).where(value == low))[0][0]
            return [(int(count), low, high)]
        width = (high / BUCKETS - low / BUCKETS) or 1.0
        bucket = self.sa.func.floor((value - low) / width).label("b")
        functions = self.sa.func
        asked = self.ask(functions.count(), functions.min(value), functions.max(value)).where(value.between(low, high))
        return [(int(n), float(first), float(last)) for n, first, last in self.table.rows(asked.group_by(bucket))]

    def parts(self, by: str) -> dict[str, Part]:
        """Counts and sums of each value of a column; the frequent ones alone."""
        found: dict[str, Part] = {}
        for others in _few([name for name in self.kinds if name != by]):
            for value, part in self._parts(by, others).items():
                there = found.setdefault(value, part)
                there["filled"] |= part["filled"]
                there["sum"] |= part["sum"]
        return found

    def _parts(self, by: str, others: Sequence[str]) -> dict[str, Part]:
        numbers = [name for name in others if self.kinds[name] == "number"]
        value, count = self.value(by).label("v"), self.sa.func.count().label("n")
        asked = self.ask(
            value,
            count,
            *[self.sa.func.count(self.value(name)).label(f"f{n}") for n, name in enumerate(others)],
            *[self.sa.func.sum(self.value(name)).label(f"s{n}") for n, name in enumerate(numbers)],
        )
        found = self.table.rows(asked.group_by(value).order_by(count.desc(), value).limit(MOST_PARTS))
        return {
            text_of(row[0]): {
                "rows": int(row[1]),
                "filled": dict(zip(others, map(int, row[2 : 2 + len(others)]), strict=True)),
                "sum": dict(zip(numbers, (float(each or 0) for each in row[2 + len(others) :]), strict=True)),
            }
            for row in found
        }


def _few(names: list[str]) -> list[list[str]]:
    """The names in parts that one query can be about; at least one part."""
    return [names[start : start + MOST_COLUMNS] for start in range(0, max(len(names), 1), MOST_COLUMNS)]


def quantiles_of(buckets: Sequence[tuple[int, float, float]]) -> tuple[float, ...]:
    """(101,) quantiles from counts, lowest and highest values of buckets in order; even within a bucket."""
    counts = np.array([each[0] for each in buckets], dtype=np.float64)
    before = np.cumsum(counts) - counts
    shares = np.column_stack([before + 0.5 * (counts > 1), before + counts - 0.5]).ravel() / counts.sum()
    ends = np.column_stack([[each[1] for each in buckets], [each[2] for each in buckets]]).ravel()
    return tuple(np.interp(GRID, np.maximum.accumulate(shares), ends).tolist())


def kind_of(sa: Any, type_: Any) -> str:
    """What a column holds, in the words of profiles."""
    if isinstance(type_, sa.Boolean):
        return "boolean"
    if isinstance(type_, sa.Integer | sa.Numeric | sa.Float):
        return "number"
    if isinstance(type_, sa.Date | sa.DateTime | sa.Time | sa.Interval):
        return "time"
    return "text" if isinstance(type_, sa.String) else "nested"


def text_of(value: Any) -> str:
    """A value as the text that files have for it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
