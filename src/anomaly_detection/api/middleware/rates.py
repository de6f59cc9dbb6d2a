"""How many requests a caller may make."""

from __future__ import annotations

import time
from math import ceil
from typing import TYPE_CHECKING, Any

from limits import parse
from limits.aio import storage as aio_storage
from limits.aio import strategies as aio_strategies
from limits.errors import StorageError

from anomaly_detection.api.problems import told
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

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
        self._here = Counts()
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
        return self._here.spend(rate, caller)


class Counts:
    """Requests of each caller in the window that runs, in this process; all windows of a rate begin at one moment.

    The library's own store takes three times as long as judging a record, and a thread now and then.

    Parameters
    ----------
    now : where the time comes from, in seconds.
    most : so many callers are counted; of more, those that came first begin anew.

    Examples
    --------
    >>> counts = Counts(lambda: 100.0)
    >>> [counts.spend(parse("2/minute"), "ann") for _ in range(3)]
    [(True, 1, 20), (True, 0, 20), (False, 0, 20)]
    """

    def __init__(self, now: Callable[[], float] = time.time, most: int = 100_000) -> None:
        self._now = now
        self._most = most
        self._window = -1
        self._counts: dict[str, int] = {}

    def spend(self, rate: RateLimitItem, caller: str) -> tuple[bool, int, int]:
        """Whether one more is allowed, how many are left, and the seconds until all are there again."""
        length, now = rate.get_expiry(), self._now()
        window = int(now // length)
        if window != self._window:
            self._window, self._counts = window, {}
        count = self._counts[caller] = self._counts.get(caller, 0) + 1
        if len(self._counts) > self._most:
            del self._counts[next(iter(self._counts))]
        return count <= rate.amount, max(0, rate.amount - count), max(1, ceil((window + 1) * length - now))


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
