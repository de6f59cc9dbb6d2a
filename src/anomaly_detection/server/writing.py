"""The head and the body of an answer in one call of the system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

LENGTH = b"\r\ncontent-length: "
"""In a head that a body follows, all of which is known; others are written at once."""


class Joined:
    """A transport for one answer, which holds the head until the body comes.

    Parameters
    ----------
    transport : where it is written to.
    """

    __slots__ = ("_head", "_transport", "_waits")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._waits = True
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write, together with what is held; hold the head of an answer."""
        if self._waits and LENGTH in data:
            self._head = data
        else:
            head, self._head = self._head, b""
            self._transport.write(head + data if head else data)
        self._waits = False

    def flush(self) -> None:
        """Write what is held: no body comes."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Write what is held, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
