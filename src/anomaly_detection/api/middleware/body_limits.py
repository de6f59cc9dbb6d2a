"""The size of a request's body, as it comes and unpacked; gzip and zstd are unpacked here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from starlette.exceptions import HTTPException

from anomaly_detection.api.middleware.unpacking import Gzip, Zstandard
from anomaly_detection.api.problems import told
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Unpacker(Protocol):
    """Unpacks a body bit by bit."""

    whole: bool

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes hold, in pieces of a bounded size."""


UNPACKERS: dict[bytes, Callable[[], Unpacker]] = {b"gzip": Gzip, b"x-gzip": Gzip, b"zstd": Zstandard}


class BodyLimits:
    """Answers 413 to bodies that are too large, before they are read where they say so themselves.

    Parameters
    ----------
    most : bytes.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app = app
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        length: bytes | None = headers.get(b"content-length")
        encoding = headers.get(b"content-encoding", b"identity").strip().lower()
        if length is not None and int(length) > self.most:
            REFUSED.labels("size").inc()
            await told(scope, 413, _too_large(self.most), {"Connection": "close"})(scope, receive, send)
        elif encoding == b"identity":
            if b"transfer-encoding" in headers and length is None:
                await self._watched(scope, _Counted(receive, self.most).receive, send)
            else:
                await self.app(scope, receive, send)
        elif encoding in UNPACKERS:
            scope["headers"] = [
                one for one in scope["headers"] if one[0] not in {b"content-encoding", b"content-length"}
            ]
            await self._watched(scope, _Unpacked(receive, self.most, UNPACKERS[encoding]()).receive, send)
        else:
            detail = "Content-Encoding has to be gzip, zstd or identity."
            await told(scope, 415, detail, {"Accept-Encoding": "gzip, zstd"})(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application says so itself where it reads the body; here it is for middleware that does."""
        try:
            await self.app(scope, receive, send)
        except HTTPException as error:
            await told(scope, error.status_code, error.detail, error.headers)(scope, receive, send)


class _Counted:
    """A body whose size is known only when it is there."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._most = self._left = most

    async def receive(self) -> Message:
        message = await self._receive()
        self._spend(len(message.get("body", b"")))
        return message

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            REFUSED.labels("size").inc()
            raise HTTPException(413, _too_large(self._most), {"Connection": "close"})


class _Unpacked(_Counted):
    """A body that comes packed."""

    def __init__(self, receive: Receive, most: int, unpacker: Unpacker) -> None:
        super().__init__(receive, most)
        self._unpacker = unpacker
        self._pieces: Iterator[bytes] = iter(())
        self._arrived = False
        self._ended = False

    async def receive(self) -> Message:
        if self._ended:
            return await self._receive()
        while True:
            piece = self._next_piece()
            if piece:
                self._spend(len(piece))
                await asyncio.sleep(0)
                return {"type": "http.request", "body": piece, "more_body": True}
            if piece is None and self._arrived:
                return self._end()
            if piece is None:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                self._pieces = self._unpacker.pieces(message.get("body", b""))
                self._arrived = not message.get("more_body", False)

    def _next_piece(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except ValueError as error:
            raise HTTPException(400, f"The body is not what Content-Encoding says: {error}.") from error

    def _end(self) -> Message:
        self._ended = True
        if not self._unpacker.whole:
            raise HTTPException(400, "The packed body was cut short.")
        return {"type": "http.request", "body": b"", "more_body": False}


def _too_large(most: int) -> str:
    return f"A request may have {most:,} bytes, also once unpacked. Send it in parts, or use a job."
