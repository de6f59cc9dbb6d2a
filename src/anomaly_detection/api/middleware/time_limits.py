"""The longest a request may take to arrive, and to be answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from anomaly_detection.api.problems import told
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class TimeLimits:
    """Answers 408 if a body has not arrived in time, and 503 if no answer has begun in the same time after that.

    An answer that has begun may take as long as it likes: streams do. What is at work is not stopped, as a thread
    cannot be; its answer is dropped.

    Parameters
    ----------
    seconds : the limit, for either.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clock = _Clock(scope, receive, send, self.seconds)
        try:
            await self.app(scope, clock.receive, clock.send)
        finally:
            clock.timer.cancel()
            if clock.refusal is not None:
                await clock.refusal


class _Clock:
    """One request: a timer that goes off unless its answer begins before."""

    __slots__ = ("_loop", "_receive", "_scope", "_seconds", "_send", "_waits", "refusal", "timer")

    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self.refusal: asyncio.Task[None] | None = None
        self.timer = self._loop.call_later(seconds, self._over)
        self._waits = False

    async def receive(self) -> Message:
        self._waits = "arrived" not in self._scope
        message = await self._receive()
        self._waits = False
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._scope["arrived"] = time.perf_counter()
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is None:
            if message["type"] == "http.response.start":
                self.timer.cancel()
            await self._send(message)

    def _over(self) -> None:
        arrived = self._scope.get("arrived")
        left = 0.0 if arrived is None else arrived + self._seconds - time.perf_counter()
        if left > 0.001:
            self.timer = self._loop.call_later(left, self._over)
        else:
            self.refusal = self._loop.create_task(self._refuse(408 if self._waits else 503))

    async def _refuse(self, status: int) -> None:
        REFUSED.labels("time").inc()
        if status == 408:
            answer = told(
                self._scope,
                408,
                f"The request did not arrive within {self._seconds:g} seconds.",
                {"Connection": "close"},
            )
        else:
            answer = told(
                self._scope,
                503,
                f"There was no answer within {self._seconds:g} seconds. Send less at once, or use a job.",
                {"Retry-After": "10"},
            )
        await answer(self._scope, self._receive, self._send)
