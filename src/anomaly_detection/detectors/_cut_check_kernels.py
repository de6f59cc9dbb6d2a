"""Whether restored arrays are random cut trees: the other kernels trust them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._cut_forest_kernels import (
    FREE_LEAVES,
    FREE_NODES,
    LOWEST,
    ROOT,
    SIZE,
    Trees,
    high_of,
    low_of,
    mass_of,
)
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.detectors._cut_forest_kernels import Number


@kernel
def well_formed(trees: Trees) -> bool:
    """Whether every place is within bounds and used once, and masses, boxes, cuts and free lists agree."""
    for t in range(len(trees.heads)):
        used_nodes = np.zeros(trees.masses.shape[1], np.bool_)
        used_leaves = np.zeros(trees.counts.shape[1], np.bool_)
        if not (
            _heads_in_bounds(trees, t)
            and _is_a_tree(trees, t, used_nodes, used_leaves)
            and _nodes_agree(trees, t, used_nodes)
            and _leaves_are_found(trees, t, used_leaves)
            and _is_the_rest(trees.free_nodes[t, : trees.heads[t, FREE_NODES]], used_nodes)
            and _is_the_rest(trees.free_leaves[t, : trees.heads[t, FREE_LEAVES]], used_leaves)
            and _sample_agrees(trees, t)
        ):
            return False
    return True


@kernel
def _in_bounds(trees: Trees, place: Number) -> bool:
    return bool(-trees.counts.shape[1] <= place < trees.masses.shape[1])


@kernel
def _heads_in_bounds(trees: Trees, t: int) -> bool:
    heads, most = trees.heads[t], trees.counts.shape[1]
    return (
        _in_bounds(trees, heads[ROOT])
        and 1 <= heads[SIZE] <= most
        and 0 <= heads[FREE_NODES] < most
        and 0 <= heads[FREE_LEAVES] <= most
        and 0 <= heads[LOWEST] < most
    )


@kernel
def _is_a_tree(trees: Trees, t: int, used_nodes: NDArray[np.bool_], used_leaves: NDArray[np.bool_]) -> bool:
    """Whether all places below the root are within bounds and come once; marks them."""
    pending = np.empty(len(used_nodes) + 2, np.int64)
    pending[0], count = trees.heads[t, ROOT], 1
    while count:
        count -= 1
        place = pending[count]
        if not _in_bounds(trees, place):
            return False
        if place < 0:
            if used_leaves[-1 - place]:
                return False
            used_leaves[-1 - place] = True
            continue
        if used_nodes[place]:
            return False
        used_nodes[place] = True
        pending[count], pending[count + 1] = trees.children[t, place, 0], trees.children[t, place, 1]
        count += 2
    return True


@kernel
def _nodes_agree(trees: Trees, t: int, used_nodes: NDArray[np.bool_]) -> bool:
    """Whether each node has the mass and the box of its children, and a cut between them."""
    width = trees.points.shape[2]
    for node in range(len(used_nodes)):
        if not used_nodes[node]:
            continue
        first, second, split = trees.children[t, node, 0], trees.children[t, node, 1], trees.splits[t, node]
        if not 0 <= split < width:
            return False
        if not high_of(trees, t, first, split) <= trees.thresholds[t, node] < low_of(trees, t, second, split):
            return False
        if trees.masses[t, node] != mass_of(trees, t, first) + mass_of(trees, t, second):
            return False
        for k in range(width):
            low = min(low_of(trees, t, first, k), low_of(trees, t, second, k))
            high = max(high_of(trees, t, first, k), high_of(trees, t, second, k))
            if not (trees.boxes[t, node, 0, k] == low and trees.boxes[t, node, 1, k] == high):
                return False
    return True


@kernel
def _leaves_are_found(trees: Trees, t: int, used_leaves: NDArray[np.bool_]) -> bool:
    """Whether each leaf in use holds rows and finite values, and no other does."""
    for leaf in range(len(used_leaves)):
        if (trees.counts[t, leaf] > 0) != used_leaves[leaf] or trees.counts[t, leaf] < 0:
            return False
        if used_leaves[leaf] and not np.isfinite(trees.points[t, leaf]).all():
            return False
    return True


@kernel
def _is_the_rest(free: NDArray[np.int32], used: NDArray[np.bool_]) -> bool:
    """Whether a stack holds every number not in use, once."""
    seen = used.copy()
    for number in free:
        if not 0 <= number < len(seen) or seen[number]:
            return False
        seen[number] = True
    return bool(seen.all())


@kernel
def _sample_agrees(trees: Trees, t: int) -> bool:
    """Whether the rows of the sample are those in the leaves, and the lowest key is where it is said to be."""
    size, counts = trees.heads[t, SIZE], trees.counts[t].copy()
    for slot in range(size):
        leaf = trees.leaves[t, slot]
        if not 0 <= leaf < len(counts) or np.isnan(trees.keys[t, slot]):
            return False
        counts[leaf] -= 1
    full = size == trees.keys.shape[1]
    return bool((counts == 0).all()) and (not full or trees.heads[t, LOWEST] == np.argmin(trees.keys[t]))
