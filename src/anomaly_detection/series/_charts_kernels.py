"""Array loops of charts.py: keys of text to places, and control charts of many keys, a row at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors.series._ewma_kernels import MOST_SCALES, NORMAL, PATIENCE, SURE
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

OFFSET = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x100000001B3)
"""The two numbers of the 64-bit hash FNV-1a."""


@kernel
def find_places(
    text: NDArray[np.uint8],
    ends: NDArray[np.int64],
    first: int,
    slots: NDArray[np.int32],
    hashes: NDArray[np.uint64],
    pool: NDArray[np.uint8],
    pool_ends: NDArray[np.int64],
    used: int,
    places: NDArray[np.int32],
) -> tuple[int, int]:
    """Fill ``places`` with the number of each key, counting on for keys that are new.

    Parameters
    ----------
    text, ends : the bytes of all keys one behind the other, and where each ends, (n,).
    first : the row to go on from.
    slots : (2 ** b,) the number of a key by its hash, -1 where there is none; changed in place.
    hashes, pool_ends : (m,) of each known key its hash, and where it ends in the pool; changed in place.
    pool : the bytes of the known keys; changed in place.
    used : how many keys are known.
    places : (n,) filled.

    Returns
    -------
    The row it came to, n if there was room for all; and how many keys are known.
    """
    mask = np.uint64(len(slots) - 1)
    for i in range(first, len(ends)):
        begin = ends[i - 1] if i else 0
        size = ends[i] - begin
        mark = OFFSET
        for j in range(begin, ends[i]):
            mark = (mark ^ np.uint64(text[j])) * PRIME
        at = (mark ^ (mark >> np.uint64(32))) & mask
        found = slots[at]
        while found >= 0:
            start = pool_ends[found - 1] if found else 0
            if hashes[found] == mark and pool_ends[found] - start == size:
                same = True
                for j in range(size):
                    same = same and pool[start + j] == text[begin + j]
                if same:
                    break
            at = (at + np.uint64(1)) & mask
            found = slots[at]
        if found < 0:
            start = pool_ends[used - 1] if used else 0
            if used == len(hashes) or start + size > len(pool):
                return i, used
            for j in range(size):
                pool[start + j] = text[begin + j]
            hashes[used], pool_ends[used], slots[at] = mark, start + size, used
            found = used
            used += 1
        places[i] = found
    return len(ends), used


@kernel
def fill_slots(hashes: NDArray[np.uint64], slots: NDArray[np.int32]) -> None:
    """Put every key, by its hash, into empty slots."""
    mask = np.uint64(len(slots) - 1)
    for i in range(len(hashes)):
        at = (hashes[i] ^ (hashes[i] >> np.uint64(32))) & mask
        while slots[at] >= 0:
            at = (at + np.uint64(1)) & mask
        slots[at] = i


@kernel
def advance_charts(
    places: NDArray[np.int32],
    values: NDArray[np.float64],
    charts: NDArray[np.float64],
    span: float,
    fewest: float,
    line: float,
    out: NDArray[np.float64],
) -> None:
    """Score each value by the chart of its key, then learn it; the same as one channel of ``advance_levels``.

    Parameters
    ----------
    places : (n,) the key of each value.
    values : (n,), NaN where missing.
    charts : (m, 4) level, mean absolute deviation, values seen, share above the line; changed in place.
    out : (n, 3) filled with score, expected value and scale; NaN where nothing can be said.
    """
    for i in range(len(places)):
        chart, x = charts[places[i]], values[i]
        away, spread = x - chart[0], chart[1] * NORMAL
        out[i, :] = math.nan
        if chart[2] >= fewest:
            out[i, 1], out[i, 2] = chart[0], spread
            if not math.isnan(x):
                out[i, 0] = min(abs(away) / spread, 1e300) if spread > 0.0 else SURE if away != 0.0 else 0.0
        chart[3] += ((1.0 if out[i, 0] > line else 0.0) - chart[3]) / PATIENCE
        if math.isnan(x) or (out[i, 0] > line and chart[3] < 0.5):
            continue
        seen = min(chart[2] + 1.0, span)
        if seen == 1.0:
            chart[0] = x
        elif chart[1] > 0.0:
            reach = MOST_SCALES * NORMAL * chart[1]
            away = min(max(away, -reach), reach)
            chart[0] += 1.0 / seen * away
            chart[1] += 1.0 / seen * (abs(away) - chart[1])
        else:
            chart[0] += 1.0 / seen * away
            chart[1] = 1.0 / seen * abs(away)
        chart[2] = seen
