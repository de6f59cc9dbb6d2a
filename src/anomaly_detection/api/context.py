"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import Depends, Request

from anomaly_detection.api.keys import Keys
from anomaly_detection.store import Database, upgrade
from anomaly_detection.workflows.plain_rows import Bounds

if TYPE_CHECKING:
    from anomaly_detection.settings import Settings


@dataclass(slots=True)
class Context:
    """The parts of a running service.

    Parameters
    ----------
    settings : what it was started with.
    database : what it remembers.
    keys : who may do what.
    """

    settings: Settings
    database: Database = field(repr=False)
    keys: Keys = field(repr=False)

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
        return cls(settings, database, Keys(database))

    @property
    def bounds(self) -> Bounds:
        """The most of a table in a request."""
        return Bounds(self.settings.max_rows, self.settings.max_columns)

    def close(self) -> None:
        """Let go of everything."""
        self.keys.close()
        self.database.close()


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]
"""The context, as a parameter of a route."""
