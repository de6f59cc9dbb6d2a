"""Streams of records: what was judged last of each, so that a client that comes back goes on where it was."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from anomaly_detection.errors import InputError
from anomaly_detection.workflows.verdict_records import VerdictRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from anomaly_detection.workflows.record_scoring import RecordScoring

MOST_BYTES = 4 * 2**20
"""Of verdicts that a stream remembers."""

MOST_STREAMS = 1_000
IDLE_SECONDS = 600.0
"""Streams that nobody is connected to are forgotten after this."""


class StreamVerdict(msgspec.Struct, omit_defaults=True, gc=False):
    """The verdict on one record of a stream, or why there is none."""

    seq: int
    id: str = ""
    score: float | None = None
    p_value: float | None = None
    anomaly_score: float | None = None
    is_anomaly: bool | None = None
    severity: str | None = None
    confidence: float | None = None
    error: str | None = None


class Verdicts(msgspec.Struct, tag_field="type", tag="verdicts", gc=False):
    """A message with verdicts, in the order of the records."""

    first: int
    verdicts: list[StreamVerdict]


@dataclass(slots=True, eq=False)
class Stream:
    """Records of one client, in order.

    Parameters
    ----------
    id : which the client chose, or was given.
    model : reference of the model.
    owner : the caller whose stream it is.
    next : the number of the next record; the first is 1.
    opened, used : when it began and was used last, seconds since 1970.
    connection : who uses it now, None for nobody.
    anomalies : how many records were some.
    turn : held by the connection that judges, so that an older one does not judge what a newer one sends again.
    """

    id: str
    model: str
    owner: str
    next: int = 1
    opened: float = field(default_factory=time.time)
    used: float = field(default_factory=time.time)
    connection: object | None = None
    anomalies: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _past: deque[tuple[int, int, bytes]] = field(default_factory=deque, repr=False)
    _bytes: int = 0

    def judged(self, scoring: RecordScoring, records: Sequence[Any]) -> tuple[bytes, list[VerdictRecord]]:
        """The message with verdicts on the next records, remembered, and the same to be kept."""
        first = self.next
        ids = [f"{self.id}-{first + place}" for place in range(len(records))]
        found = scoring.judge_each(records, ids)
        told = [_told(first + place, one) for place, one in enumerate(found)]
        message = msgspec.json.encode(Verdicts(first, told))
        kept = [one for one in found if isinstance(one, VerdictRecord)]
        self.next += len(records)
        self.anomalies += sum(one.is_anomaly for one in kept)
        self.used = time.time()
        self._remember(first, message)
        return message, kept

    def since(self, last: int) -> tuple[tuple[int, int] | None, list[bytes]]:
        """Which verdicts after a number are gone, if any, and the messages with those that are remembered."""
        oldest = self._past[0][0] if self._past else self.next
        gone = (last + 1, oldest - 1) if last + 1 < oldest else None
        return gone, [_after(last, first, message) for first, end, message in self._past if end > last]

    def overview(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "id": self.id,
            "model": self.model,
            "is_connected": self.connection is not None,
            "records": self.next - 1,
            "anomalies": self.anomalies,
            "opened": self.opened,
            "used": self.used,
        }

    def _remember(self, first: int, message: bytes) -> None:
        self._past.append((first, self.next - 1, message))
        self._bytes += len(message)
        while self._bytes > MOST_BYTES and len(self._past) > 1:
            self._bytes -= len(self._past.popleft()[2])


class Streams:
    """The streams of a service; those used last are remembered.

    Parameters
    ----------
    now : seconds since 1970.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._streams: OrderedDict[str, Stream] = OrderedDict()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Stream]:
        with self._lock:
            return iter(list(self._streams.values()))

    def open(self, model: str, owner: str, id: str | None = None, last: int = 0) -> Stream:
        """The stream of an id that is remembered, else a new one that goes on after ``last``.

        Raises
        ------
        InputError
            if the stream is another caller's or of another model, too many are open, or ``last`` is beyond its end.
        """
        with self._lock:
            self._forget()
            found = self._streams.get(id or "")
            if found is None:
                return self._begin(model, owner, id or uuid4().hex, last)
            if (found.owner, found.model) != (owner, model):
                raise InputError(f"The stream {found.id!r} is one of another caller, or of another model.")
            if last >= found.next:
                raise InputError(f"The stream {found.id!r} has judged {found.next - 1} records, not {last}.")
            self._streams.move_to_end(found.id)
            return found

    def _begin(self, model: str, owner: str, id: str, last: int) -> Stream:
        idle = [stream.id for stream in self._streams.values() if stream.connection is None]
        if len(self._streams) >= MOST_STREAMS:
            if not idle:
                raise InputError(f"{MOST_STREAMS:,} streams are open, and more are not possible. Close some.")
            del self._streams[idle[0]]
        stream = Stream(id, model, owner, last + 1, self._now(), self._now())
        self._streams[id] = stream
        return stream

    def _forget(self) -> None:
        oldest = self._now() - IDLE_SECONDS
        for stream in list(self._streams.values()):
            if stream.connection is None and stream.used < oldest:
                del self._streams[stream.id]


def _told(seq: int, found: VerdictRecord | InputError) -> StreamVerdict:
    if isinstance(found, InputError):
        return StreamVerdict(seq, error=str(found))
    return StreamVerdict(
        seq, found.id, found.score, found.p_value, found.anomaly_score, found.is_anomaly, found.severity,
        found.confidence,
    )  # fmt: skip


def _after(last: int, first: int, message: bytes) -> bytes:
    """A message without the verdicts that the client has."""
    if first > last:
        return message
    verdicts = msgspec.json.decode(message, type=Verdicts)
    return msgspec.json.encode(Verdicts(last + 1, verdicts.verdicts[last + 1 - first :]))
