"""What checks of tables saw and said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from anomaly_detection.store.tables import table_runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection


def earlier_runs(connection: Connection, table: str, check: str, limit: int = 400) -> list[dict[str, Any]]:
    """Runs of a table that a check looked at, the oldest first."""
    query = (
        sa.select(table_runs.c.at, table_runs.c.profile, table_runs.c.answer)
        .where(table_runs.c.table_id == table, table_runs.c.check == check)
        .order_by(table_runs.c.at.desc())
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()][::-1]


def keep_run(
    connection: Connection,
    table: str,
    check: str,
    at: datetime,
    profile: Mapping[str, Any],
    answer: Mapping[str, Any],
) -> None:
    """Keep what a check saw and said, in place of what it said about the same run before."""
    same = (table_runs.c.table_id == table, table_runs.c.check == check, table_runs.c.at == at)
    connection.execute(sa.delete(table_runs).where(*same))
    row = {"table_id": table, "check": check, "at": at, "profile": dict(profile), "answer": dict(answer)}
    connection.execute(sa.insert(table_runs).values(row))
