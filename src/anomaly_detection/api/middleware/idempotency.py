"""Writes that are sent again are done once: ``Idempotency-Key``."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.responses import Response

from anomaly_detection.api.problems import told
from anomaly_detection.errors import StoreError
from anomaly_detection.store import answers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from anomaly_detection.store import Database

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})

LONGEST = 200
"""Characters of a key."""

LARGEST = 2**20
"""Bytes of an answer that is kept; a larger one is made again when it is asked for again."""

KEPT_HEADERS = frozenset({b"content-type", b"location", b"etag", b"retry-after"})


class Idempotency:
    """Keeps the answer to a write with a key, and gives it again to who sends the same request with that key.

    Another request with the key: 422; the same while the first is under way: 409. Where the service failed (5xx),
    nothing is kept.

    Parameters
    ----------
    database : where answers are kept.
    seconds : the longest a request takes; one that was cut off may be made again after twice that.
    """

    def __init__(self, app: ASGIApp, database: Database, seconds: float) -> None:
        self.app = app
        self.database = database
        self.patience = timedelta(seconds=2 * seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        key = None
        if scope["type"] == "http" and scope["method"] in WRITES:
            key = dict(scope["headers"]).get(b"idempotency-key")
        if key is None:
            await self.app(scope, receive, send)
        elif not 0 < len(key) <= LONGEST:
            await told(scope, 422, f"An Idempotency-Key has 1 to {LONGEST} characters.")(scope, receive, send)
        elif "principal" not in scope:
            await self.app(scope, receive, send)
        else:
            await self._once(key.decode("latin-1"), scope, receive, send)

    async def _once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _whole(receive)
        if body is None:
            return
        asked = answers.Asked(key, scope["principal"].name, _digest(scope, body))
        try:
            kept = await to_thread.run_sync(self._claim, asked)
        except StoreError as error:
            await told(scope, 503, str(error), {"Retry-After": "5"})(scope, receive, send)
            return
        if kept is not None:
            await _again(scope, kept, asked)(scope, receive, send)
            return
        scope["idempotency_key"] = key
        await self._first(asked, scope, _replayed(body, receive), send)

    async def _first(self, asked: answers.Asked, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        try:
            await self.app(scope, receive, answer.send)
        finally:
            with suppress(StoreError):
                await to_thread.run_sync(self._settle, asked, answer)
        await answer.leave()

    def _claim(self, asked: answers.Asked) -> answers.Kept | None:
        with self.database.write() as connection:
            return answers.claim(connection, asked, self.patience)

    def _settle(self, asked: answers.Asked, answer: _Answer) -> None:
        with self.database.write() as connection:
            if answer.is_worth_keeping:
                answers.keep(connection, asked, answer.status, answer.headers, bytes(answer.body))
            else:
                answers.forget(connection, asked)


class _Answer:
    """An answer that waits until it is kept; a large one leaves at once and is not kept."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[Message] = []
        self.status = 500
        self.headers: list[tuple[str, str]] = []
        self.body = bytearray()
        self._whole = False

    @property
    def is_worth_keeping(self) -> bool:
        return self._whole and self.status < 500 and len(self.body) <= LARGEST

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            said = [one for one in message.get("headers", ()) if one[0] in KEPT_HEADERS]
            self.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in said]
        elif message["type"] == "http.response.body":
            if len(self.body) <= LARGEST:
                self.body += message.get("body", b"")
            self._whole = not message.get("more_body", False)
        self._waiting.append(message)
        if len(self.body) > LARGEST:
            await self.leave()

    async def leave(self) -> None:
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            await self._send(message)


def _again(scope: Scope, kept: answers.Kept, asked: answers.Asked) -> Response:
    if kept.request != asked.request:
        return told(scope, 422, f"The Idempotency-Key {asked.key!r} was sent with another request. Use a new one.")
    if kept.status is None:
        detail = f"The first request with the Idempotency-Key {asked.key!r} is under way."
        return told(scope, 409, detail, {"Retry-After": "1"})
    return Response(kept.body, kept.status, {**dict(kept.headers), "Idempotency-Replayed": "true"})


async def _whole(receive: Receive) -> bytes | None:
    """The body; None if the caller went away."""
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _digest(scope: Scope, body: bytes) -> str:
    head = f"{scope['method']} {scope['path']}?".encode() + scope.get("query_string", b"") + b"\n"
    return sha256(head + body).hexdigest()
