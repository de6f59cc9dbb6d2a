"""How the service's database and its jobs are, seen from beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.monitoring.readiness import database_problem
from anomaly_detection.store import Database, counts

if TYPE_CHECKING:
    from anomaly_detection.settings import Settings

LONG_WAIT_SECONDS = 900.0

State = Literal["ok", "warning", "failed"]

Finding = tuple[str, State, str]
"""A part, its state, and what was found."""


def service_findings(settings: Settings) -> list[Finding]:
    """The database and the jobs in it; nothing is made that is not there."""
    if settings.database is None and not (settings.home / "service.db").exists():
        return [("database", "ok", "none yet; `anomaly-detection serve` makes one")]
    try:
        database = Database(settings.database_url, patience=3.0)
    except AnomalyDetectionError as error:
        return [("database", "failed", str(error))]
    try:
        problem = database_problem(database)
        if problem is not None:
            return [("database", "failed", problem)]
        return [("database", "ok", database.url.render_as_string(hide_password=True)), _jobs(database)]
    except AnomalyDetectionError as error:
        return [("database", "failed", str(error))]
    finally:
        database.close()


def _jobs(database: Database) -> Finding:
    now = datetime.now(UTC)
    with database.read() as connection:
        found = counts.jobs_by_state(connection)
        since = counts.longest_due(connection, now)
    states = {state: sum(number for (_, one), number in found.items() if one == state) for _, state in sorted(found)}
    said = ", ".join(f"{number} {state}" for state, number in states.items()) or "none"
    waited = (now - since).total_seconds() if since else 0.0
    if waited > LONG_WAIT_SECONDS:
        minutes = f"{waited // 60:.0f} minutes"
        return "jobs", "warning", f"{said}; the oldest has waited for {minutes}: start `anomaly-detection worker`"
    return "jobs", "ok", said
