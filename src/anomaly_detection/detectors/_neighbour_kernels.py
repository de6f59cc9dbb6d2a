"""Array loops of exact nearest-neighbour search.

Reference rows lie in blocks of :data:`LANES`, one column after the other, so that the compiler works on many rows at
once and still adds up each distance in the order of the columns. A distance depends on its two rows alone, ties are
broken by position, and a block is skipped only when no row in it can be among the nearest: the answer does not depend
on the order of the blocks or on the other rows asked about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._block_kernels import LANES, LIMIT
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 32
"""Columns after which a block is given up if all its rows are already too far."""

GROUP = 32
"""Rows that share one pass over the blocks, so that a block is read from near memory."""

NEAR = 1 << 16
"""Values that fit into near memory: rows that need more of the reference wait for the shared pass."""

UNDERFLOW = 2.0**-60
"""More than the length that squares too small for float32 can hide."""


@inlined
def _squared_distances(
    blocks: NDArray[np.float32],
    at: int,
    rows: NDArray[np.float32],
    g: int,
    bound: np.float32,
    total: NDArray[np.float32],
) -> bool:
    """Fill ``total`` with the squared distances of a row from a block; False once all of them are above ``bound``."""
    for i in range(LANES):
        total[i] = np.float32(0.0)
    for start in range(0, rows.shape[1], STRIDE):
        for j in range(start, min(start + STRIDE, rows.shape[1])):
            value = rows[g, j]
            for i in range(LANES):
                gap = blocks[at, j, i] - value
                total[i] += gap * gap
        within = 0
        for i in range(LANES):
            within += total[i] <= bound
        if within == 0:
            return False
    return True


@inlined
def _visit(
    blocks: NDArray[np.float32],
    at: int,
    rows: NDArray[np.float32],
    g: int,
    skip: int,
    best: NDArray[np.float32],
    where: NDArray[np.int64],
    to: int,
    total: NDArray[np.float32],
) -> None:
    """Let the rows of one block compete for row ``g``'s sorted lists, ``best[g]`` and ``where[to]``."""
    last = best.shape[1] - 1
    if not _squared_distances(blocks, at, rows, g, best[g, last], total):
        return
    for i in range(LANES):
        distance = total[i]
        position = at * LANES + i
        if distance > best[g, last] or position == skip:
            continue
        if distance == best[g, last] and position > where[to, last]:
            continue
        slot = last
        while slot > 0 and (
            best[g, slot - 1] > distance or (best[g, slot - 1] == distance and where[to, slot - 1] > position)
        ):
            best[g, slot] = best[g, slot - 1]
            where[to, slot] = where[to, slot - 1]
            slot -= 1
        best[g, slot] = distance
        where[to, slot] = position


@inlined
def _lower_bounds(
    centres: NDArray[np.float32],
    radii: NDArray[np.float32],
    rows: NDArray[np.float32],
    g: int,
    slack: np.float32,
    total: NDArray[np.float32],
    bounds: NDArray[np.float32],
) -> int:
    """Fill ``bounds[g]`` with what no squared distance into a block can be below; return the nearest centre's block."""
    shrink = np.float32(1.0) - slack
    nearest = 0
    smallest = np.float32(np.inf)
    for at in range(centres.shape[0]):
        _squared_distances(centres, at, rows, g, np.float32(np.inf), total)
        for i in range(LANES):
            if total[i] < smallest:
                smallest = total[i]
                nearest = at * LANES + i
        for i in range(LANES):
            gap = np.sqrt(total[i]) * shrink - radii[at * LANES + i]
            gap = max(gap, np.float32(0.0))
            bounds[g, at * LANES + i] = gap * gap * shrink
    return nearest


@inlined
def _begin(
    X: NDArray[np.float32],
    to: int,
    scale: float,
    rows: NDArray[np.float32],
    g: int,
    best: NDArray[np.float32],
    where: NDArray[np.int64],
    beyond: int,
) -> None:
    """Scale row ``to`` of a batch into ``rows[g]`` and empty its lists."""
    for j in range(rows.shape[1]):
        rows[g, j] = np.float32(min(max(X[to, j] * scale, -LIMIT), LIMIT))
    for i in range(best.shape[1]):
        best[g, i] = np.float32(np.inf)
        where[to, i] = beyond


@inlined
def _candidates(bounds: NDArray[np.float32], g: int, limit: np.float32, candidates: NDArray[np.int64]) -> int:
    """List the blocks that may hold a row nearer than ``limit``; return how many."""
    count = 0
    for at in range(candidates.shape[0]):
        candidates[count] = at
        count += bounds[g, at] <= limit
    return count


