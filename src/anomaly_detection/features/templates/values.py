"""The parameters of lines: as text, and as numbers by template."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.templates import _value_kernels as kernels
from anomaly_detection.features.templates._layout import IDS, Store

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def values_of(
    store: Store, data: NDArray[np.uint8], offsets: NDArray[np.int64], ids: NDArray[np.int64], longest: int
) -> list[list[str]]:
    """The parameters of each line, as text."""
    first, begins, ends = _found(store, data, offsets, ids, longest)
    raw = data.tobytes()
    texts = [raw[a:b].decode("utf-8", "replace") for a, b in zip(begins.tolist(), ends.tolist(), strict=True)]
    bounds = first.tolist()
    return [texts[a:b] for a, b in pairwise(bounds)]


def numbers_of(
    store: Store, data: NDArray[np.uint8], offsets: NDArray[np.int64], ids: NDArray[np.int64], longest: int
) -> dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The rows of each template's lines, and a matrix of their parameters, NaN for what is no number."""
    first, begins, ends = _found(store, data, offsets, ids, longest)
    values = np.empty(len(begins))
    kernels.numbers(data, begins, ends, values)
    width = np.diff(first)
    found: dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]] = {}
    for template in np.unique(ids[width > 0]).tolist():
        rows = np.flatnonzero(ids == template)
        found[template] = rows, values[first[rows][:, None] + np.arange(width[rows[0]])]
    return found


def _found(
    store: Store, data: NDArray[np.uint8], offsets: NDArray[np.int64], ids: NDArray[np.int64], longest: int
) -> Found:
    per_id = np.zeros(store.sizes[IDS] + 1, np.int64)
    kernels.count_values(store, per_id[:-1])
    first = np.zeros(len(ids) + 1, np.int64)
    np.cumsum(per_id[ids], out=first[1:])
    begins, ends = np.zeros(first[-1], np.int64), np.zeros(first[-1], np.int64)
    out = np.zeros(2 * longest + 64, np.uint8)
    kernels.find_values(store, data, offsets, ids, first, longest, out, np.zeros(len(out), np.int32), begins, ends)
    return first, begins, ends
