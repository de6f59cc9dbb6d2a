"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import Depends, Request

from anomaly_detection.jobs import Queue
from anomaly_detection.jobs.schedule import Schedules
from anomaly_detection.store import Database, upgrade
from anomaly_detection.workflows.uploads import Uploads

if TYPE_CHECKING:
    from anomaly_detection.settings import Settings


@dataclass(slots=True)
class Context:
    """The parts of a running service.

    Parameters
    ----------
    settings : what it was started with.
    database : what it remembers.
    queue : the long work.
    schedules : long work at set times.
    uploads : files for it.
    """

    settings: Settings
    database: Database = field(repr=False)
    queue: Queue = field(repr=False)
    schedules: Schedules = field(repr=False)
    uploads: Uploads = field(repr=False)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """Everything a service needs, the database brought up to date.

        Raises
        ------
        StoreError
            if the database does not answer.
        """
        settings.home.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database_url)
        upgrade(database)
        queue = Queue(database)
        return cls(settings, database, queue, Schedules(queue), Uploads(settings.home / "uploads"))

    def close(self) -> None:
        """Let go of everything."""
        self.database.close()


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]
"""The context, as a parameter of a route."""
