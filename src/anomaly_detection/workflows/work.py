"""A process that does jobs, from its beginning to its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from anomaly_detection.jobs import Queue
from anomaly_detection.jobs.schedule import Schedules
from anomaly_detection.jobs.worker import Worker
from anomaly_detection.monitoring.log_lines import start_log
from anomaly_detection.monitoring.traces import Traces
from anomaly_detection.store import Database, upgrade
from anomaly_detection.workflows.job_kinds import kinds_of_jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.settings import Settings


def work(settings: Settings, *, once: bool = False, with_parent: bool = False) -> int:
    """Do jobs until SIGTERM or Ctrl-C, which give the job at hand back; how many attempts were made with ``once``.

    Parameters
    ----------
    settings : where everything is.
    once : end when no job waits any more.
    with_parent : end when the standard input does: whoever holds its other end is gone then.

    Raises
    ------
    StoreError
        if the database does not answer when it begins.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    start_log(settings.log_format)
    with ExitStack() as open_things:
        if settings.trace_endpoint:
            open_things.callback(Traces(settings.trace_endpoint, settings.trace_share).close)
        database = Database(settings.database_url)
        open_things.callback(database.close)
        upgrade(database)
        queue = Queue(database)
        worker = Worker(queue, kinds_of_jobs(settings), Schedules(queue))
        if with_parent:
            threading.Thread(target=_end_with_parent, args=(worker,), daemon=True).start()
        with _stopped_by_signals(worker):
            if once:
                return worker.run_waiting()
            worker.run()
    return 0


@contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[None]:
    before = {number: signal.signal(number, lambda *_: worker.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent(worker: Worker) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    worker.stop()
