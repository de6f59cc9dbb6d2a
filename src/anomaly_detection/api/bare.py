"""Routes of the hot path: documented like the others, answered without reading parameters and checking answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from anomaly_detection.api.problems import ProblemError, answer_to
from anomaly_detection.errors import AnomalyDetectionError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class BareRoute(APIRoute):
    """A route whose endpoint takes the request and gives the response, and nothing stands between."""


class Shortcut:
    """ASGI: the way to bare routes past the routers, which cost half as much as judging an entry.

    Parameters
    ----------
    app : the routers, for all other requests.
    routes : those that are bare are taken here.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self.app = app
        self._routes = {route.path: route for route in routes if isinstance(route, BareRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] not in (route.methods or ()):
            await self.app(scope, receive, send)
            return
        scope["route"] = route
        try:
            response: Response = await route.endpoint(Request(scope, receive))
        except (AnomalyDetectionError, ProblemError) as error:
            response = answer_to(scope, error)
        await response(scope, receive, send)


async def body_of(request: Request) -> bytes:
    """The whole body; most come in one part, which is taken as it is.

    Raises
    ------
    ClientDisconnect
        if the caller is gone before the end of it.
    """
    parts: list[bytes] = []
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Json(Response):
    """A value as JSON, written by msgspec."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Bytes."""
        return content if isinstance(content, bytes) else msgspec.json.encode(content)


class Streamed(Response):
    """Parts of an answer as they are made, while the request may still be coming in.

    Starlette's ``StreamingResponse`` reads on by itself to see whether the client is gone, and takes away what the
    parts are made of.
    """

    def __init__(self, parts: AsyncIterator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the parts."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Gathered(Generic[Item, Answer]):
    """Does the work of all requests that came at the same moment in one go; none waits for others to come.

    Parameters
    ----------
    work : answers to items, in their order.
    most : the most items of one go.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer]], most: int = 256) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []

    def put(self, item: Item) -> asyncio.Future[Answer]:
        """The answer to an item, to be waited for."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._answer)
        return future

    def _answer(self) -> None:
        now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        try:
            answers: Sequence[Any] = self._work([item for item, _ in now])
        except Exception as error:  # noqa: BLE001  each request raises it, and is answered
            answers = [error] * len(now)
        for (_, future), answer in zip(now, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
