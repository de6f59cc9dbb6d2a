"""Records in, verdicts out, live, over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import APIRouter, Depends
from starlette.websockets import WebSocket, WebSocketDisconnect

from anomaly_detection.api.context import Context, Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import needs
from anomaly_detection.api.schemas import streams as schemas
from anomaly_detection.errors import AnomalyDetectionError, InputError
from anomaly_detection.telemetry import STREAMS
from anomaly_detection.workflows.record_scoring import RecordScoring

if TYPE_CHECKING:
    from anomaly_detection.api.principal import Principal
    from anomaly_detection.workflows.streams import Stream

router = APIRouter(prefix="/api/v1", tags=["live"])

MOST_MESSAGE_BYTES = 2**20
MOST_RECORDS = 1_000
"""Of a message; and what is judged in one go."""

MESSAGES_AHEAD = 8
"""Messages that wait to be judged; no more are read then."""

REFUSED, TOO_LARGE, FAILED = 1008, 1009, 1011
TAKEN_OVER = 4409
LONGEST_ID = 64


@router.get("/streams", dependencies=[Depends(needs("read"))])
def list_streams(here: Here) -> schemas.Streams:
    """List the streams that are open or can be resumed."""
    return schemas.Streams(streams=[schemas.Stream.model_validate(one.overview()) for one in here.streams])


@router.websocket("/stream/{model}")
async def stream(socket: WebSocket, model: str) -> None:
    """Judge records as they come; see docs/how-to/stream-records.md for the messages."""
    caller: Principal | None = socket.scope.get("principal")
    if caller is None or not caller.may("score"):
        await socket.close(REFUSED)  # before it is accepted: 403
        return
    here: Context = socket.app.state.context
    await socket.accept()
    try:
        opened, last = _opened(here, socket, model, caller.name)
        scoring = RecordScoring(await asyncio.to_thread(here.models.get, model), goes_on=True)
    except AnomalyDetectionError as error:
        await socket.close(REFUSED, _short(str(error)))
        return
    await _Connection(here, socket, caller, opened, scoring).serve(last)


def _opened(here: Context, socket: WebSocket, model: str, owner: str) -> tuple[Stream, int]:
    own, last = socket.query_params.get("stream"), socket.query_params.get("last", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 15:
        raise InputError(f"last={last!r:.40} has to be the number of the last verdict that was seen.")
    if own is not None and not (0 < len(own) <= LONGEST_ID and own.isascii() and own.isprintable()):
        raise InputError(f"stream={own!r:.80} has to be 1 to {LONGEST_ID} printable characters.")
    return here.streams.open(model, owner, own, int(last)), int(last)


class _Connection:
    """One connection of a stream: a task reads ahead a little, another judges and answers."""

    def __init__(
        self, here: Context, socket: WebSocket, caller: Principal, stream: Stream, scoring: RecordScoring
    ) -> None:
        self.here, self.socket, self.caller, self.stream, self.scoring = here, socket, caller, stream, scoring
        self._ahead: asyncio.Queue[list[Any] | None] = asyncio.Queue(MESSAGES_AHEAD)
        self._refused: tuple[int, str] = (1000, "")

    async def serve(self, last: int) -> None:
        """Answer until the client goes, says nonsense, or connects again elsewhere."""
        before, self.stream.connection = self.stream.connection, self
        if isinstance(before, _Connection):
            await before.leave()
        reading = asyncio.create_task(self._read())
        open_streams = STREAMS.labels(self.scoring.loaded.version.name)
        open_streams.inc()
        try:
            await self._greet(last)
            await self._judge()
            await self.socket.close(*self._refused)
        except (WebSocketDisconnect, RuntimeError):
            pass  # the client is gone; what it had not seen is remembered
        except AnomalyDetectionError as error:
            await self.socket.close(FAILED, _short(str(error)))
        finally:
            reading.cancel()
            open_streams.dec()
            if self.stream.connection is self:
                self.stream.connection = None

    async def leave(self) -> None:
        """Make room for a newer connection of the same stream."""
        self._refused = TAKEN_OVER, "This stream is continued on another connection."
        while not self._ahead.empty():
            self._ahead.get_nowait()
        self._ahead.put_nowait(None)

    async def _greet(self, last: int) -> None:
        async with self.stream.turn:
            gone, messages = self.stream.since(last)
            begins = self.stream.next
        told = {"type": "ready", "stream": self.stream.id, "model": self.scoring.loaded.version.reference}
        await self._send(msgspec.json.encode({**told, "next": begins}))
        if gone is not None:
            await self._send(msgspec.json.encode({"type": "gone", "first": gone[0], "last": gone[1]}))
        for message in messages:
            await self._send(message)

    async def _read(self) -> None:
        try:
            while True:
                text = await self.socket.receive_text()
                if len(text) > MOST_MESSAGE_BYTES:
                    self._refused = TOO_LARGE, f"A message has at most {MOST_MESSAGE_BYTES:,} bytes."
                    break
                await self._ahead.put(_records(text))
        except InputError as error:
            self._refused = REFUSED, _short(str(error))
        except (WebSocketDisconnect, RuntimeError, KeyError):
            self._refused = REFUSED, "Messages have to be text."
        await self._ahead.put(None)

    async def _judge(self) -> None:
        while (records := await self._next()) is not None:
            if self.here.keys.has_ended(self.caller):
                self._refused = REFUSED, "The key of this connection has ended."
                return
            scoring = await self._current()
            async with self.stream.turn:
                if self.stream.connection is not self:
                    return
                message, kept = await asyncio.to_thread(self.stream.judged, scoring, records)
            waiting = self.here.recorder.keep(scoring.loaded.version, kept) if kept else None
            if waiting is not None:
                await asyncio.wrap_future(waiting)
            await self._send(message)

    async def _next(self) -> list[Any] | None:
        """The records of all messages that are there, up to what is judged in one go; None at the end."""
        records = await self._ahead.get()
        while records is not None and len(records) < MOST_RECORDS and not self._ahead.empty():
            more = self._ahead.get_nowait()
            if more is None:
                self._ahead.put_nowait(None)
                break
            records = records + more
        return records

    async def _current(self) -> RecordScoring:
        """The model that the reference stands for now."""
        loaded = self.here.models.peek(self.stream.model)
        if loaded is None:
            loaded = await asyncio.to_thread(self.here.models.get, self.stream.model)
        if loaded is not self.scoring.loaded:
            self.scoring = RecordScoring(loaded, goes_on=True)
        return self.scoring

    async def _send(self, message: bytes) -> None:
        await self.socket.send_text(message.decode())


def _records(text: str) -> list[Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"A message is a JSON object, or an array of them: {error}.") from error
    records = value if isinstance(value, list) else [value]
    if len(records) > MOST_RECORDS:
        raise InputError(f"A message has at most {MOST_RECORDS:,} records, not {len(records):,}.")
    return records


def _short(reason: str) -> str:
    """A reason that fits into the frame that closes a connection."""
    return reason.encode()[:120].decode(errors="ignore")
