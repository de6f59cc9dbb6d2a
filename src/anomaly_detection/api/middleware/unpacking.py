"""gzip and zstd, unpacked bit by bit in bounded memory."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 2**18
"""The most bytes that come out at once."""

WINDOW_LOG = 23
"""The largest window of zstd that is held in memory: 8 MiB, what its own tool uses at most by default."""


class Gzip:
    """One or more members of gzip."""

    def __init__(self) -> None:
        self._unpack = zlib.decompressobj(wbits=31)
        self.whole = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes hold.

        Raises
        ------
        ValueError
            if they are no gzip.
        """
        while data:
            if self._unpack.eof:
                self._unpack = zlib.decompressobj(wbits=31)
            try:
                piece = self._unpack.decompress(data, PIECE)
            except zlib.error as error:
                raise ValueError(str(error)) from error
            data = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail
            self.whole = self._unpack.eof
            yield piece


class Zstandard:
    """One or more frames of zstd."""

    def __init__(self) -> None:
        self._unpack = _zstd()
        self.whole = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What some more bytes hold.

        Raises
        ------
        ValueError
            if they are no zstd, or need too large a window.
        """
        while data or not (self._unpack.needs_input or self._unpack.eof):
            if self._unpack.eof:
                self._unpack = _zstd()
            try:
                piece = self._unpack.decompress(data, PIECE)
            except zstd.ZstdError as error:
                raise ValueError(str(error)) from error
            data = self._unpack.unused_data if self._unpack.eof else b""
            self.whole = self._unpack.eof
            yield piece


def _zstd() -> zstd.ZstdDecompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})
