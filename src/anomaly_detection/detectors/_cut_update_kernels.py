"""Random cut trees learn and forget rows; see :mod:`.random_cut_forest`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._cut_forest_kernels import (
    FREE_LEAVES,
    FREE_NODES,
    LOWEST,
    ROOT,
    SIZE,
    Trees,
    expected_displacement,
    high_of,
    low_of,
    mass_of,
)
from anomaly_detection.detectors._random_kernels import draw_share
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.detectors._cut_forest_kernels import Number


@kernel
def learn_rows(X: NDArray[np.float32], trees: Trees, seen: NDArray[np.int64], decay: float) -> None:
    """Show each row to each tree; the trees draw by themselves which rows they keep."""
    path = np.empty(trees.keys.shape[1], np.int64)
    for t in range(len(trees.heads)):
        for i in range(len(X)):
            _show(X[i], trees, t, decay * (seen[0] + i), path)
    seen[0] += len(X)


@kernel
def score_and_learn_rows(
    X: NDArray[np.float32], trees: Trees, seen: NDArray[np.int64], decay: float
) -> NDArray[np.float64]:
    """Score each row and then learn it."""
    scores, path = np.zeros(len(X)), np.empty(trees.keys.shape[1], np.int64)
    for t in range(len(trees.heads)):
        for i in range(len(X)):
            scores[i] += expected_displacement(X[i], trees, t)
            _show(X[i], trees, t, decay * (seen[0] + i), path)
    seen[0] += len(X)
    for i in range(len(X)):
        scores[i] /= len(trees.heads)
    return scores


@kernel
def _show(row: NDArray[np.float32], trees: Trees, t: int, age: float, path: NDArray[np.int64]) -> None:
    """Keep a row if its key is not the lowest; the row with the lowest key makes room.

    With keys of ``age`` plus a Gumbel variable, the highest are a sample without replacement in which the weight of a
    row is ``exp(age)`` (Efraimidis & Spirakis 2006, in logarithms).
    """
    share = draw_share(trees.random[t])
    key = age - math.log(-math.log(share + 2.0**-54))
    heads, keys = trees.heads[t], trees.keys[t]
    slot = np.int64(heads[SIZE])
    if slot < len(keys):
        heads[SIZE] += 1
    else:
        slot = np.int64(heads[LOWEST])
        if key <= keys[slot]:
            return
        _forget(trees.leaves[t, slot], trees, t, path)
    keys[slot] = key
    trees.leaves[t, slot] = _insert(row, trees, t)
    if heads[SIZE] == len(keys):
        heads[LOWEST] = np.argmin(keys)


@kernel
def _insert(row: NDArray[np.float32], trees: Trees, t: int) -> Number:
    """Put a row into a tree as if the tree had been grown with it; return its leaf."""
    heads = trees.heads[t]
    if heads[SIZE] == 1:
        heads[ROOT] = -1 - _new_leaf(row, trees, t)
        return np.int64(-1 - heads[ROOT])
    place, parent, side = np.int64(heads[ROOT]), np.int64(-1), np.int64(0)
    while True:
        feature, goes_right, threshold = _draw_cut(row, trees, t, place)
        if feature >= 0:
            leaf = _new_leaf(row, trees, t)
            _attach(_new_node(row, trees, t, place, leaf, feature, goes_right, threshold), trees, t, parent, side)
            return leaf
        if place < 0:
            trees.counts[t, -1 - place] += 1
            return -1 - place
        _widen(trees.boxes[t, place], row)
        trees.masses[t, place] += 1
        parent, side = place, np.int64(row[trees.splits[t, place]] > trees.thresholds[t, place])
        place = np.int64(trees.children[t, place, side])


@kernel
def _draw_cut(row: NDArray[np.float32], trees: Trees, t: int, place: Number) -> tuple[int, bool, np.float32]:
    """Draw a cut of the box at a place, widened by a row: the feature, on which side the row is, and the threshold.

    The feature is -1 when the cut does not set the row apart. At a leaf every cut does, unless the row equals it.
    """
    width, total = len(row), 0.0
    for k in range(width):
        low, high = np.float64(low_of(trees, t, place, k)), np.float64(high_of(trees, t, place, k))
        total += max(high, row[k]) - min(low, row[k])
    if total == 0.0:
        return -1, False, np.float32(0.0)
    rest, feature = draw_share(trees.random[t]) * total, -1
    for k in range(width):
        low, high = np.float64(low_of(trees, t, place, k)), np.float64(high_of(trees, t, place, k))
        span = max(high, row[k]) - min(low, row[k])
        if span > 0.0:
            feature = k
            if rest < span:
                break
            rest -= span
    low_edge, high_edge, value = low_of(trees, t, place, feature), high_of(trees, t, place, feature), row[feature]
    threshold = np.float32(min(np.float64(low_edge), np.float64(value)) + rest)
    if value < low_edge and (threshold < low_edge or place < 0):
        return feature, False, threshold if threshold < low_edge else value
    if value > high_edge and (threshold >= high_edge or place < 0):
        return feature, True, threshold if threshold < value else high_edge
    return -1, False, threshold


@inlined
def _new_leaf(row: NDArray[np.float32], trees: Trees, t: int) -> Number:
    heads = trees.heads[t]
    heads[FREE_LEAVES] -= 1
    leaf = np.int64(trees.free_leaves[t, heads[FREE_LEAVES]])
    for k in range(len(row)):
        trees.points[t, leaf, k] = row[k]
    trees.counts[t, leaf] = 1
    return leaf


@inlined
def _new_node(
    row: NDArray[np.float32],
    trees: Trees,
    t: int,
    place: Number,
    leaf: Number,
    feature: Number,
    goes_right: bool,
    threshold: np.float32,
) -> Number:
    """A node above a place, with a new leaf beside it."""
    heads = trees.heads[t]
    heads[FREE_NODES] -= 1
    node = np.int64(trees.free_nodes[t, heads[FREE_NODES]])
    trees.splits[t, node], trees.thresholds[t, node] = feature, threshold
    side = np.int64(goes_right)
    trees.children[t, node, side], trees.children[t, node, 1 - side] = -1 - leaf, place
    trees.masses[t, node] = mass_of(trees, t, place) + 1
    for k in range(len(row)):
        trees.boxes[t, node, 0, k], trees.boxes[t, node, 1, k] = low_of(trees, t, place, k), high_of(trees, t, place, k)
    _widen(trees.boxes[t, node], row)
    return node


@inlined
def _attach(place: Number, trees: Trees, t: int, parent: Number, side: Number) -> None:
    """Make a place the child of a node, or the root."""
    if parent < 0:
        trees.heads[t, ROOT] = place
    else:
        trees.children[t, parent, side] = place


@inlined
def _widen(box: NDArray[np.float32], row: NDArray[np.float32]) -> None:
    for k in range(len(row)):
        box[0, k], box[1, k] = min(box[0, k], row[k]), max(box[1, k], row[k])


@kernel
def _forget(leaf: Number, trees: Trees, t: int, path: NDArray[np.int64]) -> None:
    """Take one row out of a leaf, and the leaf out of the tree when it was the last."""
    heads, row = trees.heads[t], trees.points[t, leaf]
    place, depth = np.int64(heads[ROOT]), 0
    while place >= 0:
        path[depth] = place
        depth += 1
        trees.masses[t, place] -= 1
        place = np.int64(trees.children[t, place, np.int64(row[trees.splits[t, place]] > trees.thresholds[t, place])])
    trees.counts[t, leaf] -= 1
    if trees.counts[t, leaf] > 0:
        return
    trees.free_leaves[t, heads[FREE_LEAVES]] = leaf
    heads[FREE_LEAVES] += 1
    node = path[depth - 1]
    trees.free_nodes[t, heads[FREE_NODES]] = node
    heads[FREE_NODES] += 1
    beside = trees.children[t, node, 0] if trees.children[t, node, 1] == -1 - leaf else trees.children[t, node, 1]
    parent = path[depth - 2] if depth > 1 else np.int64(-1)
    side = np.int64(parent >= 0 and trees.children[t, parent, 1] == node)
    _attach(beside, trees, t, parent, side)
    for i in range(depth - 2, -1, -1):
        if not _shrink(trees, t, path[i]):
            return


@kernel
def _shrink(trees: Trees, t: int, node: int) -> bool:
    """Fit the box of a node around its children; return whether that changed it."""
    box, first, second = trees.boxes[t, node], trees.children[t, node, 0], trees.children[t, node, 1]
    changed = False
    for k in range(box.shape[1]):
        low = min(low_of(trees, t, first, k), low_of(trees, t, second, k))
        high = max(high_of(trees, t, first, k), high_of(trees, t, second, k))
        changed |= low != box[0, k] or high != box[1, k]
        box[0, k], box[1, k] = low, high
    return changed
