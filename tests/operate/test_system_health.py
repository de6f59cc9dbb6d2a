"""``health system`` knows the service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from anomaly_detection.jobs import Queue
from anomaly_detection.settings import Settings
from anomaly_detection.store import Database, upgrade
from anomaly_detection.store.tables import jobs
from anomaly_detection.workflows.health import system_health
from anomaly_detection.workflows.service_health import service_findings

SECRET = "hunter2"


def test_where_nothing_was_served_nothing_is_made(tmp_path):
    assert service_findings(Settings(home=tmp_path)) == [
        ("database", "ok", "none yet; `anomaly-detection serve` makes one")
    ]
    assert list(tmp_path.iterdir()) == []


def test_jobs_are_counted_and_those_that_wait_long_are_a_warning(tmp_path):
    database = Database.in_folder(tmp_path)
    upgrade(database)
    Queue(database).put("train", {}, asked_by="ann")
    assert service_findings(Settings(home=tmp_path))[1] == ("jobs", "ok", "1 waiting")
    with database.write() as connection:
        connection.execute(sa.update(jobs).values(run_after=datetime.now(UTC) - timedelta(hours=1)))
    database.close()
    _, state, said = service_findings(Settings(home=tmp_path))[1]
    assert state == "warning"
    assert said == "1 waiting; the oldest has waited for 60 minutes: start `anomaly-detection worker`"


@pytest.mark.parametrize("address", ["sqlite:////nowhere/at/all.db", f"mysql://ann:{SECRET}@x/y"])
def test_a_database_that_does_not_answer_has_failed(tmp_path, address):
    ((name, state, said),) = service_findings(Settings(home=tmp_path, database=SecretStr(address)))
    assert (name, state) == ("database", "failed")
    assert SECRET not in said


def test_the_command_shows_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path))
    assert "database" in {check.name for check in system_health()}
