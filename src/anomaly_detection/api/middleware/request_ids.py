"""An id for every request, in its answer and in the log."""

from __future__ import annotations

import re
import secrets
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = b"x-request-id"

SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""An id of the caller's is taken if it looks like one; others are replaced, as they end up in logs."""

_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class RequestIds:
    """Puts ``request_id`` into the scope, and ``X-Request-ID`` into the answer.

    An id of ours has a random beginning for each process, and a number.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._beginning = secrets.token_hex(4)
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        given: bytes = dict(scope["headers"]).get(HEADER, b"")
        own = given.decode() if SANE.fullmatch(given) else f"{self._beginning}{next(self._numbers):08x}"
        scope["request_id"], request_id = own, own.encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] in _STARTS:
                message["headers"] = [*message.get("headers", ()), (HEADER, request_id)]
            await send(message)

        await self.app(scope, receive, send_with_id)
