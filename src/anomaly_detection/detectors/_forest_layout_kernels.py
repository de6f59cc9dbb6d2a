"""From saved trees, in preorder, to the perfect trees that are scored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._forest_walk_kernels import BLOCK, NODE
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

EULER_GAMMA = 0.5772156649015329


@kernel
def average_depth(rows: int) -> float:
    """c(n): the average depth at which a random tree isolates one of n rows (Liu, Ting, Zhou 2008, equation 1)."""
    if rows <= 1:
        return 0.0
    if rows == 2:
        return 1.0
    return 2.0 * (math.log(rows - 1.0) + EULER_GAMMA) - 2.0 * (rows - 1.0) / rows


@kernel
def well_formed(splits: NDArray[np.uint32], n_trees: int, depth: int, width: int) -> bool:
    """Whether ``splits`` is exactly ``n_trees`` preorder trees, none too deep, on columns below ``width``."""
    levels = np.empty(depth + 2, np.int64)
    at = 0
    for _ in range(n_trees):
        levels[0] = 0
        top = 1
        while top > 0:
            top -= 1
            if at == len(splits):
                return False
            split = splits[at]
            at += 1
            if split:
                level = levels[top] + 1
                if split > width or level > depth:
                    return False
                levels[top] = level
                levels[top + 1] = level
                top += 2
    return at == len(splits)


@kernel
def lay_out(
    splits: NDArray[np.uint32],
    thresholds: NDArray[np.float32],
    leaf_rows: NDArray[np.uint32],
    n_trees: int,
    depth: int,
    directions: int,
) -> NDArray[np.void]:
    """Turn preorder trees into perfect ones, 2**(depth + 1) nodes each.

    With two ``directions`` the nodes read the widened row; with one, a row of numbers as it is.

    Below a leaf that is not at the bottom, every path ends at the same depth, so the nodes on the way are never of
    consequence; their threshold is +inf, which no split has.
    """
    size = 1 << depth
    nodes = np.zeros(n_trees * 2 * size, NODE)
    for node in range(len(nodes)):
        nodes[node].value = np.inf
    stack = np.empty((depth + 2, 2), np.int64)
    at_split, at_threshold, at_leaf = 0, 0, 0
    for tree in range(n_trees):
        start = tree * 2 * size
        stack[0] = (1, 0)
        top = 1
        while top > 0:
            top -= 1
            place, level = stack[top]
            split = splits[at_split]
            at_split += 1
            if split:
                nodes[start + place].offset = (split - 1) * directions // 2 * BLOCK
                nodes[start + place].value = thresholds[at_threshold]
                at_threshold += 1
                stack[top] = (2 * place + 1, level + 1)
                stack[top + 1] = (2 * place, level + 1)
                top += 2
            else:
                below = 1 << (depth - level)
                isolated = np.float32(level + average_depth(leaf_rows[at_leaf]))
                for end in range(start + place * below, start + (place + 1) * below):
                    nodes[end].value = isolated
                at_leaf += 1
    return nodes
