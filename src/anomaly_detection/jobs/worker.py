"""A worker: takes jobs from a queue, one at a time, and keeps what comes of them."""

from __future__ import annotations

import os
import random
import secrets
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from anomaly_detection.errors import StoreError
from anomaly_detection.jobs.lease import LeaseLostError
from anomaly_detection.jobs.runner import DiedError, Runner
from anomaly_detection.store.jobs import MOST_LINES
from anomaly_detection.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.jobs.lease import Lease
    from anomaly_detection.jobs.queue import Queue
    from anomaly_detection.jobs.runner import Kinds
    from anomaly_detection.jobs.schedule import Schedules

TICK = 0.2
"""How long to wait for a word of a job before looking around, in seconds."""

QUIET = 0.5
"""Progress is kept at most so often."""

CANCELS = 1.0
"""How often to see whether a job without news is to end."""

PATIENCE = 10.0
"""A job that was asked to end and says nothing for so long is ended by force."""

SPARE = 60.0
"""An idle process for jobs is ended after so long: it holds what the last job has loaded."""

SCHEDULES = 2.0
"""Schedules are looked at so often."""

_log = structlog.get_logger(__name__)

_dice = random.SystemRandom()


class Worker:
    """Does jobs until it is stopped.

    Jobs run in a process beside it, so that one that crashes, eats all memory or never ends does no harm to anything
    else. Where the database is away, it waits for it and then keeps what it has.

    Parameters
    ----------
    queue : where the jobs are.
    kinds : what to call for a job of each kind: functions of a module, which another process can import.
    schedules : jobs at set times, to be put when it is time.
    poll_seconds : how often to look for jobs when there was none.
    """

    def __init__(
        self, queue: Queue, kinds: Kinds, schedules: Schedules | None = None, *, poll_seconds: float = 0.5
    ) -> None:
        self.owner = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._queue = queue
        self._schedules = schedules
        self._runner = Runner(kinds)
        self._poll = poll_seconds
        self._stopping = threading.Event()
        self._looked = float("-inf")

    def stop(self) -> None:
        """Take no further job, and give the one at hand back; for another thread or a signal."""
        self._stopping.set()

    def run(self) -> None:
        """Do jobs until stopped."""
        idle_since = time.monotonic()
        try:
            while not self._stopping.is_set():
                if self._tried():
                    idle_since = time.monotonic()
                    continue
                if time.monotonic() - idle_since > SPARE:
                    self._runner.kill()
                self._stopping.wait(self._poll * _dice.uniform(0.5, 1.5))
        finally:
            self._runner.kill()

    def run_waiting(self) -> int:
        """Do the jobs that wait now, and those they leave; how many attempts that were.

        Raises
        ------
        StoreError
            if the database does not answer.
        """
        done = 0
        try:
            while not self._stopping.is_set() and self.run_one():
                done += 1
        finally:
            self._runner.kill()
        return done

    def run_one(self) -> bool:
        """Do one job, if there is one; whether there was.

        Raises
        ------
        StoreError
            if the database does not answer.
        """
        self._look_at_schedules()
        lease = self._queue.claim(self.owner)
        if lease is not None:
            job = lease.job
            with span("job", {"job.kind": job.kind, "job.id": job.id, "job.attempt": job.attempts}):
                _Work(lease, self._runner, self._stopping).do(self._look_at_schedules)
        return lease is not None

    def _tried(self) -> bool:
        try:
            return self.run_one()
        except StoreError:
            return False

    def _look_at_schedules(self) -> None:
        now = time.monotonic()
        if self._schedules is not None and now - self._looked >= SCHEDULES:
            self._looked = now
            self._schedules.run_due()


class _Work:
    """One attempt at a job, seen from the worker."""

    def __init__(self, lease: Lease, runner: Runner, stopping: threading.Event) -> None:
        self._lease = lease
        self._runner = runner
        self._stopping = stopping
        self._told: dict[str, Any] = {}
        self._lines: list[str] = []
        self._began = self._kept = self._checked = time.monotonic()
        self._asked_to_end: float | None = None

    def do(self, meanwhile: Callable[[], None]) -> None:
        """See the attempt through; ``meanwhile`` is called now and then."""
        try:
            self._runner.start(self._lease.job)
            end = None
            while end is None and not self._stopping.is_set():
                end = self._heard()
                if end is None:
                    with suppress(StoreError):  # tried again, as long as nobody else has the job
                        self._look_around()
                        meanwhile()
            self._keep_end(end)
        except LeaseLostError:
            self._runner.kill()

    def _heard(self) -> dict[str, Any] | None:
        """Take in what the job says; its end, if that was it."""
        try:
            said = self._runner.heard(TICK)
        except DiedError as error:
            self._runner.kill()
            return {"ended": "failed", "problem": str(error), "final": False}
        for one in said:
            if "line" in one:
                self._lines = [*self._lines[1 - MOST_LINES :], one["line"]]
            elif "share" in one:
                self._told = {"progress": one["share"], "step": one["step"]}
            else:
                return one
        if self._asked_to_end is not None and time.monotonic() - self._asked_to_end > PATIENCE:
            self._runner.kill()
            return {"ended": "cancelled"}
        return None

    def _look_around(self) -> None:
        """Keep what is new, say that the work goes on, and see whether it is to end."""
        now = time.monotonic()
        new = bool(self._told or self._lines) and now - self._kept >= QUIET
        if new or now - self._kept >= self._lease.seconds / 6:
            cancel = self._lease.beat(**self._told, lines=self._lines)
            self._told, self._lines, self._kept, self._checked = {}, [], now, now
        elif now - self._checked >= CANCELS:
            cancel, self._checked = self._lease.cancel_asked(), now
        else:
            return
        if cancel and self._asked_to_end is None:
            self._asked_to_end = now
            self._runner.cancel(self._lease.job)

    def _keep_end(self, end: dict[str, Any] | None) -> None:
        """Say and keep what came of it; while the database is away, try again, but not when everything is to stop."""
        self._say(end)
        pause = 0.1
        while True:
            try:
                return self._ended(end)
            except StoreError:
                if end is None or (self._stopping.is_set() and pause > 1.0):
                    return None
            self._stopping.wait(pause)
            pause = min(5.0, pause * 2)

    def _say(self, end: dict[str, Any] | None) -> None:
        job, seconds = self._lease.job, time.monotonic() - self._began
        state, problem = ("given back", None) if end is None else (end["ended"], end.get("problem"))
        say = _log.warning if problem else _log.info
        say("job", job=job.id, kind=job.kind, state=state, seconds=round(seconds, 3), problem=problem or "")

    def _ended(self, end: dict[str, Any] | None) -> None:
        lease, lines = self._lease, self._lines
        if end is None:
            self._runner.kill()
            lease.give_back(lines)
        elif end["ended"] == "done":
            lease.finish(end["result"], lines)
        elif end["ended"] == "cancelled":
            lease.cancelled(lines)
        else:
            lease.fail(end["problem"], lines, final=end["final"])
