"""Scoring rows with perfect isolation trees.

A tree of depth D is 2**(D + 1) nodes in heap order, the root at 1, the children of ``a`` at ``2a`` and ``2a + 1``, so
that one step down is a load, a comparison and an addition; the second half are the leaves. Rows are taken in blocks of
:data:`BLOCK`, laid out one column after the other; eight rows walk down a tree side by side, because a single walk
waits for memory at every step. Indices are unsigned, or numba would test each for being negative.

Leaf depths are float32 of at most 2**10 and are added up in float64, which is exact: no order of trees, no block and
no vector width can change a bit of a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 32
"""Rows scored together; a node's offset is its column times this."""

NODE = np.dtype([("offset", np.uint32), ("value", np.float32)])
"""A split: go right when what the row has at ``offset`` is above ``value``; or a leaf: ``value`` is its depth."""

_U = np.uint64
_ONE = np.uint64(1)
_BLOCK = np.uint64(BLOCK)
_LN2 = 0.6931471805599453


class Forest(NamedTuple):
    """What scoring needs of a fitted forest.

    Parameters
    ----------
    wide : (trees * 2**(depth + 1),) nodes that read the widened row.
    plain : the same nodes reading the row as it is, empty when there are categories.
    n_categories : (d,) known codes of each feature, 0 for numbers.
    ranks : (rounds, sum of n_categories) uint8, random orders of the codes.
    depth : levels of each tree.
    width : columns of the widened row.
    scale : what a sum of depths is divided by: trees * c(rows a tree was grown on).
    """

    wide: NDArray[np.void]
    plain: NDArray[np.void]
    n_categories: NDArray[np.int64]
    ranks: NDArray[np.uint8]
    depth: int
    width: int
    scale: float


@numba.njit(cache=True, nogil=True, error_model="numpy")
def rank_of(code: np.float32, codes: int, order: NDArray[np.uint8]) -> np.float32:
    """The rank of a category code in an order of ``codes`` codes; NaN for a missing or unseen one."""
    if code >= 0 and code < codes:
        return np.float32(order[np.uint64(code)])
    return np.float32(np.nan)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _has_missing(rows: NDArray[np.float32]) -> bool:
    missing = 0
    for value in rows.flat:
        missing += np.isnan(value)
    return missing > 0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _put_both(value: np.float32, at: int, stride: int, block: NDArray[np.float32]) -> None:
    missing = np.isnan(value)
    block[_U(at)] = np.float32(-np.inf) if missing else value
    block[_U(at + stride)] = np.float32(np.inf) if missing else value


