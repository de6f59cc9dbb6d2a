"""Array loops of attributes.py: level, service and status code of lines, each at its place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, lean
from anomaly_detection.logs._table_kernels import mixed, place_of
from anomaly_detection.logs._value_kernels import COUNT, MARGIN, NOVELTY, USUAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs.tables import Table

ATTRIBUTES = 3
"""A template has so many places: its lines' level, service and status code."""


@inlined
def _value(place: int, k: int, level: int, service: np.uint64, status: np.float32) -> np.uint64:
    """The hash of the k-th attribute of a line at its place."""
    if k == 0:
        return mixed(np.uint64(place), np.uint64(level + 1))
    if k == 1:
        return mixed(np.uint64(place), service)
    return mixed(np.uint64(place), np.uint64(status) if 0.0 <= status < 65536.0 else np.uint64(65536))


@lean
def fill_attributes(
    templates: NDArray[np.int32],
    levels: NDArray[np.int64],
    services: NDArray[np.uint64],
    status_codes: NDArray[np.float32],
    values: NDArray[np.uint64],
) -> None:
    """Fill (n, 3) with the hashes of level, service and status code; templates are known."""
    for i in range(len(templates)):
        for k in range(ATTRIBUTES):
            values[i, k] = _value(ATTRIBUTES * templates[i] + k, k, levels[i], services[i], status_codes[i])


@lean
def score_attributes(
    templates: NDArray[np.int32],
    levels: NDArray[np.int64],
    services: NDArray[np.uint64],
    status_codes: NDArray[np.float32],
    known: NDArray[np.float32],
    seen: Table,
    counts: NDArray[np.float32],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the largest surprise of an attribute beyond the usual one of its place, at least 0.

    Parameters
    ----------
    known : (3 t, 3) what is known of each place; the usual surprise is below 0 where nothing is.
    seen, counts : the values at places, and how often each came.
    """
    for i in range(len(templates)):
        out[i] = 0.0
        first = ATTRIBUTES * int(templates[i])
        if not 0 <= first < len(known):
            continue
        for k in range(ATTRIBUTES):
            place = known[first + k]
            if place[USUAL] >= 0.0:
                value = _value(first + k, k, levels[i], services[i], status_codes[i])
                found = place_of(seen.keys, seen.slots, value)
                rare = math.log(place[COUNT] / counts[found]) if found >= 0 else place[NOVELTY]
                out[i] = max(out[i], rare - place[USUAL] - MARGIN)
