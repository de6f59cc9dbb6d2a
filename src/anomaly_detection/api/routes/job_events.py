"""A job as it goes on, as server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from anomaly_detection.api.context import Context, Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Principal, needs
from anomaly_detection.api.schemas.jobs import JobAnswer
from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.jobs import ENDED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from anomaly_detection.jobs import Job, Line, Queue

router = APIRouter(tags=["jobs"])

Reads = Annotated[Principal, Depends(needs("read"))]

EVERY_SECONDS = 0.5
QUIET_SECONDS = 15.0
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`job` events with the job whenever it changes, `line` events with what it logs; ends with it.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/api/v1/jobs/{id}/events", response_class=StreamingResponse, responses=STREAM)
async def events(
    id: str, here: Here, caller: Reads, last_event_id: Annotated[int, Header(ge=0, lt=2**63)] = 0
) -> StreamingResponse:
    """Follow a job: what changes and what it logs, until it has ended. Goes on behind the header Last-Event-ID."""
    await run_in_threadpool(here.queue.get, id)
    goes_on = partial(_goes_on, here, caller)
    body = _events(here.queue, id, last_event_id, goes_on)
    return StreamingResponse(body, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(queue: Queue, id: str, after: int, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What is sent; where the job or the database is gone, the stream ends, and the client asks again."""
    with suppress(AnomalyDetectionError):
        async for event in _following(queue, id, after, goes_on):
            yield event


async def _following(queue: Queue, id: str, after: int, goes_on: Callable[[], bool]) -> AsyncIterator[bytes]:
    before: Job | None = None
    quiet = 0.0
    while before is None or (before.state not in ENDED and goes_on()):
        job, lines = await run_in_threadpool(_now, queue, id, after)
        for line in lines:
            after = line.id
            yield _event("line", {"at": line.at, "text": line.text}, line.id)
        if before is None or _shown(job) != _shown(before):
            yield _event("job", _shown(job))
            quiet = 0.0
        elif quiet >= QUIET_SECONDS:
            yield b": still there\n\n"
            quiet = 0.0
        before = job
        if job.state not in ENDED:
            await asyncio.sleep(EVERY_SECONDS)
            quiet += EVERY_SECONDS


def _goes_on(here: Context, caller: Principal) -> bool:
    """Whether the service does, and the caller's key is still in use."""
    return not here.events.ended and not here.keys.has_ended(caller)


def _now(queue: Queue, id: str, after: int) -> tuple[Job, tuple[Line, ...]]:
    """The job, and what it has logged; a job that has ended logs nothing more."""
    job = queue.get(id)
    return job, queue.lines(id, after)


def _shown(job: Job) -> dict[str, Any]:
    return JobAnswer.of(job).model_dump(mode="json")


def _event(name: str, data: dict[str, Any], id: int | None = None) -> bytes:
    head = f"event: {name}\n" + (f"id: {id}\n" if id is not None else "")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"
