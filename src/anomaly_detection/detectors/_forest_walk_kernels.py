"""Walking down perfect isolation trees.

A tree of depth D is 2**(D + 1) nodes in heap order, the root at 1, the children of ``a`` at ``2a`` and ``2a + 1``, so
that one step down is a load, a comparison and an addition; the second half are the leaves. A single walk waits for
memory at every step, so many walk side by side: a block of :data:`BLOCK` rows down one tree, or one row down all trees.
Indices are unsigned, or numba would test each for being negative.

Leaf depths are float32 of at least 1 and are added up in float64, which is exact: no order of trees, no block and no
vector width can change a bit of a score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anomaly_detection.kernels import kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 32
"""Rows scored together; a node's offset is its column times this."""

NODE = np.dtype([("offset", np.uint32), ("value", np.float32)])
"""A split: go right when what the row has at ``offset`` is above ``value``; or a leaf: ``value`` is its depth."""

_TOP = 2
"""Levels at the top of a tree that have so few nodes that each is compared with the whole block, in vectors."""

_U = np.uint64
_W = np.uint32


class Forest(NamedTuple):
    """What scoring needs of a fitted forest.

    Parameters
    ----------
    wide : (trees * 2**(depth + 1),) nodes that read the widened row.
    plain : the same nodes reading the row as it is, empty when there are categories.
    n_categories : (d,) known codes of each feature, 0 for numbers.
    ranks : (rounds, sum of n_categories) uint8, random orders of the codes.
    ranges : (2, d) smallest and largest value in training; -inf and +inf where nothing lies beyond.
    shares : (d,) how often each feature is cut, adding up to 1.
    feature_widths : (d,) columns of the widened row that each feature takes.
    depth : levels of each tree.
    width : columns of the widened row.
    scale : what a sum of depths is divided by: trees * c(rows a tree was grown on).
    """

    wide: NDArray[np.void]
    plain: NDArray[np.void]
    n_categories: NDArray[np.int64]
    ranks: NDArray[np.uint8]
    ranges: NDArray[np.float32]
    shares: NDArray[np.float64]
    feature_widths: NDArray[np.int64]
    depth: int
    width: int
    scale: float


@lean
def rank_of(code: np.float32, codes: int, order: NDArray[np.uint8]) -> np.float32:
    """The rank of a category code in an order of ``codes`` codes; NaN for a missing or unseen one."""
    if code >= 0 and code < codes:
        return np.float32(order[_U(code)])
    return np.float32(np.nan)


@lean
def _put_both(value: np.float32, at: int, stride: int, block: NDArray[np.float32]) -> None:
    missing = np.isnan(value)
    block[_U(at)] = np.float32(-np.inf) if missing else value
    block[_U(at + stride)] = np.float32(np.inf) if missing else value


@lean
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


@lean
def lay_rows(rows: NDArray[np.float32], block: NDArray[np.float32]) -> None:
    """Write a block of rows column after column."""
    for i in range(BLOCK):
        for k in range(rows.shape[1]):
            block[_U(k * BLOCK + i)] = rows[_U(i), _U(k)]


@kernel
def sum_of_rows(nodes: NDArray[np.void], depth: int, block: NDArray[np.float32], sums: NDArray[np.float64]) -> None:
    """Put into ``sums`` the depths, added up over the trees, at which each row of a block ends."""
    at = np.empty(BLOCK, np.uint32)
    top = min(_TOP, depth)
    for i in range(BLOCK):
        sums[i] = 0.0
    for start in range(0, len(nodes), 2 << depth):
        tree = nodes[start : start + (2 << depth)]
        for i in range(BLOCK):
            at[i] = 1
        for place in range(1, 1 << top):
            x, value = block[tree[place].offset :], tree[place].value
            for i in range(BLOCK):
                below = _W(2 * place) + _W(x[i] > value)
                at[i] = below if at[i] == _W(place) else at[i]
        for _ in range(depth - top):
            for i in range(BLOCK):
                node = tree[at[i]]
                at[i] = at[i] + at[i] + _W(block[node.offset + _W(i)] > node.value)
        for i in range(BLOCK):
            sums[i] += tree[at[i]].value


@kernel
def ends_of_row(nodes: NDArray[np.void], depth: int, row: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Return the place in each tree where one row ends."""
    n_trees = len(nodes) >> (depth + 1)
    at = np.empty(n_trees, np.uint32)
    for tree in range(n_trees):
        at[tree] = 1
    for _ in range(depth):
        for tree in range(n_trees):
            node = nodes[(_U(tree) << _U(depth + 1)) + _U(at[tree])]
            at[tree] = at[tree] + at[tree] + _W(row[node.offset // _W(BLOCK)] > node.value)
    return at


@kernel
def sum_of_row(nodes: NDArray[np.void], depth: int, row: NDArray[np.float32]) -> float:
    """Return the depths, added up over the trees, at which one row ends."""
    at = ends_of_row(nodes, depth, row)
    total = 0.0
    for tree in range(len(at)):
        total += nodes[(_U(tree) << _U(depth + 1)) + _U(at[tree])].value
    return total