@numba.njit(cache=True, nogil=True, error_model="numpy")
def widen(
    row: NDArray[np.float32],
    n_categories: NDArray[np.int64],
    ranks: NDArray[np.uint8],
    block: NDArray[np.float32],
    at: int,
    stride: int,
) -> None:
    """Write a row in wide columns into ``block`` from ``at`` on, ``stride`` apart.

    A number takes two columns and a category two for each order of its codes: one where a missing value is -inf and
    one where it is +inf.
    """
    start = 0
    for k in range(len(row)):
        codes = n_categories[k]
        if codes == 0:
            _put_both(row[k], at, stride, block)
            at += 2 * stride
            continue
        for r in range(len(ranks)):
            _put_both(rank_of(row[k], codes, ranks[r, start : start + codes]), at, stride, block)
            at += 2 * stride
        start += codes


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _lay_block(X: NDArray[np.float32], first: int, last: int, block: NDArray[np.float32]) -> None:
    for i in range(first, last):
        for k in range(X.shape[1]):
            block[_U(k) * _BLOCK + _U(i - first)] = X[i, k]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _add_depths(nodes: NDArray[np.void], depth: int, block: NDArray[np.float32], sums: NDArray[np.float64]) -> None:
    """Add to ``sums`` the depth at which each row of the block ends in each tree."""
    for tree in range(len(nodes) >> (depth + 1)):
        start = _U(tree) << _U(depth + 1)
        for eight in range(len(sums) // 8):
            i = _U(eight * 8)
            x = block[i:]
            a = b = c = d = e = f = g = h = _ONE
            for _ in range(depth):
                na, nb, nc, nd = nodes[start + a], nodes[start + b], nodes[start + c], nodes[start + d]
                ne, nf, ng, nh = nodes[start + e], nodes[start + f], nodes[start + g], nodes[start + h]
                a = a + a + _U(x[_U(na.offset)] > na.value)
                b = b + b + _U(x[_U(nb.offset) + _U(1)] > nb.value)
                c = c + c + _U(x[_U(nc.offset) + _U(2)] > nc.value)
                d = d + d + _U(x[_U(nd.offset) + _U(3)] > nd.value)
                e = e + e + _U(x[_U(ne.offset) + _U(4)] > ne.value)
                f = f + f + _U(x[_U(nf.offset) + _U(5)] > nf.value)
                g = g + g + _U(x[_U(ng.offset) + _U(6)] > ng.value)
                h = h + h + _U(x[_U(nh.offset) + _U(7)] > nh.value)
            sums[i] += nodes[start + a].value
            sums[i + _U(1)] += nodes[start + b].value
            sums[i + _U(2)] += nodes[start + c].value
            sums[i + _U(3)] += nodes[start + d].value
            sums[i + _U(4)] += nodes[start + e].value
            sums[i + _U(5)] += nodes[start + f].value
            sums[i + _U(6)] += nodes[start + g].value
            sums[i + _U(7)] += nodes[start + h].value


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _depth_sum(nodes: NDArray[np.void], depth: int, x: NDArray[np.float32]) -> float:
    """Return the summed depth of one row, eight trees side by side."""
    size = _U(2 << depth)
    n_trees = len(nodes) >> (depth + 1)
    total = 0.0
    for eight in range(n_trees // 8):
        s0 = _U(eight * 8) * size
        s1, s2, s3 = s0 + size, s0 + size * _U(2), s0 + size * _U(3)
        s4, s5, s6, s7 = s0 + size * _U(4), s0 + size * _U(5), s0 + size * _U(6), s0 + size * _U(7)
        a = b = c = d = e = f = g = h = _ONE
        for _ in range(depth):
            na, nb, nc, nd = nodes[s0 + a], nodes[s1 + b], nodes[s2 + c], nodes[s3 + d]
            ne, nf, ng, nh = nodes[s4 + e], nodes[s5 + f], nodes[s6 + g], nodes[s7 + h]
            a = a + a + _U(x[_U(na.offset) // _BLOCK] > na.value)
            b = b + b + _U(x[_U(nb.offset) // _BLOCK] > nb.value)
            c = c + c + _U(x[_U(nc.offset) // _BLOCK] > nc.value)
            d = d + d + _U(x[_U(nd.offset) // _BLOCK] > nd.value)
            e = e + e + _U(x[_U(ne.offset) // _BLOCK] > ne.value)
            f = f + f + _U(x[_U(nf.offset) // _BLOCK] > nf.value)
            g = g + g + _U(x[_U(ng.offset) // _BLOCK] > ng.value)
            h = h + h + _U(x[_U(nh.offset) // _BLOCK] > nh.value)
        total += np.float64(nodes[s0 + a].value) + np.float64(nodes[s1 + b].value)
        total += np.float64(nodes[s2 + c].value) + np.float64(nodes[s3 + d].value)
        total += np.float64(nodes[s4 + e].value) + np.float64(nodes[s5 + f].value)
        total += np.float64(nodes[s6 + g].value) + np.float64(nodes[s7 + h].value)
    for tree in range(n_trees // 8 * 8, n_trees):
        start = _U(tree) * size
        a = _ONE
        for _ in range(depth):
            node = nodes[start + a]
            a = a + a + _U(x[_U(node.offset) // _BLOCK] > node.value)
        total += nodes[start + a].value
    return total


@numba.njit(cache=True, nogil=True, error_model="numpy")
def power_of_half(x: float) -> float:
    """2**-x for x in [0, 3], to 1e-15.

    A plain polynomial (the exponential series of x/4, squared twice), because the exponential of a maths library may
    round differently for one number and for a vector of them.
    """
    t = x * (-0.25 * _LN2)
    y = 1.0 + t / 14.0
    for k in range(13, 0, -1):
        y = 1.0 + y * t / k
    y *= y
    return y * y


@numba.njit(cache=True, nogil=True, error_model="numpy")
def score_rows(X: NDArray[np.float32], forest: Forest) -> NDArray[np.float64]:
    """Score the rows of an (n, d) matrix."""
    n = X.shape[0]
    scores = np.empty(n)
    block = np.zeros(forest.width * BLOCK, np.float32)
    sums = np.empty(BLOCK)
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        sums[:] = 0.0
        active = sums[: (last - first + 7) // 8 * 8]
        if len(forest.plain) and not _has_missing(X[first:last]):
            _lay_block(X, first, last, block)
            _add_depths(forest.plain, forest.depth, block, active)
        else:
            for i in range(first, last):
                widen(X[i], forest.n_categories, forest.ranks, block, i - first, BLOCK)
            _add_depths(forest.wide, forest.depth, block, active)
        for i in range(first, last):
            scores[i] = power_of_half(sums[i - first] / forest.scale)
    return scores


@numba.njit(cache=True, nogil=True, error_model="numpy")
def score_plain_row(row: NDArray[np.float32], plain: NDArray[np.void], depth: int, scale: float) -> float:
    """Score one row of numbers, the same bits as :func:`score_rows`; NaN when a number is missing.

    It takes three arguments instead of a :class:`Forest` because handing those over is half of its time.
    """
    if _has_missing(row):
        return np.nan
    return power_of_half(_depth_sum(plain, depth, row) / scale)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def score_wide_row(row: NDArray[np.float32], forest: Forest) -> float:
    """Score one row with categories or missing values, the same bits as :func:`score_rows`."""
    wide = np.empty(forest.width, np.float32)
    widen(row, forest.n_categories, forest.ranks, wide, 0, 1)
    return power_of_half(_depth_sum(forest.wide, forest.depth, wide) / forest.scale)
