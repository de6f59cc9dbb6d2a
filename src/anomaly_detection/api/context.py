"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self

from fastapi import Depends, Request

from anomaly_detection.api.current_logs import CurrentLogs
from anomaly_detection.api.keys import Keys
from anomaly_detection.jobs import Queue
from anomaly_detection.jobs.schedule import Schedules
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.store import Database, upgrade
from anomaly_detection.workflows.events import Events
from anomaly_detection.workflows.own_logs import OwnLogs
from anomaly_detection.workflows.plain_rows import Bounds
from anomaly_detection.workflows.recording import Recorder
from anomaly_detection.workflows.serving import Models
from anomaly_detection.workflows.starting_models import prepare_logs
from anomaly_detection.workflows.streams import Streams
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
    keys : who may do what.
    queue : the long work.
    schedules : long work at set times.
    uploads : files for it.
    models : the models that are ready.
    events : what happens, for those who listen.
    recorder : keeps verdicts.
    streams : of records, over WebSockets.
    live_logs : the model of log entries.
    """

    settings: Settings
    database: Database = field(repr=False)
    keys: Keys = field(repr=False)
    queue: Queue = field(repr=False)
    schedules: Schedules = field(repr=False)
    uploads: Uploads = field(repr=False)
    models: Models = field(repr=False)
    events: Events = field(repr=False)
    recorder: Recorder = field(repr=False)
    streams: Streams = field(repr=False)
    live_logs: CurrentLogs = field(repr=False)

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
        models = Models(LocalRegistry(settings.registry_folder))
        models.start(partial(prepare_logs, models, settings.log_model))
        events = Events()
        recorder = Recorder(database, settings.home, events.publish)
        own = OwnLogs(settings.registry_folder, settings.log_model, settings.learn_after)
        queue = Queue(database)
        return cls(
            settings=settings,
            database=database,
            keys=Keys(database),
            queue=queue,
            schedules=Schedules(queue),
            uploads=Uploads.of(settings),
            models=models,
            events=events,
            recorder=recorder,
            streams=Streams(),
            live_logs=CurrentLogs(models, settings.log_model, recorder, own),
        )

    @property
    def bounds(self) -> Bounds:
        """The most of a table in a request."""
        return Bounds(self.settings.max_rows, self.settings.max_columns)

    def close(self) -> None:
        """Let go of everything."""
        self.models.close()
        self.recorder.close()
        self.keys.close()
        self.database.close()


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context)]
"""The context, as a parameter of a route."""
