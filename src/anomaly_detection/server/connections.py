"""Connections that nobody can hold for nothing: limits below HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from anomaly_detection.api.problems import MEDIA_TYPE, problem
from anomaly_detection.server.writing import Joined
from anomaly_detection.telemetry import CONNECTIONS, CONNECTIONS_ENDED

if TYPE_CHECKING:
    import asyncio

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

MOST_HEAD = 64 * 1024
"""Bytes of a request's line and headers."""


@dataclass(eq=False)
class Limits:
    """The limits of a service, and who is waited for.

    Parameters
    ----------
    connections : the most at a time.
    head_seconds : the longest that the head of a request may take.
    read_seconds : the longest that a caller may leave an answer unread.
    waiting : connections whose caller has to send something, the one that sent longest ago first.
    """

    connections: int
    head_seconds: float
    read_seconds: float
    waiting: dict[LimitedProtocol, None] = field(default_factory=dict)

    def make(self, **parts: Any) -> asyncio.Protocol:
        """A connection of uvicorn's that keeps to them."""
        return LimitedProtocol(self, **parts)


class LimitedProtocol(HttpToolsProtocol):
    """HTTP by uvicorn, with three limits that it does not know.

    A head that does not arrive in time or is too large is refused. Whoever does not read an answer is cut off. When
    there are too many connections, the one ends that has kept the service waiting longest: a crowd that opens
    connections and sends little ends its own.
    """

    def __init__(self, limits: Limits, **parts: Any) -> None:
        super().__init__(**parts)
        self._limits = limits
        self._came = 0
        self._parsed = 0
        self._in_head = True
        self._in_body = False
        self._running: RequestResponseCycle | None = None
        self._joined = Joined(self.transport)
        self._timer: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; end another connection if they are too many."""
        super().connection_made(transport)
        self._limits.waiting[self] = None
        self._timer = self.loop.call_later(self._limits.head_seconds, self._is_late)
        if len(self.connections) > self._limits.connections:
            next(iter(self._limits.waiting)).give_way()
        CONNECTIONS.set(len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._let_go()
        self._in_time()
        self._read()
        super().connection_lost(exc)
        CONNECTIONS.set(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Take what came; more of a head than it may have is refused."""
        if self._in_head:
            self._came += len(data)
        super().data_received(data)
        if not self._in_head:
            return
        if self._came > MOST_HEAD:
            self._refuse_head()
        elif self._timer is None:  # most heads come whole, and cost no timer
            self._timer = self.loop.call_later(self._limits.head_seconds, self._is_late)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._parsed = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        super().on_url(url)
        self._parse(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        self._parse(len(name) + len(value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_time()
        self._in_head = False
        self._in_body = True
        self._came = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of a request is here; it is for the service to do something."""
        self._leave()
        self._in_time()
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, and no longer for the rest of this one than for a head."""
        self._joined.flush()
        super().on_response_complete()
        self._limits.waiting.pop(self, None)
        if not self.transport.is_closing():
            self._limits.waiting[self] = None
            if self._in_body and self._timer is None:
                self._timer = self.loop.call_later(self._limits.head_seconds, self._is_late)

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket."""
        self._leave()
        self._in_time()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """The answer is not read as fast as it is written."""
        super().pause_writing()
        self._unread = self.loop.call_later(self._limits.read_seconds, self._is_not_read)

    def resume_writing(self) -> None:
        """It is read again."""
        self._read()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        if self._parsed > MOST_HEAD:
            self._refuse_head()
        else:
            self.end("no HTTP", 400, msg)

    def end(self, reason: str, status: int, detail: str) -> None:
        """Refuse what this connection sends, and end it; an answer that has begun is not written into."""
        if self.transport.is_closing():
            return
        CONNECTIONS_ENDED.labels(reason).inc()
        running = self._running
        if running is None or running.response_complete or not running.response_started:
            body = bytes(problem(status, detail).body)
            head = b"content-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(STATUS_LINE[status] + head % (MEDIA_TYPE.encode(), len(body)) + body)
        self._let_go()
        self.transport.close()

    def give_way(self) -> None:
        """Make room for another connection; without a word where nothing was asked."""
        if not (self._in_head and self._came) and not self._is_answering():
            CONNECTIONS_ENDED.labels("crowd").inc()
            self.transport.close()
        else:
            self.end("crowd", 503, "There are too many connections. Try again.")

    def _parse(self, size: int) -> None:
        self._parsed += size
        if self._parsed > MOST_HEAD:
            raise ValueError("head too large")

    def _refuse_head(self) -> None:
        self.end("head too large", 431, f"The head of a request may have {MOST_HEAD:,} bytes.")

    def _is_late(self) -> None:
        self._timer = None
        if self._is_answering():
            self._timer = self.loop.call_later(self._limits.head_seconds, self._is_late)
        elif self._in_body:
            CONNECTIONS_ENDED.labels("slow body").inc()
            self.transport.close()
        else:
            seconds = self._limits.head_seconds
            self.end("slow head", 408, f"The head of the request did not arrive within {seconds:g} seconds.")

    def _is_not_read(self) -> None:
        CONNECTIONS_ENDED.labels("unread").inc()
        self._let_go()
        self.transport.abort()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        self._joined = Joined(self.transport)
        cycle.transport = self._joined  # type: ignore[assignment] # all that uvicorn uses of one
        super()._start_asgi_task(cycle, app)

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _let_go(self) -> None:
        """Tell the service that nobody is there any more, so that it writes nothing into what is closed."""
        self._leave()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _leave(self) -> None:
        self._limits.waiting.pop(self, None)

    def _in_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
