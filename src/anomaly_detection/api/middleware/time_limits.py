"""The longest a request may take to arrive, and to be answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from anomaly_detection.api.problems import told
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


LOOK = 0.5
"""Seconds between two looks at what is at work."""


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
        self._clocks: dict[_Clock, None] = {}
        self._every = min(LOOK, seconds / 8)
        self._looks = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        clock = _Clock(scope, receive, send, self.seconds)
        self._clocks[clock] = None
        if not self._looks:
            self._looks = True
            asyncio.get_running_loop().call_later(self._every, self._look_at_all)
        try:
            await self.app(scope, clock.receive, clock.send)
        finally:
            self._clocks.pop(clock, None)
            if clock.refusal is not None:
                await clock.refusal

    def _look_at_all(self) -> None:
        """Refuse what takes too long, and look again soon while anything is at work; a timer each would cost more."""
        now = time.perf_counter()
        for clock in [one for one in self._clocks if one.is_over(now)]:
            del self._clocks[clock]
            clock.refuse()
        self._looks = bool(self._clocks)
        if self._looks:
            asyncio.get_running_loop().call_later(self._every, self._look_at_all)


class _Clock:
    """One request: when it began, when it was here, and whether its answer has begun."""

    __slots__ = ("_began", "_receive", "_scope", "_seconds", "_send", "_started", "_waits", "refusal")

    def __init__(self, scope: Scope, receive: Receive, send: Send, seconds: float) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self._began = time.perf_counter()
        self._started = self._waits = False
        self.refusal: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        self._waits = "arrived" not in self._scope
        message = await self._receive()
        self._waits = False
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._scope["arrived"] = time.perf_counter()
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is None:
            self._started = True
            await self._send(message)

    def is_over(self, now: float) -> bool:
        """Whether its time is up, and no answer has begun."""
        return not self._started and now - self._scope.get("arrived", self._began) >= self._seconds

    def refuse(self) -> None:
        """Answer in its place."""
        self.refusal = asyncio.get_running_loop().create_task(self._refuse(408 if self._waits else 503))

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
