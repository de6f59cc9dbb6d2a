"""The arrays of windows.py: empty, without the room they leave, and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.logs._window_kernels import (
    FIRST,
    LINES,
    NO_TIME,
    TIMED,
    Rings,
    Services,
    enter_all,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def empty_rings(places: int, capacity: int) -> Rings:
    """Windows of so many services without any line."""
    shape = places, capacity
    return Rings(
        times=np.zeros(shape, np.int64),
        values=np.zeros(shape, np.float32),
        errors=np.zeros(shape, np.bool_),
        ordered=np.zeros(shape, np.float32),
        counts=np.zeros((places, 4), np.int64),
        sums=np.zeros((places, 2)),
        clocks=np.full(places, NO_TIME, np.int64),
    )


def services_of(names: NDArray[np.uint64], seen: NDArray[np.int64]) -> Services:
    """The services with a table to find them by their names, at most half full."""
    services = Services(names, seen, np.empty(1 << (2 * len(seen) + 1).bit_length(), np.int64))
    enter_all(services)
    return services


def packed(rings: Rings) -> dict[str, NDArray[Any]]:
    """The lines of all windows one after the other, and what goes with each window."""
    capacity = rings.times.shape[1]
    rows = np.repeat(np.arange(len(rings.counts)), rings.counts[:, LINES])
    begins = np.cumsum(rings.counts[:, LINES]) - rings.counts[:, LINES]
    places = (rings.counts[rows, FIRST] + np.arange(len(rows)) - begins[rows]) % capacity
    lines = {name: getattr(rings, name)[rows, places] for name in ("times", "values", "errors")}
    return {**lines, "counts": rings.counts.copy(), "sums": rings.sums.copy(), "clocks": rings.clocks.copy()}


def unpacked(state: Mapping[str, NDArray[Any]], prefix: str, places: int, capacity: int) -> Rings:
    """Take back what :func:`packed` made.

    Raises
    ------
    KeyError, TypeError, ValueError
        if the arrays do not belong together.
    """
    rings = empty_rings(places, capacity)
    for name in ("counts", "sums", "clocks"):
        target = getattr(rings, name)
        target[:] = _of_shape(state[prefix + name], target.shape, target.dtype)
    held = rings.counts[:, LINES]
    if (rings.counts < 0).any() or (held > capacity).any() or (rings.counts[:, FIRST] >= capacity).any():
        raise ValueError("counts out of range")
    rows = np.repeat(np.arange(places), held)
    at = (rings.counts[rows, FIRST] + np.arange(len(rows)) - (np.cumsum(held) - held)[rows]) % capacity
    for name in ("times", "values", "errors"):
        target = getattr(rings, name)
        target[rows, at] = _of_shape(state[prefix + name], (len(rows),), target.dtype)
    _order(rings, rows, at)
    return rings


def _order(rings: Rings, rows: NDArray[np.int64], at: NDArray[np.int64]) -> None:
    """Put the response times of each window in order."""
    values = rings.values[rows, at]
    there = ~np.isnan(values)
    rows, values = rows[there], values[there]
    counts = np.bincount(rows, minlength=len(rings.counts))
    if not np.array_equal(counts, rings.counts[:, TIMED]):
        raise ValueError("counts do not fit the response times")
    by = np.lexsort((values, rows))
    rings.ordered[rows[by], np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows[by]]] = values[by]


def _of_shape(array: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    found = np.asarray(array)
    if found.shape != shape or found.dtype != dtype:
        raise ValueError(f"an array of shape {found.shape} and type {found.dtype}, not {shape} and {dtype}")
    return found
