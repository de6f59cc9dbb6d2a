"""One line and, where wanted, one span for each request."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import structlog

from anomaly_detection.monitoring.traces import parent_of, server_kind
from anomaly_detection.telemetry import span, tracing

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp, Message, Receive, Scope, Send
    from structlog.typing import EventDict

OFTEN = ("/detect", "/score", "/predict", "/health", "/metrics")
"""Paths that machines ask for all the time; they are mentioned only where something is wrong."""

LONGEST = 500
"""Characters of a path that are shown."""

_asked: ContextVar[Scope | None] = ContextVar("asked", default=None)

_log = structlog.get_logger(__name__)


def with_request(_: Any, __: str, event: EventDict) -> EventDict:
    """Add the id of the request that is being answered: a step of structlog."""
    scope = _asked.get()
    if scope is not None and "request_id" in scope:
        event["request_id"] = scope["request_id"]
    return event


class Requests:
    """Middleware around all others. Queries and bodies are never logged: they hold what is not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        token = _asked.set(scope)

        async def send_noted(message: Message) -> None:
            nonlocal status
            status = status or status_of(message)
            await send(message)

        try:
            with _span(scope) as made:
                try:
                    await self.app(scope, receive, send_noted)
                finally:
                    if made is not None:
                        _described(made, scope, status)
        finally:
            _told(scope, status, time.perf_counter() - began)
            _asked.reset(token)


def status_of(message: Message) -> int:
    """The status that a message begins an answer with, 0 for other messages."""
    if message["type"] in {"http.response.start", "websocket.http.response.start"}:
        return int(message["status"])
    return {"websocket.accept": 101, "websocket.close": 403}.get(message["type"], 0)


def _told(scope: Scope, status: int, seconds: float) -> None:
    path = scope["path"][:LONGEST]
    if status < 400 and path.startswith(OFTEN):
        return
    caller = scope.get("principal")
    say = _log.error if status >= 500 else _log.info
    say(
        "request" if status else "request ended without an answer",
        method=scope.get("method", "WEBSOCKET"),
        path=path,
        status=status,
        milliseconds=round(seconds * 1000, 2),
        client=(scope.get("client") or ("",))[0],
        caller=caller.name if caller is not None else "",
    )


def _span(scope: Scope) -> AbstractContextManager[Any]:
    """A span below the caller's, if it named one."""
    if not tracing():
        return span("")
    method = scope.get("method", "WEBSOCKET")
    attributes = {"http.request.method": method, "url.path": scope["path"], "url.scheme": scope.get("scheme", "")}
    return span(method, attributes, context=parent_of(scope["headers"]), kind=server_kind())


def _described(made: Any, scope: Scope, status: int) -> None:
    """Name a span by its route and say how it ended, by OpenTelemetry's names."""
    route = getattr(scope.get("route"), "path", None)
    if route:
        made.update_name(f"{scope.get('method', 'WEBSOCKET')} {route}")
        made.set_attribute("http.route", route)
    made.set_attribute("http.response.status_code", status)
    made.set_attribute("request.id", scope.get("request_id", ""))
