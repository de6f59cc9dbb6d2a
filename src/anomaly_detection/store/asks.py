"""What a person asks for in the dashboard: jobs, and words on alarms."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from anomaly_detection.store.tables import alerts, audit, feedback, job_lines, jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection


def put_job(connection: Connection, kind: str, payload: Mapping[str, Any], asked_by: str, now: datetime) -> str:
    """Ask for a job; returns its id."""
    id_ = f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
    values = {"id": id_, "kind": kind, "payload": dict(payload), "asked_by": asked_by, "created": now, "run_after": now}
    start = {"state": "waiting", "priority": 0, "progress": 0.0, "step": "", "attempts": 0, "max_attempts": 3}
    connection.execute(sa.insert(jobs).values(values | start | {"cancel_asked": False}))
    return id_


def job_of(connection: Connection, id_: str) -> sa.RowMapping | None:
    """One job."""
    return connection.execute(sa.select(jobs).where(jobs.c.id == id_)).mappings().first()


def lines_of(connection: Connection, id_: str, limit: int = 500) -> list[sa.RowMapping]:
    """What a job logged, the last lines."""
    query = sa.select(job_lines).where(job_lines.c.job == id_).order_by(job_lines.c.id.desc()).limit(limit)
    return list(connection.execute(query).mappings())[::-1]


def cancel_job(connection: Connection, id_: str, now: datetime) -> None:
    """End a job that waits, and ask one that runs to end."""
    waiting = sa.update(jobs).where(jobs.c.id == id_, jobs.c.state == "waiting")
    connection.execute(waiting.values(state="cancelled", ended=now, cancel_asked=True))
    running = sa.update(jobs).where(jobs.c.id == id_, jobs.c.state == "running")
    connection.execute(running.values(cancel_asked=True))


def retry_job(connection: Connection, id_: str, now: datetime) -> None:
    """Let a job that failed or was cancelled begin anew."""
    ended = sa.update(jobs).where(jobs.c.id == id_, jobs.c.state.in_(("failed", "cancelled")))
    fresh = {"state": "waiting", "attempts": 0, "progress": 0.0, "step": "", "problem": None, "ended": None}
    connection.execute(ended.values(fresh | {"cancel_asked": False, "run_after": now}))


def say(
    connection: Connection, alert: sa.RowMapping, by: str, now: datetime, *, is_anomaly: bool, note: str = ""
) -> None:
    """Keep what a person says about an alarm; what was said before is replaced."""
    which = {name: alert[name] for name in ("model", "version", "record_id")}
    same = [feedback.c[name] == value for name, value in which.items()]
    connection.execute(sa.delete(feedback).where(*same))
    said = {"is_anomaly": is_anomaly, "was_flagged": True, "anomaly_score": alert["anomaly_score"], "note": note}
    row = {"id": secrets.token_hex(16), **which, **said, "said_by": by, "at": now}
    connection.execute(sa.insert(feedback).values(row))


def set_state(connection: Connection, alert_id: str, state: str, now: datetime) -> None:
    """Say that somebody looks after an alarm, or that it is over."""
    connection.execute(sa.update(alerts).where(alerts.c.id == alert_id).values(state=state, changed=now))


def note_change(connection: Connection, actor: str, action: str, subject: str, now: datetime) -> None:
    """Write down who changed what."""
    row = {"at": now, "actor": actor[:120], "action": action[:60], "subject": subject[:400], "detail": {}}
    connection.execute(sa.insert(audit).values(row))
