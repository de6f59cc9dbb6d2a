"""The database of the service, for commands that look into it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.store import Database


@contextmanager
def service_database() -> Iterator[Database]:
    """The database that the environment names, brought up to date."""
    from anomaly_detection.settings import Settings
    from anomaly_detection.store import Database, upgrade

    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()