@inlined
def _may_hold_nearer(at: int, bound: np.float32, furthest: np.float32, position: int) -> bool | np.bool_:
    """Whether a row of a block may come before the last neighbour found; of equally near ones, the first does."""
    return bound < furthest or (bound == furthest and at * LANES < position)


@kernel
def search(
    X: NDArray[np.float32],
    blocks: NDArray[np.float32],
    centres: NDArray[np.float32],
    radii: NDArray[np.float32],
    scale: float,
    slack: np.float32,
    skips: NDArray[np.int64],
    found: NDArray[np.float64],
    where: NDArray[np.int64],
) -> None:
    """Find the k nearest reference rows of each row, nearest first, ties by position.

    Parameters
    ----------
    X : (m, d) rows.
    blocks : (b, d, LANES) scaled reference rows, the last block filled up with infinity.
    centres : (c, d, LANES) the blocks' centres, laid out likewise.
    radii : (c * LANES,) more than the distance from a block's centre to its furthest row.
    scale : the power of two the reference rows were multiplied by.
    slack : at least twice the relative error of a squared distance.
    skips : (m,) the position each row must not find, or (0,) when it may find them all.
    found : (m, k) receives the distances.
    where : (m, k) receives the positions.
    """
    m, d = X.shape
    k = found.shape[1]
    n_blocks = blocks.shape[0]
    rows = np.empty((GROUP, d), dtype=np.float32)
    bounds = np.empty((GROUP, radii.shape[0]), dtype=np.float32)
    best = np.empty((GROUP, k), dtype=np.float32)
    waiting = np.empty(GROUP, dtype=np.int64)
    candidates = np.empty(n_blocks, dtype=np.int64)
    total = np.empty(LANES, dtype=np.float32)
    for start in range(0, m, GROUP):
        size = min(GROUP, m - start)
        n_waiting = 0
        for g in range(size):
            to = start + g
            _begin(X, to, scale, rows, g, best, where, n_blocks * LANES)
            skip = skips[to] if skips.shape[0] else -1
            nearest = _lower_bounds(centres, radii, rows, g, slack, total, bounds)
            _visit(blocks, nearest, rows, g, skip, best, where, to, total)
            bounds[g, nearest] = np.float32(np.nan)
            count = _candidates(bounds, g, best[g, k - 1], candidates)
            if count * d * LANES > NEAR:
                waiting[n_waiting] = g
                n_waiting += 1
                continue
            for i in range(count):
                if _may_hold_nearer(candidates[i], bounds[g, candidates[i]], best[g, k - 1], where[to, k - 1]):
                    _visit(blocks, candidates[i], rows, g, skip, best, where, to, total)
        for at in range(n_blocks if n_waiting else 0):
            for i in range(n_waiting):
                g = waiting[i]
                if _may_hold_nearer(at, bounds[g, at], best[g, k - 1], where[start + g, k - 1]):
                    skip = skips[start + g] if skips.shape[0] else -1
                    _visit(blocks, at, rows, g, skip, best, where, start + g, total)
        for g in range(size):
            for i in range(k):
                found[start + g, i] = np.sqrt(np.float64(best[g, i])) / scale


@kernel
def mean_by_row(values: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Fill ``out`` (m,) with the means of (m, k) values, added up from left to right."""
    for i in range(values.shape[0]):
        total = 0.0
        for j in range(values.shape[1]):
            total += values[i, j]
        out[i] = total / values.shape[1]


@kernel
def mean_reach(
    distances: NDArray[np.float64],
    positions: NDArray[np.int64],
    k_distance: NDArray[np.float64],
    floor: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with the mean reachability distance of each row from its neighbours, at least ``floor``."""
    for i in range(distances.shape[0]):
        total = 0.0
        for j in range(distances.shape[1]):
            total += max(distances[i, j], k_distance[positions[i, j]])
        out[i] = max(total / distances.shape[1], floor)


@kernel
def density_ratio(
    positions: NDArray[np.int64], reach: NDArray[np.float64], own: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill ``out`` (m,) with the mean density of the neighbours over the row's own, a density being 1 / reach."""
    for i in range(positions.shape[0]):
        total = 0.0
        for j in range(positions.shape[1]):
            total += own[i] / reach[positions[i, j]]
        out[i] = total / positions.shape[1]
