"""Large JSON bodies, read beside the event loop; and work that takes long enough to be counted."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from fastapi.routing import APIRoute

from anomaly_detection.api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

SMALL = 2**16
"""Bytes that are read at once."""

AT_ONCE = max(2, os.cpu_count() or 1)
"""So many pieces of heavy work at a time; more only take turns."""

MOST_WAITING = 32

_heavy: list[CapacityLimiter] = []


class LargeJson(APIRoute):
    """A route whose body may be large: read by a faster reader, in a thread, so that others are answered meanwhile."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, given such a request."""
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(_Request(request.scope, request.receive))

        return handle


class _Request(Request):
    async def json(self) -> Any:
        body = await self.body()
        return await to_thread.run_sync(_read, body) if len(body) > SMALL else _read(body)


def _read(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from error


async def heavy(work: Callable[..., T], *arguments: Any) -> T:
    """Do heavy work in a thread, as many pieces at a time as there are processors.

    Raises
    ------
    ProblemError
        503 where too many wait already.
    """
    if not _heavy:
        _heavy.append(CapacityLimiter(AT_ONCE))
    limiter = _heavy[0]
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise ProblemError(503, f"{MOST_WAITING} requests like this wait already. Ask again.", {"Retry-After": "5"})
    return await to_thread.run_sync(work, *arguments, limiter=limiter)


def answer(values: object) -> Response:
    """An answer of plain values, written where this is called, as large ones take a while."""
    return Response(msgspec.json.encode(values), media_type="application/json")
