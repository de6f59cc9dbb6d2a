"""Rows that may be there already, in the dialect of each database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import sqlalchemy as sa


def insert_new(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; one that breaks a unique key is left out."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    key: Iterable[str],
    changes: Mapping[str, Any],
) -> None:
    """Insert rows, or change the one that has the key: ``changes`` are the columns by name, of ``excluded`` if None."""
    if not rows:
        return
    statement = _insert(connection, table)
    values = {name: statement.excluded[name] if value is None else value for name, value in changes.items()}
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values), rows)


def excluded(connection: sa.Connection, table: sa.Table, name: str) -> sa.ColumnElement[Any]:
    """The value of a column that was to be inserted."""
    column: sa.ColumnElement[Any] = _insert(connection, table).excluded[name]
    return column


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
