"""Messages as bytes and offsets, a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

BLOCK_ROWS = 8192
"""Lines that are taken at once: small enough that their bytes stay in a processor's cache."""


def as_series(messages: Any) -> pl.Series:
    """Messages as a column of strings or bytes, missing ones empty.

    Parameters
    ----------
    messages : a polars Series, an Arrow array, or a sequence of strings, bytes and None.

    Raises
    ------
    InputError
        for numbers and other things that are no messages.
    """
    if isinstance(messages, str | bytes):
        raise InputError("Expected a column of messages, got one text. Put it in a list: [message].")
    series = messages if isinstance(messages, pl.Series) else _made(messages)
    if series.dtype == pl.Null:
        series = series.cast(pl.String)
    if series.dtype in {pl.Categorical, pl.Enum}:
        series = series.cast(pl.String)
    if series.dtype not in {pl.String, pl.Binary}:
        raise InputError(
            f"Messages are text, but this column has the type {series.dtype}. Name the column of messages."
        )
    return series.fill_null("" if series.dtype == pl.String else b"")


def _made(messages: Any) -> pl.Series:
    if hasattr(messages, "__arrow_c_stream__") or hasattr(messages, "__arrow_c_array__"):
        return pl.Series(messages)
    rows = messages.tolist() if hasattr(messages, "tolist") else list(messages)
    if any(not (row is None or isinstance(row, str | bytes)) for row in rows):
        wrong = next(row for row in rows if not (row is None or isinstance(row, str | bytes)))
        raise InputError(f"Messages are text, but one of these is {wrong!r}.")
    try:
        if not any(isinstance(row, bytes) for row in rows):
            return pl.Series(values=rows, dtype=pl.String)
    except UnicodeEncodeError:  # half of a surrogate pair
        pass
    return pl.Series(values=[_bytes_of(row) for row in rows], dtype=pl.Binary)


def _bytes_of(row: str | bytes | None) -> bytes:
    return row.encode("utf-8", "surrogatepass") if isinstance(row, str) else row or b""


def blocks(series: pl.Series, rows: int = BLOCK_ROWS) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """The first row, the bytes of all rows one behind the other, and where each begins, of each block."""
    for first in range(0, len(series), rows):
        part = series.slice(first, rows)
        if part.dtype == pl.String:
            offsets = _offsets(part.str.len_bytes())
            joined = part.str.join("").item().encode()
        else:
            offsets = _offsets(part.bin.size())
            joined = b"".join(part.to_list())
        yield first, np.frombuffer(joined, np.uint8), offsets


def _offsets(lengths: pl.Series) -> NDArray[Any]:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths.to_numpy(), out=offsets[1:])
    return offsets
