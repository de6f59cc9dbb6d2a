"""A job in the hands of one worker."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from anomaly_detection.errors import JobConflictError
from anomaly_detection.store import audit
from anomaly_detection.store import jobs as rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import sqlalchemy as sa

    from anomaly_detection.store import Database
    from anomaly_detection.store.jobs import Job

LONGEST_PAUSE = 300.0
LONGEST_STEP = 200

_dice = random.SystemRandom()


class Home(Protocol):
    """What a lease asks of the queue that gave it."""

    database: Database
    lease: timedelta
    pause_seconds: float
    now: Callable[[], datetime]

    def get(self, id_: str) -> Job:
        """The job as it is now."""


class LeaseLostError(JobConflictError):
    """The job is no longer this worker's: it was silent for too long."""


class Lease:
    """The right to work on a job until a moment; every call below that changes it holds only while it lasts.

    Left without an end, by an error or not, it gives the job back as a failed attempt.

    Parameters
    ----------
    queue : where the job is from.
    job : as it was claimed.

    Raises
    ------
    LeaseLostError
        by each call, once another worker or nobody has the job; then nothing was changed.
    """

    def __init__(self, queue: Home, job: Job) -> None:
        self.job = job
        self._queue = queue
        self._over = False

    @property
    def seconds(self) -> float:
        """How long it lasts after each word."""
        return self._queue.lease.total_seconds()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if not self._over and not isinstance(error, LeaseLostError):
            self.fail(f"{type(error).__name__}: {error}" if error is not None else "The worker left without an end.")

    def beat(self, progress: float | None = None, step: str | None = None, lines: Sequence[str] = ()) -> bool:
        """Say that the work goes on; True if it is to be cancelled."""
        until = self._queue.now() + self._queue.lease
        said = {} if progress is None else {"progress": min(1.0, max(0.0, progress))}
        named = {} if step is None else {"step": rows.printed(step)[:LONGEST_STEP]}
        return self._change({"lease_until": until, **said, **named}, lines).cancel_asked

    def cancel_asked(self) -> bool:
        """Whether it is to be cancelled; changes nothing."""
        now = self._queue.get(self.job.id)
        if (now.owner, now.attempts) != (self.job.owner, self.job.attempts):
            raise _lost(self.job)
        return now.cancel_asked

    def finish(self, result: Mapping[str, Any], lines: Sequence[str] = ()) -> None:
        """Keep what came of it."""
        done = {"result": dict(result), "progress": 1.0, "problem": None}
        self._end(ended_changes("done", self._queue.now()) | done, lines)

    def cancelled(self, lines: Sequence[str] = ()) -> None:
        """Say that the work was stopped because it was to be cancelled."""
        self._end(ended_changes("cancelled", self._queue.now()), lines)

    def fail(self, problem: str, lines: Sequence[str] = (), *, final: bool = False) -> None:
        """Say that the attempt failed; the job is tried again unless that is of no use or was the last one."""
        job, now = self.job, self._queue.now()
        if final or job.attempts >= job.max_attempts:
            changes = ended_changes("failed", now)
        else:
            changes = waiting_again(now + self._pause())
        said = problem if final else f"Attempt {job.attempts} of {job.max_attempts}: {problem}"
        self._end(changes | {"problem": rows.printed(said)}, [*lines, said])

    def give_back(self, lines: Sequence[str] = ()) -> None:
        """Let another worker begin it anew; this attempt does not count."""
        changes = waiting_again(self._queue.now()) | {"attempts": self.job.attempts - 1}
        self._end(changes, lines)

    def _pause(self) -> timedelta:
        longest = min(LONGEST_PAUSE, self._queue.pause_seconds * 2 ** (self.job.attempts - 1))
        return timedelta(seconds=longest * _dice.uniform(0.5, 1.0))

    def _end(self, changes: dict[str, Any], lines: Sequence[str]) -> None:
        self._change(changes, lines)
        self._over = True

    def _change(self, changes: dict[str, Any], lines: Sequence[str]) -> Job:
        held = {"state": "running", "owner": self.job.owner, "attempts": self.job.attempts}
        with self._queue.database.write() as connection:
            job = rows.change(connection, self.job.id, changes, **held)
            if job is not None:
                rows.log(connection, job.id, self._queue.now(), lines)
                _note(connection, job)
                if job.cancel_asked and job.state == "waiting":
                    rows.change(connection, job.id, ended_changes("cancelled", self._queue.now()))
        if job is None:
            raise _lost(self.job)
        return job


def _note(connection: sa.Connection, job: Job) -> None:
    """Put into the audit what a job has changed for all: a model that it registered."""
    if job.state == "done" and job.result is not None and "reference" in job.result:
        detail = {"kind": job.kind, "job": job.id}
        audit.note(connection, job.asked_by, "register model", str(job.result["reference"]), detail)


def ended_changes(state: str, now: datetime) -> dict[str, Any]:
    """What changes when a job ends."""
    return {"state": state, "ended": now, "owner": None, "lease_until": None}


def waiting_again(run_after: datetime) -> dict[str, Any]:
    """What changes when a job waits again."""
    return {"state": "waiting", "run_after": run_after, "owner": None, "lease_until": None}


def _lost(job: Job) -> LeaseLostError:
    return LeaseLostError(f"The job {job.id} is no longer that of {job.owner}: it was silent for too long.")
