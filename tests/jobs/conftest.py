"""A queue on both databases."""

from datetime import UTC, datetime

import pytest

from anomaly_detection.jobs import Queue
from anomaly_detection.store import Database, upgrade
from jobs.clocks import Clock


@pytest.fixture
def database(database_url):
    database = Database(database_url)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def queue(database, clock):
    return Queue(database, lease_seconds=30, pause_seconds=2, now=clock)


@pytest.fixture
def sqlite_queue(tmp_path):
    """A queue of this moment, for what is the same on every database."""
    database = Database.in_folder(tmp_path)
    upgrade(database)
    yield Queue(database, pause_seconds=0.01)
    database.close()
