"""What becomes of verdicts: all into the journal, alarms into the database, the history into Parquet."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import StoreError
from anomaly_detection.store import activity, alerts
from anomaly_detection.store.activity import Minute
from anomaly_detection.store.history import History
from anomaly_detection.store.journal import Journal, Judged, judged_in
from anomaly_detection.telemetry import ALARMS, RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.store import Database
    from anomaly_detection.store.alerts import Alert
    from anomaly_detection.store.journal import VerdictRecord

MOST_WAITING = 10_000
"""Alarms that wait in memory for a database that is down; the journal has the others."""

MOST_KEYS = 500
"""Keys that are counted each for itself in a minute; the others are counted together, under no key."""

JOURNAL_BYTES = 64 * 2**20
JOURNAL_SECONDS = 300.0
"""A journal becomes Parquet once it is as large, or as old."""

MOST_TOLD = 100
"""Alarms of one moment that are published one by one."""

FLUSH_SECONDS = 2.0
Waiting = list[tuple[list["Alert"], Future[None]]]
Counts = dict[tuple[str, int, str, int], list[float]]
"""Rows, anomalies and the highest anomaly score, by model, version, key and minute."""

_TOLD = tuple(name for name in alerts.Alert.__slots__ if name != "record")
_MINUTE = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class Recorder:
    """Keeps verdicts; safe to use from any thread.

    A verdict is in the journal before :meth:`keep` returns. One thread commits the alarms of all requests that wait,
    together; where the database is down they stay in the journal, on the disk, and are stored when it is back.

    Parameters
    ----------
    database : for alarms and activity.
    folder : for the journal and the history.
    published : told of each alarm once it is kept (``alert``), and of what was judged (``activity``).
    """

    def __init__(
        self, database: Database, folder: Path, published: Callable[[str, dict[str, Any]], None] = lambda *_: None
    ) -> None:
        self.database = database
        self.history = History(folder / "history")
        self.journal = Journal(folder / "journal")
        self.problem = ""
        self._is_down = False
        self._published = published
        self._appending = threading.Lock()
        self._waiting: Waiting = []
        self._later: list[Alert] = []
        self._minutes: Counts = {}
        self._wake = threading.Event()
        self._stopped = False
        self._rolled = self._flushed = time.monotonic()
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def keep(self, version: ModelVersion, records: list[VerdictRecord]) -> Future[None] | None:
        """Keep verdicts; where there are alarms among them, what to wait for before they are told.

        Raises
        ------
        StoreError
            if there are alarms, and the disk is full.
        """
        judged = Judged(version.name, version.version, time.time_ns() // 1_000, records)
        found = alerts.alerts_of(judged)
        with self._appending:
            self._append(judged, found)
            self._count(judged)
            if not found:
                return None
            done: Future[None] = Future()
            self._waiting.append((found, done))
        self._wake.set()
        return done

    def overview(self) -> dict[str, Any]:
        """What is known of its own health."""
        return {"problem": self.problem, "alerts_waiting": len(self._later), "journal_bytes": self.journal.size}

    def take_over(self) -> None:
        """Store what processes that are gone left in their journals."""
        for path in self.journal.abandoned():
            self._store(path)

    def close(self) -> None:
        """Store what waits, and write no more."""
        self._stopped = True
        self._wake.set()
        self._thread.join(timeout=30.0)
        self.journal.close()

    def _append(self, judged: Judged, found: Sequence[Alert]) -> None:
        try:
            self.journal.append(judged)
        except OSError as error:
            self.problem = f"The history cannot be written: {error}."
            if found:
                raise StoreError(f"The alarm could not be kept: {error}. Make room on the disk.") from error

    def _count(self, judged: Judged) -> None:
        RECORDS.labels(judged.model).inc(len(judged.records))
        minute = judged.received - judged.received % _MINUTE
        of_keys: dict[str, list[float]] = {}
        for record in judged.records:
            counts = of_keys.get(record.key)
            if counts is None:
                counts = of_keys[record.key] = [0, 0, 0.0]
            counts[0] += 1
            if record.is_anomaly:
                counts[1] += 1
                ALARMS.labels(judged.model, record.severity).inc()
            counts[2] = max(counts[2], record.anomaly_score)
        for key, counts in of_keys.items():
            place = (judged.model, judged.version, key, minute)
            if place not in self._minutes and len(self._minutes) >= MOST_KEYS:
                place = (judged.model, judged.version, "", minute)
            self._add(place, counts)

    def _add(self, place: tuple[str, int, str, int], counts: list[float]) -> None:
        rows, anomalies, worst = self._minutes.get(place, (0, 0, 0.0))
        self._minutes[place] = [rows + counts[0], anomalies + counts[1], max(worst, counts[2])]

    def _write(self) -> None:
        self.take_over()
        while not self._stopped:
            self._wake.wait(FLUSH_SECONDS / 2)
            self._wake.clear()
            self._commit()
            self._tidy()
        self._flushed = 0.0
        self._commit()
        self._store_all()

    def _commit(self) -> None:
        with self._appending:
            waiting, self._waiting = self._waiting, []
            minutes: Counts = {}
            if time.monotonic() - self._flushed >= FLUSH_SECONDS:
                minutes, self._minutes, self._flushed = self._minutes, {}, time.monotonic()
        found = [*self._later, *(alert for some, _ in waiting for alert in some)]
        if not found and not minutes:
            return
        if self._is_down:
            self._settle(waiting, self._synced())
            waiting = []
        try:
            with self.database.write() as connection:
                alerts.keep(connection, found)
                activity.add(connection, _minutes_of(minutes))
        except StoreError as error:
            self._put_off(error, found, minutes)
            self._settle(waiting, self._synced())
            return
        self._later, self.problem, self._is_down = [], "", False
        self._settle(waiting, None)
        self._publish(found, minutes)

    def _settle(self, waiting: Waiting, problem: StoreError | None) -> None:
        """Wake the requests whose alarms are kept, or cannot be."""
        for _, done in waiting:
            done.set_result(None) if problem is None else done.set_exception(problem)

    def _synced(self) -> StoreError | None:
        """Bring the journal to the disk itself; returns why that cannot be done."""
        try:
            self.journal.sync()
        except OSError as error:
            return StoreError(f"The alarm could not be kept: {error}.")
        return None

    def _publish(self, found: Sequence[Alert], minutes: Counts) -> None:
        for alert in found[:MOST_TOLD]:
            self._published("alert", {name: getattr(alert, name) for name in _TOLD})
        for model in {place[0] for place in minutes}:
            counts = [each for place, each in minutes.items() if place[0] == model]
            told = {"rows": sum(int(each[0]) for each in counts), "anomalies": sum(int(each[1]) for each in counts)}
            self._published("activity", {"model": model, **told, "alerts_not_told": max(0, len(found) - MOST_TOLD)})

    def _put_off(self, error: StoreError, found: list[Alert], minutes: Counts) -> None:
        """Leave alarms in the journal for later; requests do not wait for the database any more."""
        self.problem, self._is_down = f"Alarms wait in the journal: {error}", True
        self._later = found[:MOST_WAITING]
        with self._appending:
            for place, counts in minutes.items():
                self._add(place, counts)

    def _tidy(self) -> None:
        old = time.monotonic() - self._rolled >= JOURNAL_SECONDS
        if self.journal.size >= JOURNAL_BYTES or (old and self.journal.size):
            self._store_all()

    def _store_all(self) -> None:
        """Turn the journal into history, and those of processes that are gone."""
        self._rolled = time.monotonic()
        if self.journal.size:
            with self._appending:
                self.journal.roll()
        self.take_over()

    def _store(self, journal: Path) -> None:
        try:
            found = [alert for judged in judged_in(journal) for alert in alerts.alerts_of(judged)]
            with self.database.write() as connection:
                alerts.keep(connection, found)
            self.history.take(journal)
            journal.unlink(missing_ok=True)
        except (StoreError, OSError) as error:
            _log.warning("The journal %s stays for now: %s", journal.name, error)


def _minutes_of(counted: Counts) -> list[Minute]:
    return [
        Minute(model, version, key[: alerts.LONGEST["key"]], _EPOCH + timedelta(microseconds=minute), int(rows),
               int(anomalies), worst)
        for (model, version, key, minute), (rows, anomalies, worst) in counted.items()
    ]  # fmt: skip
