"""Jobs at set times, by cron."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from anomaly_detection.errors import InputError, JobNotFoundError, ParameterError, UnknownNameError
from anomaly_detection.store import jobs as job_rows
from anomaly_detection.store import schedules as rows
from anomaly_detection.store.jobs import ENDED
from anomaly_detection.store.schedules import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from anomaly_detection.jobs.queue import Queue
    from anomaly_detection.store.jobs import Job

MOST_LISTED = 1_000
LONGEST_NAME = 100


class Schedules:
    """Jobs that are put at set times.

    Runs that were missed, because nothing was up, are made up for by one. A run whose predecessor has not ended is left
    out. Of several workers one starts a run: putting the job and setting the next time is one transaction.

    Parameters
    ----------
    queue : where the jobs go.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._database = queue.database

    def put(
        self,
        name: str,
        cron: str,
        kind: str,
        payload: Mapping[str, Any],
        *,
        zone: str = "UTC",
        enabled: bool = True,
        replace: bool = True,
    ) -> Schedule:
        """Keep a schedule, in place of the one of that name unless ``replace`` is false: the one that is kept now.

        Raises
        ------
        ParameterError
            for a name that is too long, or what is no cron expression or no zone.
        """
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise ParameterError(f"name={name[:80]!r}: a schedule takes 1 to {LONGEST_NAME} plain characters there.")
        next_run = next_after(cron, zone, self._queue.now())
        schedule = Schedule(name, cron, zone, kind, dict(payload), enabled, next_run)
        with self._database.write() as connection:
            rows.put(connection, schedule, replace=replace)
            return _there(rows.find(connection, name), name)

    def get(self, name: str) -> Schedule:
        """The schedule of that name.

        Raises
        ------
        JobNotFoundError
            if there is none.
        """
        with self._database.read() as connection:
            return _there(rows.find(connection, name) if name.isprintable() else None, name)

    def list(self, limit: int = MOST_LISTED, after: str = "") -> tuple[Schedule, ...]:
        """Schedules by name, from behind the name ``after`` on."""
        with self._database.read() as connection:
            return rows.every(connection, max(1, min(limit, MOST_LISTED)), after.replace("\0", ""))

    def remove(self, name: str) -> None:
        """Delete a schedule; jobs it put stay.

        Raises
        ------
        JobNotFoundError
            if there is none.
        """
        with self._database.write() as connection:
            if not (name.isprintable() and rows.remove(connection, name)):
                _there(None, name)

    def run_due(self) -> tuple[Job, ...]:
        """Put the jobs whose time has come."""
        with self._database.read() as connection:
            if not rows.anything(connection, self._queue.now()):
                return ()
        with self._database.write() as connection:
            now = self._queue.now()
            started = [self._run(connection, one, now) for one in rows.due(connection, now)]
        return tuple(job for job in started if job is not None)

    def _run(self, connection: sa.Connection, schedule: Schedule, now: datetime) -> Job | None:
        try:
            next_run = next_after(schedule.cron, schedule.zone, now)
        except InputError:  # such as a zone that is no more
            rows.ran(connection, schedule.name, {"enabled": False})
            return None
        if schedule.next_run > now or self._still_going(connection, schedule):
            rows.ran(connection, schedule.name, {"next_run": next_run, "last_run": now})
            return None
        who = f"schedule {schedule.name}"
        job = self._queue.put_within(connection, schedule.kind, schedule.payload, asked_by=who)
        rows.ran(connection, schedule.name, {"next_run": next_run, "last_run": now, "last_job": job.id})
        return job

    def _still_going(self, connection: sa.Connection, schedule: Schedule) -> bool:
        last = None if schedule.last_job is None else job_rows.find(connection, schedule.last_job)
        return last is not None and last.state not in ENDED


def next_after(cron: str, zone: str, moment: datetime) -> datetime:
    """The first time after a moment at which a cron expression comes true; UTC.

    >>> next_after("30 3 * * *", "Europe/Berlin", datetime(2026, 7, 1, tzinfo=UTC)).isoformat()
    '2026-07-01T01:30:00+00:00'

    Raises
    ------
    ParameterError
        for what is no cron expression, or one that never comes true.
    UnknownNameError
        for an unknown zone.
    """
    if zone not in available_timezones():
        raise UnknownNameError("time zone", zone, sorted(available_timezones()))
    try:
        found = next(CronSim(cron, moment.astimezone(ZoneInfo(zone))))
    except (CronSimError, StopIteration) as error:
        why = str(error) or "it never comes true"
        raise ParameterError(
            f"cron={cron[:120]!r} cannot be used: {why}. Give minute, hour, day, month, weekday, such as 30 3 * * *."
        ) from None
    return found.astimezone(UTC)


def _there(schedule: Schedule | None, name: str) -> Schedule:
    if schedule is None:
        raise JobNotFoundError(f"There is no schedule {name[:80]!r}. GET /api/v1/schedules lists them.")
    return schedule
