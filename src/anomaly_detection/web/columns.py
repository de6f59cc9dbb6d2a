"""Columns of numbers for charts, as bytes that the browser uses as they are: nothing is parsed.

Four bytes with the length of the JSON head, the head, spaces up to a multiple of eight, then each column as float64
(``f8``), float32 (``f4``) or bytes (``u1``), little-endian, the wider ones first; a gap is NaN. The head is
``{"rows": n, "names": [...], "types": [...], ...}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

TYPES = {"score": "f4", "severity": "u1"}
"""Columns that need fewer than eight bytes a number."""

HEADERS = {"Cache-Control": "no-store", "Content-Encoding": "identity"}
"""Digits of measurements hardly pack, and packing megabytes of them takes longer than sending them."""

MOST_POINTS = 200_000
"""Longer series are thinned: of each part of the time the lowest and the highest value are kept, and every anomaly."""


def packed(columns: Mapping[str, NDArray[np.float64]], head: Mapping[str, Any]) -> bytes:
    """The bytes.

    Parameters
    ----------
    columns : (n,) each.
    head : what else the chart has to know.
    """
    rows = len(next(iter(columns.values())))
    types = {name: TYPES.get(name, "f8") for name in columns}
    names = sorted(columns, key=lambda name: -int(types[name][1]))
    told = msgspec.json.encode({"rows": rows, "names": names, "types": [types[name] for name in names], **head})
    told += b" " * (-(4 + len(told)) % 8)
    parts = [np.ascontiguousarray(columns[name], dtype=f"<{types[name]}").tobytes() for name in names]
    return b"".join([len(told).to_bytes(4, "little"), told, *parts])


def sent(columns: Mapping[str, NDArray[np.float64]], head: Mapping[str, Any]) -> Response:
    """An answer that carries them."""
    return Response(packed(columns, head), headers=HEADERS, media_type="application/octet-stream")


def thinned(values: NDArray[np.float64], odd: NDArray[np.bool_], most: int = MOST_POINTS) -> NDArray[np.int64]:
    """Which points of a long series are kept, in order.

    Parameters
    ----------
    values : (n,).
    odd : (n,) points that are always kept.
    most : about how many are kept beside those.

    >>> thinned(np.array([0.0, 9.0, 1.0, 1.0, 1.0, 1.0, -5.0, 1.0]), np.zeros(8, bool), 4).tolist()
    [0, 1, 4, 6]
    """
    n = len(values)
    if n <= most:
        return np.arange(n)
    length = -(-n // max(most // 2, 1))
    padded = np.full(-(-n // length) * length, np.nan)
    padded[:n] = values
    parts = padded.reshape(-1, length)
    first = np.arange(len(parts)) * length
    low = first + np.argmin(np.where(np.isnan(parts), np.inf, parts), axis=1)
    high = first + np.argmax(np.where(np.isnan(parts), -np.inf, parts), axis=1)
    kept = np.unique(np.concatenate([low, high, np.flatnonzero(odd)]))
    return kept[kept < n]
