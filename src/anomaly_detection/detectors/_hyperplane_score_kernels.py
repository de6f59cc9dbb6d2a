"""Scoring rows with trees that cut with hyperplanes: the expected number of cuts until a row is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._forest_layout_kernels import average_depth
from anomaly_detection.detectors._forest_score_kernels import power_of_half
from anomaly_detection.detectors._hyperplane_fit_kernels import HIGH, LOW, THRESHOLD, projected
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 64
"""Rows that go down one tree together, so that a tree is read from near memory."""

LEAF = -1


@kernel
def link(
    splits: NDArray[np.uint8], leaf_rows: NDArray[np.uint32], n_trees: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Turn well-formed preorder trees into links; a left child always follows its node.

    Returns, per node, its cut (-1 for a leaf), its right child, and the cuts it would take to part the rows of the
    leaf; and the root of each tree.
    """
    n = len(splits)
    cuts, rights, ahead = np.full(n, LEAF, np.int32), np.zeros(n, np.int32), np.zeros(n)
    roots = np.empty(n_trees, np.int32)
    waiting = np.empty(n + 1, np.int32)
    at, cut, leaf = 0, 0, 0
    for tree in range(n_trees):
        roots[tree] = at
        open_nodes = 0
        while True:
            if splits[at]:
                cuts[at] = cut
                cut += 1
                waiting[open_nodes] = at
                open_nodes += 1
                at += 1
                continue
            ahead[at] = average_depth(leaf_rows[leaf])
            leaf += 1
            at += 1
            if open_nodes == 0:
                break
            open_nodes -= 1
            rights[waiting[open_nodes]] = at
    return cuts, rights, ahead, roots


@inlined
def _novelty(row: NDArray[np.float32], ranges: NDArray[np.float32], shares: NDArray[np.float64]) -> float:
    """Return the share of the features that were constant in training and have another value now."""
    found = 0.0
    for k in range(len(row)):
        if ranges[0, k] == ranges[1, k] and row[k] != ranges[0, k]:
            found += shares[k]
    return found


@inlined
def _cuts_faced(
    row: NDArray[np.float32],
    node: int,
    novelty: float,
    cuts: NDArray[np.int32],
    rights: NDArray[np.int32],
    ahead: NDArray[np.float64],
    columns: NDArray[np.int32],
    weights: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> float:
    """Return the expected number of cuts in the tree with this root."""
    faced, still_in = 0.0, 1.0
    while cuts[node] != LEAF:
        cut = cuts[node]
        low, high = bounds[cut, LOW], bounds[cut, HIGH]
        value = projected(row, columns[cut], weights[cut])
        faced += still_in
        outgrown: float = max(low - value, value - high, 0.0) / (high - low)
        still_in /= 1.0 + outgrown + novelty
        node = rights[node] if value > bounds[cut, THRESHOLD] else node + 1
    rest: float = ahead[node]
    return faced + still_in * rest


@kernel
def score_planes(
    X: NDArray[np.float32],
    ranges: NDArray[np.float32],
    shares: NDArray[np.float64],
    scale: float,
    roots: NDArray[np.int32],
    cuts: NDArray[np.int32],
    rights: NDArray[np.int32],
    ahead: NDArray[np.float64],
    columns: NDArray[np.int32],
    weights: NDArray[np.float64],
    bounds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Score the rows of an (n, d) matrix; the trees are added up in their order for every row."""
    n = X.shape[0]
    scores, novelties = np.empty(n), np.empty(ROWS)
    for first in range(0, n, ROWS):
        last = min(first + ROWS, n)
        for i in range(first, last):
            scores[i] = 0.0
            novelties[i - first] = _novelty(X[i], ranges, shares)
        for root in roots:
            for i in range(first, last):
                scores[i] += _cuts_faced(
                    X[i], root, novelties[i - first], cuts, rights, ahead, columns, weights, bounds
                )
        for i in range(first, last):
            scores[i] = power_of_half(scores[i] / scale)
    return scores
