"""How large an Arrow IPC stream becomes once its buffers are unpacked, told from their headers alone."""

from __future__ import annotations

import struct
from struct import unpack_from
from typing import TYPE_CHECKING

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTINUED = 0xFFFFFFFF
_DICTIONARY, _RECORDS = 2, 3
_HEADER_TYPE, _HEADER, _BODY_LENGTH = 1, 2, 3
_OF_DICTIONARY, _BUFFERS, _COMPRESSION = 1, 2, 3


def unpacked_bytes(stream: bytes) -> int:
    """How many bytes the buffers of an Arrow IPC stream have, unpacked.

    Raises
    ------
    InputError
        for what is no such stream.

    >>> import io, polars as pl
    >>> out = io.BytesIO()
    >>> _ = pl.DataFrame({"a": [0] * 100_000}).write_ipc_stream(out, compression="zstd")
    >>> len(out.getvalue()) < 2_000, unpacked_bytes(out.getvalue())
    (True, 800000)
    """
    try:
        return sum(_buffers(stream))
    except (struct.error, IndexError, OverflowError) as error:
        raise InputError("The body is no Arrow IPC stream: its headers cannot be read.") from error


def _batches(stream: bytes) -> Iterator[tuple[int, int]]:
    """Where the table of each batch stands, and where its body begins."""
    at = 0
    while at + 4 <= len(stream):
        (length,) = unpack_from("<I", stream, at)
        if length == _CONTINUED:
            at += 4
            (length,) = unpack_from("<I", stream, at)
        at += 4
        if length == 0:
            return
        message = at + unpack_from("<I", stream, at)[0]
        kind, header, size = (_field(stream, message, place) for place in (_HEADER_TYPE, _HEADER, _BODY_LENGTH))
        body = at + length
        if kind and header and stream[kind] in (_DICTIONARY, _RECORDS):
            table = _followed(stream, header)
            inner = _field(stream, table, _OF_DICTIONARY) if stream[kind] == _DICTIONARY else 0
            yield (_followed(stream, inner) if inner else table), body
        held = unpack_from("<q", stream, size)[0] if size else 0
        if held < 0:
            raise IndexError(held)
        at = body + held


def _buffers(stream: bytes) -> Iterator[int]:
    """The unpacked size of each buffer; there are no more than their descriptions of 16 bytes leave room for."""
    room = len(stream) // 16
    for table, body in _batches(stream):
        place = _field(stream, table, _BUFFERS)
        if not place:
            continue
        buffers = _followed(stream, place)
        is_packed = bool(_field(stream, table, _COMPRESSION))
        (count,) = unpack_from("<I", stream, buffers)
        room -= count
        if room < 0:
            raise IndexError(count)
        for k in range(count):
            offset, length = unpack_from("<qq", stream, buffers + 4 + 16 * k)
            unpacked = unpack_from("<q", stream, body + offset)[0] if length and is_packed else 0
            yield max(0, length, unpacked)


def _field(stream: bytes, table: int, place: int) -> int:
    """Where a field of a flatbuffers table stands, 0 where it is not there."""
    entries = table - unpack_from("<i", stream, table)[0]
    (size,) = unpack_from("<H", stream, entries)
    if 4 + 2 * place >= size:
        return 0
    (offset,) = unpack_from("<H", stream, entries + 4 + 2 * place)
    return table + offset if offset else 0


def _followed(stream: bytes, place: int) -> int:
    return int(place + unpack_from("<I", stream, place)[0])
