"""What happens in the service, as server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from fastapi import APIRouter, Depends, Header
from starlette.responses import StreamingResponse

from anomaly_detection.api.context import Context, Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Caller, Principal, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anomaly_detection.workflows.events import Event

router = APIRouter(prefix="/api/v1", tags=["live"])


@router.get(
    "/events",
    dependencies=[Depends(needs("read"))],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    here: Here, caller: Caller, last_event_id: Annotated[str | None, Header(max_length=80)] = None
) -> StreamingResponse:
    """Follow alarms, jobs and activity. A client that comes back sends ``Last-Event-ID`` and misses nothing recent."""
    return StreamingResponse(
        _told(here, caller, last_event_id), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _told(here: Context, caller: Principal, last: str | None) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for event in here.events.listen(last):
        if here.keys.has_ended(caller):
            return
        yield b": still here\n\n" if event is None else _written(event)


def _written(event: Event) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        event.id.encode(),
        event.kind.encode(),
        msgspec.json.encode(event.data),
    )
