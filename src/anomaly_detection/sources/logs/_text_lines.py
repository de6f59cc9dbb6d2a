"""Bytes of a log as whole lines of UTF-8, whatever the bytes are."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from anomaly_detection.sources._text import encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MARK = "\ufffd"


class WholeLines:
    """Cuts blocks of bytes at line breaks.

    Parameters
    ----------
    longest : bytes of a line that are kept; what is longer is cut.

    Attributes
    ----------
    cut : how many lines were cut.
    """

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self.cut = 0
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, block: bytes, before: bytes = b"") -> bytes:
        """The lines that end in a block, each with its line break, after others; nothing if none ends."""
        end = block.rfind(b"\n") + 1
        if end == 0:
            self._keep(block)
            return b""
        whole = b"".join([before, *self._rest, memoryview(block)[:end]])
        self._rest, long = [], self._size + block.find(b"\n") > self.longest
        self._size = 0
        self._keep(block[end:])
        return self._shortened(whole) if long or end > self.longest else whole

    def finish(self, before: bytes = b"") -> bytes:
        """The last line, which has no line break, after others."""
        last = b"".join([before, *self._rest])
        self._rest, long, self._size = [], self._size > self.longest, 0
        return self._shortened(last) if long else last

    def _keep(self, part: bytes) -> None:
        room = self.longest - self._size
        self._size += len(part)
        if room > 0 and part:
            self._rest.append(part[:room])

    def _shortened(self, text: bytes) -> bytes:
        lines = text.split(b"\n")
        long = [i for i, line in enumerate(lines) if len(line) > self.longest]
        for i in long:
            lines[i] = lines[i][: self.longest]
        self.cut += max(1, len(long))
        return b"\n".join(lines)


def as_utf8(blocks: Iterable[bytes], head: bytes, encoding: str) -> Iterator[bytes]:
    """Blocks in another encoding as UTF-8, without a byte order mark; those of UTF-8 as they are, whatever they are."""
    name = encoding_of(head, encoding)
    if name in ("utf-8", "ascii"):
        first = True
        for block in blocks:
            yield block.removeprefix(codecs.BOM_UTF8) if first else block
            first = False
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    for block in blocks:
        yield decoder.decode(block).removeprefix("\ufeff").encode(errors="replace")
    yield decoder.decode(b"", final=True).encode(errors="replace")


def repaired(text: bytes) -> tuple[bytes, int]:
    """Whole lines as valid UTF-8 without NUL, and how many of them had to be changed.

    >>> repaired(b"a" + bytes([255, 10]) + b"b")[1]
    1
    """
    if b"\0" not in text and (text.isascii() or _is_utf8(text)):
        return text, 0
    fixed = text.decode(errors="replace").replace("\0", MARK).encode()
    changed = sum(old != new for old, new in zip(text.split(b"\n"), fixed.split(b"\n"), strict=True))
    return fixed, changed


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
