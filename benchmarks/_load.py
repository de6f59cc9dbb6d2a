"""Load for HTTP services: keep-alive connections without a client library, so that the client is no bottleneck."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Answers:
    """What came back.

    Parameters
    ----------
    seconds : from when each request was to be sent to its answer.
    bodies : of the answers, by the place of the request.
    errors : answers that were no 200.
    """

    seconds: list[float] = field(default_factory=list)
    bodies: dict[int, bytes] = field(default_factory=dict)
    errors: int = 0

    def percentile(self, share: float) -> float:
        """A percentile of the seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Connection(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self.data = b""
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found or self.answer is None:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self.data = body[length:]
            answer, self.answer = self.answer, None
            answer.set_result((int(head[9:12]), body[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The service hung up."""
        if self.answer is not None:
            self.answer.set_exception(exc or ConnectionError("the service hung up"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and wait for its answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return await self.answer


def post(path: str, body: bytes) -> bytes:
    """A request."""
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{kind}\r\n\r\n"
    return head.encode() + body


async def closed(port: int, requests: Sequence[bytes], connections: int) -> Answers:
    """Send all requests, each connection the next as soon as it has an answer."""
    answers, places = Answers(), iter(range(len(requests)))

    async def one() -> None:
        connection = await _connected(port)
        for place in places:
            began = time.perf_counter()
            await _ask(connection, requests[place], place, began, answers)
        connection.transport.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers


async def steady(port: int, requests: Sequence[bytes], rate: float, seconds: float, connections: int = 64) -> Answers:
    """Send so many a second, whatever comes back; waiting for a free connection counts."""
    answers = Answers()
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await _connected(port))
    began = time.perf_counter()

    async def one(place: int, due: float) -> None:
        connection = await free.get()
        await _ask(connection, requests[place % len(requests)], place, due, answers)
        free.put_nowait(connection)

    tasks = set()
    for place in range(int(rate * seconds)):
        due = began + place / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(place, due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return answers


async def _connected(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", port)
    return connection


async def _ask(connection: Connection, request: bytes, place: int, began: float, answers: Answers) -> None:
    status, body = await connection.ask(request)
    answers.seconds.append(time.perf_counter() - began)
    answers.errors += status != 200
    answers.bodies[place] = body
