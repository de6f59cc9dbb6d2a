"""Random cut trees as flat arrays, and how rows are scored; see :mod:`.random_cut_forest` for what they are.

A tree keeps at most s rows. A *place* is a node (0 or more) or a leaf (-1 - its number); a node has a box around its
rows and a cut: values above the threshold go to child 1. A leaf holds one point and how many rows equal it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number: TypeAlias = int | np.int64
"""A place, a leaf, or another whole number."""

ROOT, SIZE, FREE_NODES, FREE_LEAVES, LOWEST = range(5)
"""What the five heads of a tree are."""


class Trees(NamedTuple):
    """All trees, one after the other along the first axis.

    Parameters
    ----------
    points : (t, s, d) float32, the row of each leaf.
    boxes : (t, s - 1, 2, d) float32, the smallest and the largest values below each node.
    children : (t, s - 1, 2) int32, places.
    splits : (t, s - 1) int32, the feature each node cuts.
    thresholds : (t, s - 1) float32.
    masses : (t, s - 1) int32, the rows below each node.
    counts : (t, s) int32, the rows in each leaf; 0 for one that is free.
    keys : (t, s) float64, by which the rows of the sample are drawn: the lowest goes first.
    leaves : (t, s) int32, the leaf of each row of the sample.
    free_nodes : (t, s - 1) int32, stack of nodes not in use.
    free_leaves : (t, s) int32, stack of leaves not in use.
    heads : (t, 5) int32, the place of the root, the rows in the sample, how many nodes and leaves are free, and the
        row of the sample with the lowest key.
    random : (t, 1) uint64, state of the random numbers.
    """

    points: NDArray[np.float32]
    boxes: NDArray[np.float32]
    children: NDArray[np.int32]
    splits: NDArray[np.int32]
    thresholds: NDArray[np.float32]
    masses: NDArray[np.int32]
    counts: NDArray[np.int32]
    keys: NDArray[np.float64]
    leaves: NDArray[np.int32]
    free_nodes: NDArray[np.int32]
    free_leaves: NDArray[np.int32]
    heads: NDArray[np.int32]
    random: NDArray[np.uint64]


@inlined
def mass_of(trees: Trees, t: int, place: Number) -> Number:
    """The rows at a place."""
    return np.int64(trees.masses[t, place]) if place >= 0 else np.int64(trees.counts[t, -1 - place])


@inlined
def low_of(trees: Trees, t: int, place: Number, k: int) -> np.float32:
    """The smallest value of a feature at a place."""
    value: np.float32 = trees.boxes[t, place, 0, k] if place >= 0 else trees.points[t, -1 - place, k]
    return value


@inlined
def high_of(trees: Trees, t: int, place: Number, k: int) -> np.float32:
    """The largest value of a feature at a place."""
    value: np.float32 = trees.boxes[t, place, 1, k] if place >= 0 else trees.points[t, -1 - place, k]
    return value


@kernel
def expected_displacement(row: NDArray[np.float32], trees: Trees, t: int) -> float:
    """The share of a tree's rows that a row displaces, on average over the cuts that could be drawn to insert it.

    At every place on the way down, a new cut sets the row apart with the probability that the part of the box it adds
    has in the widened box; then it displaces what is there. Else the old cut is kept. The displacement is the largest
    on the way down of the rows beside, per row on the row's own side (Guha et al., collusive displacement).
    """
    width = len(row)
    place = np.int64(trees.heads[t, ROOT])
    remains, most, total = 1.0, 0.0, 0.0
    while True:
        added, whole = 0.0, 0.0
        for k in range(width):
            low, high = np.float64(low_of(trees, t, place, k)), np.float64(high_of(trees, t, place, k))
            beyond = max(low - row[k], row[k] - high, 0.0)
            added += beyond
            whole += (high - low) + beyond
        share = added / whole if place >= 0 else np.float64(added > 0.0)
        total += remains * share * max(most, float(mass_of(trees, t, place)))
        remains *= 1.0 - share
        if place < 0 or remains <= 0.0:
            break
        side = np.int64(row[trees.splits[t, place]] > trees.thresholds[t, place])
        ours, other = trees.children[t, place, side], trees.children[t, place, 1 - side]
        most = max(most, mass_of(trees, t, other) / (mass_of(trees, t, ours) + 1.0))
        place = np.int64(ours)
    displaced: float = (total + remains * most) / trees.heads[t, SIZE]
    return displaced


@kernel
def score_rows(X: NDArray[np.float32], trees: Trees) -> NDArray[np.float64]:
    """Score each row: the mean of :func:`expected_displacement` over the trees."""
    scores = np.zeros(len(X))
    n_trees = len(trees.heads)
    for i in range(len(X)):
        for t in range(n_trees):
            scores[i] += expected_displacement(X[i], trees, t)
        scores[i] /= n_trees
    return scores
