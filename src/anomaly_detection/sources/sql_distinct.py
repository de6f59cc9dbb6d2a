"""How many different values a column of a large table has, at a price that fits what the number is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anomaly_detection.sources.sql import SqlTable

EXACT_ROWS = 1_000_000
"""Up to so many rows all columns are counted exactly, in one query."""

LOOKED_AT = 10_000
"""Of a larger table so many values are looked at first, to see whether they repeat."""

PARTS = 16
"""Where values hardly repeat, those in one of so many parts of all hashes are counted; within about 6 % then."""


def count_distinct(table: SqlTable, asked: Any, value: Any) -> int:
    """The different values of a column of a large table; 0 where they could only be counted by sorting them all.

    A column whose first values repeat is counted exactly. One whose values hardly repeat is estimated from a part of
    their hashes by PostgreSQL; others, such as SQLite, have no hashes, and do not count.

    Parameters
    ----------
    table : the table.
    asked : a selection of the rows that are looked at, of which only the columns are still open.
    value : the column.
    """
    count = table.sa.func.count
    values = asked(value.label("v")).where(value.is_not(None))
    first = values.limit(LOOKED_AT).subquery()
    seen, different = map(int, table.rows(table.sa.select(count(first.c.v), count(first.c.v.distinct())))[0])
    if 2 * different <= seen:
        return int(table.rows(table.sa.select(count()).select_from(values.distinct().subquery()))[0][0])
    if table.dialect != "postgresql":
        return 0
    part = table.sa.func.mod(table.sa.func.hashtext(table.sa.cast(value, table.sa.Text)), PARTS) == 0
    return PARTS * int(table.rows(asked(count(value.distinct())).where(part))[0][0])
