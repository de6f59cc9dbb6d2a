"""How many of what the database holds, for metrics and health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.tables import activity, alerts, feedback, jobs

if TYPE_CHECKING:
    from datetime import datetime

Version = tuple[str, int]


def jobs_by_state(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """How many jobs there are of each kind and state."""
    rows = connection.execute(sa.select(jobs.c.kind, jobs.c.state, sa.func.count()).group_by(jobs.c.kind, jobs.c.state))
    return {(kind, state): number for kind, state, number in rows}


def longest_due(connection: sa.Connection, now: datetime) -> datetime | None:
    """Since when the job has waited that waits longest of those that are due."""
    due = sa.select(sa.func.min(jobs.c.run_after)).where(jobs.c.state == "waiting", jobs.c.run_after <= now)
    found: datetime | None = connection.execute(due).scalar_one()
    return found


def seconds_of_jobs(connection: sa.Connection, since: datetime) -> dict[str, float]:
    """How long jobs of each kind took that were done since, on average."""
    micros = sa.type_coerce(jobs.c.ended, sa.BigInteger) - sa.type_coerce(jobs.c.started, sa.BigInteger)
    wanted = sa.select(jobs.c.kind, sa.func.avg(micros)).where(jobs.c.state == "done", jobs.c.ended >= since)
    return {kind: float(mean) / 1e6 for kind, mean in connection.execute(wanted.group_by(jobs.c.kind))}


def alerts_by_state(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """How many alarms there are of each state and severity."""
    columns = (alerts.c.state, alerts.c.severity)
    rows = connection.execute(sa.select(*columns, sa.func.count()).group_by(*columns))
    return {(state, severity): number for state, severity, number in rows}


def judged_between(connection: sa.Connection, begin: datetime, end: datetime) -> dict[Version, tuple[int, int]]:
    """How many records each version judged in a span of time, and how many of them were anomalies."""
    columns = (activity.c.model, activity.c.version)
    sums = (sa.func.sum(activity.c.rows), sa.func.sum(activity.c.anomalies))
    rows = connection.execute(
        sa.select(*columns, *sums).where(activity.c.minute >= begin, activity.c.minute < end).group_by(*columns)
    )
    return {(model, version): (int(judged), int(odd)) for model, version, judged, odd in rows}


def right_alarms(connection: sa.Connection) -> dict[Version, float]:
    """The share of labelled alarms that people called right, of each version that has some."""
    columns = (feedback.c.model, feedback.c.version)
    right = sa.func.avg(sa.cast(feedback.c.is_anomaly, sa.Integer) * 1.0)
    rows = connection.execute(sa.select(*columns, right).where(feedback.c.was_flagged).group_by(*columns))
    return {(model, version): float(share) for model, version, share in rows}
