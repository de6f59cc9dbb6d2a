"""What changed, as server-sent events: pages fetch the parts of them that are about it."""

from __future__ import annotations

import asyncio
import threading
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from anomaly_detection.errors import StoreError
from anomaly_detection.store import views

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from starlette.requests import Request

    from anomaly_detection.api.context import Context
    from anomaly_detection.store import Database
    from anomaly_detection.workflows.events import Events

EVERY = 1.0
"""Seconds between two looks at the database, for all browsers together."""

LASTS = 60.0
"""Seconds after which a stream ends; browsers ask again by themselves, if their session has not ended."""


class Changes:
    """What pages show live: one look at the database serves all who ask within a second.

    Parameters
    ----------
    database : where to look.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._looked = 0.0
        self._traces: dict[str, str] = {}

    def token(self) -> str:
        """All of it as a part of an address."""
        return ".".join(f"{name}-{trace}" for name, trace in self.traces().items())

    def traces(self) -> dict[str, str]:
        """A few characters by name that are others once something has changed; no others while the database is down."""
        with self._lock:
            if time.monotonic() - self._looked >= EVERY:
                self._looked = time.monotonic()
                try:
                    with self._database.read() as connection:
                        self._traces = {name: _mark(trace) for name, trace in views.traces(connection).items()}
                except StoreError:
                    return self._traces
            return self._traces


def _mark(trace: tuple[Any, ...]) -> str:
    return sha256(repr(trace).encode()).hexdigest()[:12]


async def live(request: Request) -> Response:
    """The stream; ``since`` is what the page had seen when it was made."""
    if request.scope.get("principal") is None:
        return RedirectResponse("/login", 303)
    changes: Changes = request.app.state.changes
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    seen = dict(part.partition("-")[::2] for part in request.query_params.get("since", "").split("."))
    context: Context = request.app.state.context
    return StreamingResponse(_events(changes, context.events, seen), headers=headers, media_type="text/event-stream")


async def _events(changes: Changes, events: Events, seen: Mapping[str, str]) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    ends = time.monotonic() + LASTS
    while time.monotonic() < ends and not events.ended:
        await asyncio.sleep(EVERY)
        now = await run_in_threadpool(changes.traces)
        changed = [name for name, trace in now.items() if trace != seen.get(name)]
        seen = now
        yield "".join(f"event: {name}\ndata: changed\n\n" for name in changed) or ": nothing\n\n"
