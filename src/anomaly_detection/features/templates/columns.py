"""Messages as bytes and offsets, a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK_ROWS, BLOCK_BYTES = 1 << 15, 1 << 26
"""The most lines and bytes that are taken at once; one line alone may be longer."""
SMALL, FEW = 64, 1024
"""Lists, and columns, of at most so many lines are joined in Python: the calls for a column take longer."""

Block = tuple[int, "NDArray[np.uint8]", "NDArray[np.int64]"]


class Blocks(list[Block]):
    """Messages that are blocks already: whoever takes messages takes them as they are."""


def as_column(messages: Any) -> pl.Series:
    """Messages as a column of strings or bytes, missing ones empty.

    Parameters
    ----------
    messages : a polars Series, an Arrow array, or a sequence of strings, bytes and None.

    Raises
    ------
    InputError
        for numbers and other things that are no messages.

    >>> as_column(["up", None]).to_list(), as_column([b"up"]).dtype
    (['up', ''], Binary)
    """
    column = _typed(messages)
    return column.fill_null("" if column.dtype == pl.String else b"") if column.null_count() else column


def _typed(messages: Any) -> pl.Series:
    column = messages if isinstance(messages, pl.Series) else _made(messages)
    if column.dtype == pl.Null or isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    if column.dtype not in {pl.String, pl.Binary}:
        raise InputError(f"Messages are text, but this column holds {column.dtype}. Name the column of messages.")
    return column


def _made(messages: Any) -> pl.Series:
    if hasattr(messages, "__arrow_c_stream__") or hasattr(messages, "__arrow_c_array__"):
        return pl.Series(messages)
    rows = _rows(messages)
    if any(isinstance(row, bytes) for row in rows):
        return pl.Series(values=[_encoded(row) for row in rows], dtype=pl.Binary)
    try:
        return pl.Series(values=rows, dtype=pl.String)
    except UnicodeEncodeError:  # half of a pair of surrogates
        return pl.Series(values=[_encoded(row) for row in rows], dtype=pl.Binary)


def _rows(messages: Any) -> list[str | bytes | None]:
    if isinstance(messages, str | bytes):
        raise InputError("Expected a column of messages, got one text. Put it in a list: [message].")
    rows = messages.tolist() if hasattr(messages, "tolist") else list(messages)
    for row in rows:
        if row is not None and not isinstance(row, str | bytes):
            raise InputError(f"Messages are text, but one of these is {row!r}. Name the column of messages.")
    return rows


def _encoded(row: str | bytes | None) -> bytes:
    return row.encode("utf-8", "surrogatepass") if isinstance(row, str) else row or b""


def blocks(messages: Any) -> Iterator[Block]:
    """The first row, the bytes of all rows one behind the other, and where each begins, of each block.

    >>> [(first, bytes(data), offsets.tolist()) for first, data, offsets in blocks(["up", None, "down"])]
    [(0, b'updown', [0, 2, 2, 6])]
    """
    if isinstance(messages, Blocks):
        yield from messages
        return
    if isinstance(messages, list | tuple) and len(messages) <= SMALL:
        parts = [_encoded(row) for row in _rows(messages)]
        if parts:
            yield 0, _bytes(b"".join(parts)), _offsets(np.array([len(part) for part in parts]))
        return
    column = _typed(messages)
    for first in range(0, len(column), BLOCK_ROWS):
        yield from _split(first, column.slice(first, BLOCK_ROWS))


def _split(first: int, part: pl.Series) -> Iterator[Block]:
    few = [_encoded(row) for row in part.to_list()] if len(part) <= FEW else []
    part = part if few else as_column(part)
    lengths = np.array([len(row) for row in few]) if few else _lengths(part)
    if lengths.sum() > BLOCK_BYTES and len(part) > 1:
        half = len(part) // 2
        yield from _split(first, part.head(half))
        yield from _split(first + half, part.slice(half))
        return
    yield first, _bytes(b"".join(few) if few else _joined(part)), _offsets(lengths)


def _lengths(part: pl.Series) -> NDArray[Any]:
    return (part.str.len_bytes() if part.dtype == pl.String else part.bin.size()).to_numpy()


def _joined(part: pl.Series) -> bytes:
    whole: bytes = part.str.join("").cast(pl.Binary).item() if part.dtype == pl.String else b"".join(part.to_list())
    return whole


def _bytes(joined: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(joined, np.uint8)


def _offsets(lengths: NDArray[Any]) -> NDArray[np.int64]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
