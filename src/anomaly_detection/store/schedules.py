"""Schedules as rows; each function is a part of somebody's transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from anomaly_detection.store.tables import schedules

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job that is put again and again.

    Parameters
    ----------
    name : unique.
    cron, zone : when, as five fields of cron on the clocks of a zone.
    kind, payload : the job.
    enabled : whether it runs.
    next_run, last_run : moments, UTC.
    last_job : the job of the last run.
    """

    name: str
    cron: str
    zone: str
    kind: str
    payload: dict[str, Any]
    enabled: bool
    next_run: datetime
    last_run: datetime | None = None
    last_job: str | None = None


COLUMNS = tuple(schedules.c[field.name] for field in fields(Schedule))


def put(connection: sa.Connection, schedule: Schedule, *, replace: bool) -> bool:
    """Keep a schedule, in place of one of that name if ``replace``; whether it is kept."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    adding = dialect.insert(schedules).values(asdict(schedule))
    if replace:
        kept = ("cron", "zone", "kind", "payload", "enabled", "next_run")
        changes = {name: adding.excluded[name] for name in kept}
        adding = adding.on_conflict_do_update(index_elements=["name"], set_=changes)
    else:
        adding = adding.on_conflict_do_nothing(index_elements=["name"])
    return connection.execute(adding.returning(schedules.c.name)).first() is not None


def find(connection: sa.Connection, name: str) -> Schedule | None:
    """The schedule of that name."""
    row = connection.execute(sa.select(*COLUMNS).where(schedules.c.name == name)).one_or_none()
    return None if row is None else Schedule(*row)


def every(connection: sa.Connection, limit: int, after: str) -> tuple[Schedule, ...]:
    """Schedules by name, from behind the name ``after`` on."""
    wanted = sa.select(*COLUMNS).where(schedules.c.name > after).order_by(schedules.c.name).limit(limit)
    return tuple(Schedule(*row) for row in connection.execute(wanted))


def remove(connection: sa.Connection, name: str) -> bool:
    """Delete a schedule; whether there was one."""
    deleted = schedules.delete().where(schedules.c.name == name).returning(schedules.c.name)
    return connection.execute(deleted).first() is not None


def anything(connection: sa.Connection, now: datetime) -> bool:
    """Whether a schedule is to be looked at."""
    return bool(connection.execute(sa.select(_due(now).exists())).scalar_one())


def due(connection: sa.Connection, now: datetime) -> tuple[Schedule, ...]:
    """Schedules whose time has come; nobody else sees them before the transaction ends."""
    return tuple(Schedule(*row) for row in connection.execute(_due(now).with_for_update(skip_locked=True)))


def ran(connection: sa.Connection, name: str, changes: dict[str, Any]) -> None:
    """Keep when a schedule runs next, and what it ran."""
    connection.execute(schedules.update().where(schedules.c.name == name).values(changes))


def _due(now: datetime) -> sa.Select[Any]:
    """Schedules whose time has come, or that ran later than now: then the clock was set back."""
    come = sa.or_(schedules.c.next_run <= now, schedules.c.last_run > now)
    return sa.select(*COLUMNS).where(schedules.c.enabled, come)
