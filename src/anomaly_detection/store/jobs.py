"""Jobs and what they log, as rows; each function is a part of somebody's transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from anomaly_detection.store.tables import job_lines, jobs

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

State = Literal["waiting", "running", "done", "failed", "cancelled"]

STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")

MOST_LINES = 1_000
"""How many lines of a job are kept: the newest."""

MOST_CHARACTERS = 2_000
"""The longest line that is kept."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that outlives the processes that do it.

    Parameters
    ----------
    id : 32 characters; later ones sort behind earlier ones.
    kind, payload : what to do, with what.
    state : ``waiting``, ``running``, ``done``, ``failed`` or ``cancelled``.
    priority : the higher, the sooner.
    progress : the share of the present step that is done, in [0, 1].
    step : what is being done.
    result : what came of it, once done.
    problem : why it failed, or why it has to be tried again.
    attempts, max_attempts : how often it was begun, and how often it may be.
    dedupe : a name that only one job has.
    asked_by : who asked for it.
    owner, lease_until : the worker that has it, and until when unless it says more.
    cancel_asked : whether it is to end.
    created, run_after, started, ended : when it was asked for, may begin, last began, ended; UTC.
    """

    id: str
    kind: str
    payload: dict[str, Any]
    state: State
    priority: int
    progress: float
    step: str
    result: dict[str, Any] | None
    problem: str | None
    attempts: int
    max_attempts: int
    dedupe: str | None
    asked_by: str
    owner: str | None
    lease_until: datetime | None
    cancel_asked: bool
    created: datetime
    run_after: datetime
    started: datetime | None
    ended: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a job logged; ids grow."""

    id: int
    at: datetime
    text: str


COLUMNS = tuple(jobs.c[field.name] for field in fields(Job))


def insert(connection: sa.Connection, job: Job) -> Job:
    """Keep a job, unless one of the same ``dedupe`` is kept: the one that is kept now."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    adding = dialect.insert(jobs).values(asdict(job)).on_conflict_do_nothing(index_elements=["dedupe"])
    if connection.execute(adding.returning(jobs.c.id)).first() is not None:
        return job
    return Job(*connection.execute(sa.select(*COLUMNS).where(jobs.c.dedupe == job.dedupe)).one())


def find(connection: sa.Connection, id: str, *, locked: bool = False) -> Job | None:
    """The job of that id; nobody else changes a locked one before the transaction ends."""
    wanted = sa.select(*COLUMNS).where(jobs.c.id == id)
    row = connection.execute(wanted.with_for_update() if locked else wanted).one_or_none()
    return None if row is None else Job(*row)


def newest(
    connection: sa.Connection, state: str | None, kind: str | None, limit: int, after: str | None
) -> tuple[Job, ...]:
    """Jobs, the newest first, from behind the id ``after`` on."""
    wanted = sa.select(*COLUMNS).order_by(jobs.c.id.desc()).limit(limit)
    for column, value in ((jobs.c.state, state), (jobs.c.kind, kind)):
        wanted = wanted if value is None else wanted.where(column == value)
    wanted = wanted if after is None else wanted.where(jobs.c.id < after)
    return tuple(Job(*row) for row in connection.execute(wanted))


def anything(connection: sa.Connection, now: datetime, far: datetime) -> bool:
    """Whether there is a job to claim, or a lease that nobody holds any more."""
    return bool(connection.execute(sa.select(sa.or_(_due(now).exists(), _lost(now, far).exists()))).scalar_one())


def claim(connection: sa.Connection, now: datetime, owner: str, lease_until: datetime) -> Job | None:
    """Give the next job to a worker; others pass over it."""
    order = (jobs.c.priority, jobs.c.run_after, jobs.c.id)
    next_one = _due(now).order_by(*order).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    changes = {
        "state": "running",
        "owner": owner,
        "lease_until": lease_until,
        "attempts": jobs.c.attempts + 1,
        "started": now,
        "progress": 0.0,
        "step": "",
    }
    row = connection.execute(jobs.update().where(jobs.c.id == next_one).values(changes).returning(*COLUMNS)).first()
    return None if row is None else Job(*row)


def lost(connection: sa.Connection, now: datetime, far: datetime) -> tuple[Job, ...]:
    """Running jobs whose lease is over, or ends later than ``far``: the clock was set back."""
    ids = _lost(now, far).with_for_update(skip_locked=True)
    return tuple(Job(*row) for row in connection.execute(ids.with_only_columns(*COLUMNS)))


def change(connection: sa.Connection, id: str, changes: dict[str, Any], **held: Any) -> Job | None:
    """Change a job, if its columns still are what ``held`` says; None if they are not."""
    same = [jobs.c[name] == value for name, value in held.items()]
    row = connection.execute(
        jobs.update().where(jobs.c.id == id, *same).values(changes).returning(*COLUMNS)
    ).one_or_none()
    return None if row is None else Job(*row)


def log(connection: sa.Connection, job: str, now: datetime, texts: Sequence[str]) -> None:
    """Keep what a job logged, and forget the oldest of too many lines."""
    if not texts:
        return
    rows = [{"job": job, "at": now, "text": printed(text)} for text in texts[-MOST_LINES:]]
    connection.execute(job_lines.insert(), rows)
    of_job = sa.select(job_lines.c.id).where(job_lines.c.job == job)
    last = of_job.order_by(job_lines.c.id.desc()).offset(MOST_LINES).limit(1).scalar_subquery()
    connection.execute(job_lines.delete().where(job_lines.c.job == job, job_lines.c.id <= last))


def printed(text: str) -> str:
    """A text that every database takes, cut to the longest line that is kept."""
    return text[:MOST_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}")


def lines(connection: sa.Connection, job: str, after: int, limit: int) -> tuple[Line, ...]:
    """The lines of a job, in order, from behind the id ``after`` on."""
    columns = (job_lines.c.id, job_lines.c.at, job_lines.c.text)
    wanted = sa.select(*columns).where(job_lines.c.job == job, job_lines.c.id > after)
    return tuple(Line(*row) for row in connection.execute(wanted.order_by(job_lines.c.id).limit(limit)))


def forget(connection: sa.Connection, before: datetime, limit: int) -> tuple[str, ...]:
    """Delete jobs that ended before, with their lines, at most so many at once; their ids."""
    old = sa.select(jobs.c.id).where(jobs.c.ended < before, jobs.c.state.in_(ENDED)).limit(limit)
    return tuple(connection.execute(jobs.delete().where(jobs.c.id.in_(old)).returning(jobs.c.id)).scalars())


def unended(connection: sa.Connection) -> Collection[Job]:
    """Jobs that wait or run."""
    wanted = sa.select(*COLUMNS).where(jobs.c.state.in_(("waiting", "running")))
    return tuple(Job(*row) for row in connection.execute(wanted))


def _due(now: datetime) -> sa.Select[Any]:
    """Jobs that may begin; one that seems to be put later than now is left from before the clock was set back."""
    may_begin = sa.or_(jobs.c.run_after <= now, jobs.c.created > now)
    return sa.select(jobs.c.id).where(jobs.c.state == "waiting", may_begin)


def _lost(now: datetime, far: datetime) -> sa.Select[Any]:
    over = sa.or_(jobs.c.lease_until < now, jobs.c.lease_until > far)
    return sa.select(jobs.c.id).where(jobs.c.state == "running", over)
