"""What runs of tables were seen by their checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.tables import table_runs

if TYPE_CHECKING:
    from datetime import datetime

MOST_RUNS = 10_000


def row_counts(connection: sa.Connection, table_id: str, since: datetime) -> list[tuple[datetime, int]]:
    """When a table was checked since then, and how many rows it had, oldest first; one count a moment."""
    wanted = (
        sa.select(table_runs.c.at, table_runs.c.profile)
        .where(table_runs.c.table_id == table_id, table_runs.c.at >= since)
        .order_by(table_runs.c.at.desc())
        .limit(MOST_RUNS)
    )
    counted = {at: _rows(profile) for at, profile in connection.execute(wanted)}
    return [(at, rows) for at, rows in sorted(counted.items()) if rows is not None]


def _rows(profile: object) -> int | None:
    found = profile.get("rows", profile.get("row_count")) if isinstance(profile, dict) else None
    return int(found) if isinstance(found, int | float) and found >= 0 else None
