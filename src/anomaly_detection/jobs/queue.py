"""A queue of jobs in the database: what was put is done, once, whoever is killed."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import JobConflictError, JobNotFoundError, ParameterError, UnknownNameError
from anomaly_detection.jobs.lease import Lease, ended_changes, waiting_again
from anomaly_detection.store import jobs as rows
from anomaly_detection.store.jobs import ENDED, STATES, Job, Line

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Mapping

    import sqlalchemy as sa

    from anomaly_detection.store import Database

MOST_LISTED = 1_000
LONGEST_NAME = 200

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


class Queue:
    """Jobs that wait, run and have ended.

    A worker claims a job for some seconds and says again and again that it goes on; whoever falls silent loses the job,
    and the next worker tries it again. So a job may be begun more than once, and its end is kept once: a worker that
    lost its job can change nothing about it.

    Parameters
    ----------
    database : where they are kept.
    lease_seconds : after so many seconds of silence a worker is taken for dead.
    pause_seconds : how long a job that failed waits for its second attempt; each further time twice as long, up to 300.
    now : where the time comes from; the clocks of several machines may differ by less than the lease.

    Examples
    --------
    >>> from anomaly_detection.store import Database, upgrade
    >>> database = Database("sqlite://")
    >>> upgrade(database)
    >>> queue = Queue(database)
    >>> job = queue.put("train", {"name": "orders"}, asked_by="ada")
    >>> with queue.claim("worker 1") as lease:
    ...     lease.finish({"version": 1})
    >>> queue.get(job.id).state
    'done'
    """

    def __init__(
        self,
        database: Database,
        *,
        lease_seconds: float = 15.0,
        pause_seconds: float = 2.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.database = database
        self.lease = timedelta(seconds=lease_seconds)
        self.pause_seconds = pause_seconds
        self.now = now

    def put(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        asked_by: str,
        priority: int = 0,
        run_after: datetime | None = None,
        dedupe: str | None = None,
        max_attempts: int = 3,
    ) -> Job:
        """Keep a job; when this returns, it will be done.

        Parameters
        ----------
        kind, payload : what to do, with what; plain values for JSON.
        asked_by : who asks.
        priority : the higher, the sooner.
        run_after : not before.
        dedupe : a name for this piece of work: as long as a job of that name is known, it is given back instead.
        max_attempts : how often it may be begun before it has failed.

        Raises
        ------
        ParameterError
            for a name that is too long, fewer than one attempt, or a payload that is not plain.
        StoreError
            if it could not be kept.
        """
        with self.database.write() as connection:
            return self.put_within(
                connection,
                kind,
                payload,
                asked_by=asked_by,
                priority=priority,
                run_after=run_after,
                dedupe=dedupe,
                max_attempts=max_attempts,
            )

    def put_within(
        self,
        connection: sa.Connection,
        kind: str,
        payload: Mapping[str, Any],
        *,
        asked_by: str,
        priority: int = 0,
        run_after: datetime | None = None,
        dedupe: str | None = None,
        max_attempts: int = 3,
    ) -> Job:
        """The same as a part of a transaction: the job is there if the rest is."""
        _check(kind, asked_by, dedupe, priority, max_attempts)
        _check_plain(payload)
        now = self.now()
        job = Job(
            id=new_id(now),
            kind=kind,
            payload=dict(payload),
            state="waiting",
            priority=priority,
            progress=0.0,
            step="",
            result=None,
            problem=None,
            attempts=0,
            max_attempts=max_attempts,
            dedupe=dedupe,
            asked_by=asked_by,
            owner=None,
            lease_until=None,
            cancel_asked=False,
            created=now,
            run_after=run_after or now,
            started=None,
            ended=None,
        )
        return rows.insert(connection, job)

    def get(self, id: str) -> Job:
        """The job of that id.

        Raises
        ------
        JobNotFoundError
            if there is none.
        """
        with self.database.read() as connection:
            return _found(connection, id)

    def list(
        self, state: str | None = None, kind: str | None = None, limit: int = 100, after: str | None = None
    ) -> tuple[Job, ...]:
        """Jobs, the newest first, at most ``limit`` (up to 1,000), from behind the id ``after`` on.

        Raises
        ------
        InputError
            for what is no state or no id.
        """
        if after is not None and not _ID.fullmatch(after):
            raise ParameterError(
                f"after={after[:64]!r} is no id of a job. Take the one that the list before ended with."
            )
        if state is not None and state not in STATES:
            raise UnknownNameError("state", state, STATES)
        with self.database.read() as connection:
            return rows.newest(connection, state, kind, max(1, min(limit, MOST_LISTED)), after)

    def lines(self, id: str, after: int = 0, limit: int = MOST_LISTED) -> tuple[Line, ...]:
        """What a job logged, in order, from behind the line ``after`` on; the newest 1,000 lines are kept."""
        with self.database.read() as connection:
            _found(connection, id)
            return rows.lines(connection, id, after, max(1, min(limit, MOST_LISTED)))

    def cancel(self, id: str) -> Job:
        """End a job: at once if it waits, within seconds if it runs.

        Raises
        ------
        JobNotFoundError
            if there is none.
        JobConflictError
            if it is done or has failed.
        """
        with self.database.write() as connection:
            job = _found(connection, id, locked=True)
            if job.state == "cancelled":
                return job
            if job.state in ENDED:
                raise JobConflictError(f"The job {id} cannot be cancelled: it is {job.state}.")
            changes = ended_changes("cancelled", self.now()) if job.state == "waiting" else {}
            return _there(rows.change(connection, id, {"cancel_asked": True, **changes}), id)

    def retry(self, id: str) -> Job:
        """Do a job again that has failed or was cancelled, with as many attempts as before.

        Raises
        ------
        JobNotFoundError
            if there is none.
        JobConflictError
            if it waits, runs or is done.
        """
        with self.database.write() as connection:
            job = _found(connection, id, locked=True)
            if job.state not in {"failed", "cancelled"}:
                raise JobConflictError(f"The job {id} cannot be tried again: it is {job.state}.")
            now = self.now()
            fresh = {"attempts": 0, "cancel_asked": False, "ended": None, "progress": 0.0, "step": "", "problem": None}
            return _there(rows.change(connection, id, waiting_again(now) | fresh), id)

    def forget(self, before: datetime, limit: int = 1_000) -> tuple[str, ...]:
        """Delete jobs that ended before, at most ``limit`` at once; their ids."""
        with self.database.write() as connection:
            return rows.forget(connection, before, limit)

    def unended(self) -> builtins.list[Job]:
        """Jobs that wait or run."""
        with self.database.read() as connection:
            return [*rows.unended(connection)]

    def claim(self, owner: str) -> Lease | None:
        """Take the next job, or None where nothing is to be done; what dead workers left is sorted out first."""
        now = self.now()
        with self.database.read() as connection:
            if not rows.anything(connection, now, self._far(now)):
                return None
        with self.database.write() as connection:
            now = self.now()
            for job in rows.lost(connection, now, self._far(now)):
                self._sort_out(connection, job, now)
            job_or_none = rows.claim(connection, now, owner, now + self.lease)
        return None if job_or_none is None else Lease(self, job_or_none)

    def _far(self, now: datetime) -> datetime:
        return now + 2 * self.lease

    def _sort_out(self, connection: sa.Connection, job: Job, now: datetime) -> None:
        """What becomes of a job whose worker fell silent."""
        problem = "The worker that ran it fell silent: it was killed, or its machine was."
        text = f"Attempt {job.attempts} of {job.max_attempts}: {problem}"
        rows.log(connection, job.id, now, [text])
        if job.cancel_asked:
            changes = ended_changes("cancelled", now)
        elif job.attempts >= job.max_attempts:
            changes = ended_changes("failed", now) | {"problem": text}
        else:
            changes = waiting_again(now) | {"problem": text}
        rows.change(connection, job.id, changes)


def new_id(now: datetime) -> str:
    """32 characters: the time, and chance; nobody can guess it, and later ones sort behind earlier ones."""
    return f"{int(now.timestamp() * 1000) & (2**48 - 1):012x}{secrets.token_hex(10)}"


def _found(connection: sa.Connection, id: str, *, locked: bool = False) -> Job:
    return _there(rows.find(connection, id, locked=locked) if _ID.fullmatch(id) else None, id)


def _there(job: Job | None, id: str) -> Job:
    if job is None:
        raise JobNotFoundError(f"There is no job {id[:64]!r}. Ended jobs are deleted after some weeks.")
    return job


def _check_plain(payload: Mapping[str, Any]) -> None:
    """Refuse what is no JSON for everyone, such as NaN or half a character."""
    try:
        json.dumps(payload, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"The payload is not plain: {error}. A job takes JSON values, and finite numbers."
        ) from None


def _check(kind: str, asked_by: str, dedupe: str | None, priority: int, max_attempts: int) -> None:
    for what, text, most in (("kind", kind, 60), ("asked_by", asked_by, 120), ("dedupe", dedupe or "-", LONGEST_NAME)):
        if not 0 < len(text) <= most or "\0" in text:
            raise ParameterError(f"{what}={text[:80]!r}: a job takes 1 to {most} characters there, and no zero byte.")
    for what, number, low, high in (("priority", priority, -1000, 1000), ("max_attempts", max_attempts, 1, 100)):
        if not low <= number <= high:
            raise ParameterError(f"{what}={number} must be from {low} to {high}.")
