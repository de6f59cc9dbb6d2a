"""Answers packed with zstd or gzip, for callers that take it."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Protocol

from anyio import to_thread

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1024
"""Smaller answers go as they are."""

AT_ONCE = 2**17
"""More than so many bytes are packed in a thread, so that others need not wait."""

PACKED_ALREADY = (b"image/", b"font/", b"application/zip", b"application/vnd.apache.parquet", b"text/event-stream")
"""Types that are packed already, or that have to leave at once."""


class Packer(Protocol):
    """Packs an answer bit by bit; what came in has come out after each bit."""

    def bit(self, data: bytes, last: bool) -> bytes:
        """Some more, or the end."""


class _Gzip:
    def __init__(self) -> None:
        self._pack = zlib.compressobj(5, wbits=31)

    def bit(self, data: bytes, last: bool) -> bytes:
        return self._pack.compress(data) + self._pack.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)


class _Zstandard:
    def __init__(self) -> None:
        self._pack = zstd.ZstdCompressor(level=3)

    def bit(self, data: bytes, last: bool) -> bytes:
        return self._pack.compress(data, self._pack.FLUSH_FRAME if last else self._pack.FLUSH_BLOCK)


class Compression:
    """Packs answers of 1 KiB and more."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http":
            encoding = _wanted(dict(scope["headers"]).get(b"accept-encoding", b""))
            if encoding:
                send = _Packing(send, encoding).send
        await self.app(scope, receive, send)


class _Packing:
    """One answer: its beginning waits until it is known whether it is worth it."""

    __slots__ = ("_encoding", "_packer", "_send", "_start")

    def __init__(self, send: Send, encoding: bytes) -> None:
        self._send = send
        self._encoding = encoding
        self._start: Message | None = None
        self._packer: Packer | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            await self._begin(self._start, message)
            self._start = None
        if self._packer is not None and message["type"] == "http.response.body":
            message = {**message, "body": await self._packed(message)}
        await self._send(message)

    async def _begin(self, start: Message, first: Message) -> None:
        streamed = first.get("more_body", False)
        if (streamed or len(first.get("body", b"")) >= LEAST) and _packable(start):
            self._packer = _Zstandard() if self._encoding == b"zstd" else _Gzip()
            said = [one for one in start["headers"] if one[0] != b"content-length"]
            start["headers"] = [*said, (b"content-encoding", self._encoding), (b"vary", b"Accept-Encoding")]
            if not streamed:
                first["body"] = await self._packed(first)
                start["headers"].append((b"content-length", str(len(first["body"])).encode()))
                self._packer = None
        await self._send(start)

    async def _packed(self, message: Message) -> bytes:
        data, last = message.get("body", b""), not message.get("more_body", False)
        if self._packer is None or len(data) <= AT_ONCE:
            return data if self._packer is None else self._packer.bit(data, last)
        return await to_thread.run_sync(self._packer.bit, data, last)


def _packable(start: Message) -> bool:
    headers: dict[bytes, bytes] = dict(start.get("headers", ()))
    kind = headers.get(b"content-type", b"")
    return b"content-encoding" not in headers and not kind.startswith(PACKED_ALREADY) and start["status"] != 206


def _wanted(accepted: bytes) -> bytes:
    """``zstd``, ``gzip`` or nothing.

    >>> _wanted(b"gzip, deflate, br, zstd"), _wanted(b"GZIP;q=0.5"), _wanted(b"gzip;q=0, br")
    (b'zstd', b'gzip', b'')
    """
    if accepted in _KNOWN:
        return _KNOWN[accepted]
    offers = [part.replace(b" ", b"").lower().split(b";") for part in accepted.split(b",")]
    taken = {
        name for name, *rest in offers if not any(one in {b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"} for one in rest)
    }
    return next((name for name in (b"zstd", b"gzip") if name in taken), b"")


_KNOWN = {b"": b"", b"gzip, deflate": b"gzip", b"gzip, deflate, zstd": b"zstd", b"gzip, deflate, br, zstd": b"zstd"}
"""What common clients send."""
