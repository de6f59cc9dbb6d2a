"""Errors that nobody expected: a problem document for the caller, the traceback for the log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from anomaly_detection.api.problems import told

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)


class Failures:
    """Answers 500 where a route fails; it names the request's id and nothing of the inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception:
            _log.exception("request %s failed: %s %s", scope["request_id"], scope["method"], scope["path"])
            if started:
                raise
            detail = f"This should not have happened. The log says more under the id {scope['request_id']}."
            await told(scope, 500, detail)(scope, receive, send)
