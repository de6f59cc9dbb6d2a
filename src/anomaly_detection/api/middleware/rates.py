"""How many requests a caller may make."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from limits import parse, storage, strategies
from limits.aio import storage as aio_storage
from limits.aio import strategies as aio_strategies
from limits.errors import StorageError

from anomaly_detection.api.problems import told
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from limits import RateLimitItem
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FREE = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""Paths that probes ask, however busy it is."""


class Rates:
    """Answers 429 to a caller who asks too often; those without a key are told apart by their address.

    Parameters
    ----------
    rate : such as ``6000/minute``; no limit when empty.
    store : ``memory://``, or ``redis://host`` where several processes count together. While Redis does not answer,
        each process counts for itself.
    """

    def __init__(self, app: ASGIApp, rate: str, store: str) -> None:
        self.app = app
        self._rate: RateLimitItem | None = parse(rate) if rate else None
        self._here = strategies.FixedWindowRateLimiter(storage.MemoryStorage())
        self._counted = None if store == "memory://" else _redis(store)
        self._shared = None if self._counted is None else aio_strategies.FixedWindowRateLimiter(self._counted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._rate is None or scope["type"] != "http" or scope["path"] in FREE:
            await self.app(scope, receive, send)
            if scope["type"] == "lifespan" and self._counted is not None:
                bridge: Any = self._counted.bridge
                await bridge.storage.aclose()
            return
        allowed, left, reset = await self._spend(self._rate, _caller(scope))
        headers = [
            (b"ratelimit-limit", str(self._rate.amount).encode()),
            (b"ratelimit-remaining", str(left).encode()),
            (b"ratelimit-reset", str(reset).encode()),
        ]

        async def send_with_rate(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        if allowed:
            await self.app(scope, receive, send_with_rate)
            return
        REFUSED.labels("rate").inc()
        detail = f"The limit is {self._rate}. Ask again in {reset} seconds."
        await told(scope, 429, detail, {"Retry-After": str(reset)})(scope, receive, send_with_rate)

    async def _spend(self, rate: RateLimitItem, caller: str) -> tuple[bool, int, int]:
        """Whether one more is allowed, how many are left, and the seconds until all are there again."""
        if self._shared is not None:
            try:
                allowed = await self._shared.hit(rate, caller)
                stats = await self._shared.get_window_stats(rate, caller)
            except StorageError:
                pass
            else:
                return allowed, stats.remaining, _seconds_to(stats.reset_time)
        allowed = self._here.hit(rate, caller)
        stats = self._here.get_window_stats(rate, caller)
        return allowed, stats.remaining, _seconds_to(stats.reset_time)


def _redis(store: str) -> aio_storage.RedisStorage:
    url = store if store.startswith("async+") else f"async+{store}"
    return aio_storage.RedisStorage(url, wrap_exceptions=True, implementation="redispy")


def _seconds_to(moment: float) -> int:
    return max(1, int(moment - time.time() + 0.999))


def _caller(scope: Scope) -> str:
    principal = scope.get("principal")
    if principal is not None:
        return f"key {principal.name}"
    client = scope.get("client")
    return f"address {client[0] if client else ''}"
