"""What happens in a service, told to those who listen."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_REMEMBERED = 1_000
"""Events that somebody who comes back gets after all."""

MOST_BEHIND = 1_000
"""Events that wait for a slow listener; then the oldest are dropped, and it is told so."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    id : of the event; a listener that comes back says the last one it saw.
    kind : such as ``alert``, ``activity`` or ``job``; ``missed`` where some are gone.
    data : plain values.
    """

    id: str
    kind: str
    data: dict[str, Any]


class Events:
    """Publish from any thread, listen in an event loop; bounded, whoever is slow.

    >>> events = Events()
    >>> events.publish("alert", {"severity": "high"})
    >>> [event.kind for event in events.since(None)]
    ['alert']
    """

    def __init__(self) -> None:
        self._beginning = uuid4().hex[:12]
        self._number = 0
        self._past: deque[Event] = deque(maxlen=MOST_REMEMBERED)
        self._listeners: set[_Listener] = set()
        self._lock = threading.Lock()
        self.ended = False

    def end(self) -> None:
        """Tell all who listen that nothing comes any more: the service stops."""
        with self._lock:
            self.ended = True
            for listener in tuple(self._listeners):
                listener.wake()

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Tell all who listen."""
        with self._lock:
            self._number += 1
            event = Event(f"{self._beginning}-{self._number}", kind, data)
            self._past.append(event)
            for listener in tuple(self._listeners):
                listener.put(event)

    def since(self, last: str | None) -> list[Event]:
        """What came after an event that is remembered; before it, ``missed`` where some are gone. All for None."""
        beginning, _, number = (last or f"{self._beginning}-0").rpartition("-")
        past = list(self._past)
        first = int(past[0].id.rpartition("-")[2]) if past else self._number + 1
        if beginning != self._beginning or not number.isdigit():
            return [self._missed(), *past]
        later = [event for event in past if int(event.id.rpartition("-")[2]) > int(number)]
        return [self._missed(), *later] if last is not None and int(number) + 1 < first else later

    async def listen(self, last: str | None = None) -> AsyncIterator[Event | None]:
        """Events as they come, after those since ``last`` if that is given; None when nothing came for a while.

        Ends when nothing comes any more.
        """
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            for event in self.since(last) if last is not None else ():
                listener.waiting.append(event)
            self._listeners.add(listener)
        try:
            while listener.waiting or not self.ended:
                yield await listener.next()
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def _missed(self) -> Event:
        return Event(f"{self._beginning}-{self._number}", "missed", {})


class _Listener:
    HEARTBEAT_SECONDS = 15.0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.waiting: deque[Event] = deque()
        self._loop = loop
        self._ready = asyncio.Event()

    def put(self, event: Event) -> None:
        """Give it an event, from any thread."""
        if len(self.waiting) >= MOST_BEHIND:
            self.waiting.popleft()
            self.waiting[0] = Event(self.waiting[0].id, "missed", {})
        self.waiting.append(event)
        self.wake()

    def wake(self) -> None:
        """Have it look again, from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)

    async def next(self) -> Event | None:
        """The next event; None after a while without one."""
        if not self.waiting:
            self._ready.clear()
            try:
                await asyncio.wait_for(self._ready.wait(), self.HEARTBEAT_SECONDS)
            except TimeoutError:
                return None
        return self.waiting.popleft() if self.waiting else None
