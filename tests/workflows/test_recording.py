"""Verdicts are kept: alarms once each, also when the database is down or the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from anomaly_detection.errors import StoreError
from anomaly_detection.registry.base import ModelVersion
from anomaly_detection.store import Database, activity, alerts, feedback, upgrade
from anomaly_detection.store.alerts import AlertFilter
from anomaly_detection.store.journal import VerdictRecord
from anomaly_detection.workflows.recording import Recorder
from live_support import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = ModelVersion("logs", 1)
FOREVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

KILLED = """
import sys
from pathlib import Path
from anomaly_detection.registry.base import ModelVersion
from anomaly_detection.store import Database
from anomaly_detection.store.journal import VerdictRecord
from anomaly_detection.workflows.feedback import label_record
from anomaly_detection.workflows.recording import Recorder

home = Path(sys.argv[1])
database = Database.in_folder(home)
recorder = Recorder(database, home)
for i in range(100_000):
    flagged = i % 3 == 0
    record = VerdictRecord(f"r{i}", "shop", i, 0.9, 0.001, 0.8, flagged, "high" if flagged else "normal", 0.9)
    kept = recorder.keep(ModelVersion("logs", 1), [record])
    if kept is not None:
        kept.result()
        label_record(database, f"r{i}", is_anomaly=True, said_by="ann")
    print(i, flush=True)
"""


def record(name: str, *, flagged: bool) -> VerdictRecord:
    return VerdictRecord(name, "shop", 0, 0.9, 0.001, 0.8, flagged, "high" if flagged else "normal", 0.9)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database.in_folder(tmp_path)
    upgrade(found)
    yield found
    found.close()


def kept_alarms(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(one.record_id for one in alerts.listed(connection, AlertFilter(), limit=100_000))


def test_an_alarm_is_in_the_database_when_it_is_told(database: Database, tmp_path: Path) -> None:
    told: list[str] = []
    recorder = Recorder(database, tmp_path, lambda kind, data: told.append(f"{kind} {data.get('record_id')}"))
    kept = recorder.keep(VERSION, [record("a", flagged=True), record("b", flagged=False)])
    assert kept is not None
    kept.result(10)
    assert kept_alarms(database) == ["a"]
    assert recorder.keep(VERSION, [record("c", flagged=False)]) is None
    recorder.close()
    assert "alert a" in told
    assert sorted(row["id"] for row in recorder.history.read("logs", *FOREVER)) == ["a", "b", "c"]
    with database.read() as connection:
        assert activity.totals(connection, "logs") == {1: (3, 1)}
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_database_that_is_down_stops_nothing(database: Database, tmp_path: Path) -> None:
    recorder = Recorder(database, tmp_path)
    write = database.write

    def down() -> Any:
        raise StoreError("The database does not answer.")

    database.write = down  # type: ignore[method-assign]
    kept = recorder.keep(VERSION, [record("a", flagged=True)])
    assert kept is not None
    kept.result(10)
    assert "wait in the journal" in recorder.overview()["problem"]
    database.write = write  # type: ignore[method-assign]
    until(lambda: kept_alarms(database) == ["a"])
    until(lambda: not recorder.overview()["problem"])
    recorder.close()


def test_alarms_are_refused_when_the_disk_is_full(database: Database, tmp_path: Path) -> None:
    recorder = Recorder(database, tmp_path)

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    recorder.journal.append = full  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="Make room"):
        recorder.keep(VERSION, [record("a", flagged=True)])
    assert recorder.keep(VERSION, [record("b", flagged=False)]) is None
    assert "history cannot be written" in recorder.overview()["problem"]
    recorder.close()
    assert kept_alarms(database) == []


@pytest.mark.parametrize("after", [5, 23, 60])
def test_what_was_acknowledged_survives_a_kill_once(database: Database, tmp_path: Path, after: int) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        seen = [int(process.stdout.readline()) for _ in range(after)][-1]
        os.kill(process.pid, signal.SIGKILL)
        seen = max([seen, *(int(line) for line in process.stdout if line.strip())])
    recorder = Recorder(database, tmp_path)
    recorder.take_over()
    recorder.close()
    alarms = kept_alarms(database)
    assert len(alarms) == len(set(alarms))
    assert set(alarms) >= {f"r{i}" for i in range(0, seen + 1, 3)}
    with database.read() as connection:
        labels = [one.record_id for one in feedback.listed(connection, "logs", limit=100_000)]
    assert len(labels) == len(set(labels))
    assert set(alarms) >= set(labels) >= {f"r{i}" for i in range(0, seen + 1, 3)}
    rows = [row["id"] for row in recorder.history.read("logs", *FOREVER, most=100_000)]
    assert len(rows) == len(set(rows))
    assert set(rows) >= {f"r{i}" for i in range(seen + 1)}


def test_many_keys_are_counted_in_bounded_memory(database: Database, tmp_path: Path) -> None:
    recorder = Recorder(database, tmp_path)
    records = [VerdictRecord("x", f"k{i}", 0, 0.1, 0.5, 0.2, False, "normal", 0.9) for i in range(2_000)]
    recorder.keep(VERSION, records)
    recorder.close()
    with database.read() as connection:
        found = activity.between(connection, FOREVER[0], FOREVER[1] + timedelta(days=1))
    assert sum(one.rows for one in found) == 2_000
    assert len(found) <= 501
