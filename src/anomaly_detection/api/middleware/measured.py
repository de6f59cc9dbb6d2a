"""How many requests were answered, how, and how fast, by the template of their route."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from anomaly_detection.telemetry import REQUEST_SECONDS, REQUESTS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

UNKNOWN = "unknown"
"""The route of requests that no route was found for, or that were refused before."""


class Measured:
    """Counts answers in ``telemetry.REQUESTS`` and ``REQUEST_SECONDS``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._seconds: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - scope.get("arrived", began))
            await send(message)

        await self.app(scope, receive, send_counted)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in METHODS else "other"
        counted = (method, route, status)
        counter = self._counters.get(counted)
        if counter is None:
            counter = self._counters[counted] = REQUESTS.labels(method, route, str(status))
            self._seconds[route] = REQUEST_SECONDS.labels(route)
        counter.inc()
        self._seconds[route].observe(seconds)


def route_of(scope: Scope) -> str:
    """The template of the route that answers, such as ``/api/v1/models/{name}``."""
    route = scope.get("route")
    path: str = getattr(route, "path_format", "") or getattr(route, "path", "")
    return path or UNKNOWN
