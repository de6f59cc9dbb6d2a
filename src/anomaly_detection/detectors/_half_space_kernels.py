"""Half-space trees as flat arrays; see :mod:`.half_space_trees` for what they are.

A tree of depth h has ``2**h - 1`` nodes in breadth-first order: node i has the children 2 i + 1 and 2 i + 2. A row is
read as codes, its place in each feature's range in 1/65536ths. A node keeps how many rows went left; the mass of any
half-space on the way down follows from that and the mass above it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anomaly_detection.detectors._random_kernels import draw_below, draw_share
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CODES = 65_536
"""Places in the range of a feature."""

MIDDLE = 0.7
"""A half-space is cut at random in the middle 70 % of what is left of the feature's range."""

SMALLEST_SHARE = 0.01
"""A half-space with a smaller share of the rows than this is not looked into."""

EMPTY = 0.25
"""Counts as rows on top of those that are there, so that an empty half-space has a density."""

STALE_SHARE = 0.1
"""A feature has left its range when more of a window's values than this lie beyond."""


class Trees(NamedTuple):
    """All trees, and the rows they keep.

    Parameters
    ----------
    splits : (t, nodes) unsigned, the feature each node cuts.
    cuts : (t, nodes) uint16, the code each node cuts it at.
    reference, latest : (t, nodes) unsigned, the rows of each window that went left.
    work_ranges : (2, d) float64, where the range of each feature begins and ends.
    sample : (s, d) float32, rows of the latest window, evenly spaced.
    beyond : (d,) int64, values of the latest window beyond their range.
    seen : (2,) int64, rows learned since the trees were drawn, and how often they were drawn before.
    depth : cuts from the root to a leaf.
    window : rows in a window.
    """

    splits: NDArray[np.unsignedinteger]
    cuts: NDArray[np.uint16]
    reference: NDArray[np.unsignedinteger]
    latest: NDArray[np.unsignedinteger]
    work_ranges: NDArray[np.float64]
    sample: NDArray[np.float32]
    beyond: NDArray[np.int64]
    seen: NDArray[np.int64]
    depth: int
    window: int


@kernel
def plant(splits: NDArray[np.unsignedinteger], cuts: NDArray[np.uint16], width: int, seed: np.uint64) -> None:
    """Draw the feature and the code that every node of every tree is cut at; no rows are looked at."""
    state = np.array([seed], np.uint64)
    for t in range(splits.shape[0]):
        for node in range(splits.shape[1]):
            feature = draw_below(state, width)
            low, high = _left_of_range(splits[t], cuts[t], node, feature)
            cut = low + np.int64((high - low) * (0.5 + MIDDLE * (draw_share(state) - 0.5)))
            splits[t, node] = feature
            cuts[t, node] = cut if cut > 0 else 1


@kernel
def _left_of_range(
    splits: NDArray[np.unsignedinteger], cuts: NDArray[np.uint16], node: int, feature: np.int64
) -> tuple[np.int64, np.int64]:
    """What the cuts above a node leave of a feature's codes: from the first up to but without the second."""
    low, high = np.int64(0), np.int64(CODES)
    while node > 0:
        parent = (node - 1) >> 1
        cut = np.int64(cuts[parent])
        if splits[parent] == feature:
            low, high = (low, min(high, cut)) if node == 2 * parent + 1 else (max(low, cut), high)
        node = parent
    return low, high


@inlined
def _read(row: NDArray[np.float32], ranges: NDArray[np.float64], codes: NDArray[np.uint16]) -> None:
    """The place of each value in its range, (2, d) low and high; beyond it, the first or the last."""
    for k in range(len(row)):
        place = (row[k] - ranges[0, k]) / (ranges[1, k] - ranges[0, k]) * CODES
        codes[k] = np.uint16(min(max(place, 0.0), CODES - 1.0))


@inlined
def _note(row: NDArray[np.float32], trees: Trees) -> None:
    """Count the values beyond their range, and keep one row in so many; a row that was learned."""
    for k in range(len(row)):
        trees.beyond[k] += row[k] < trees.work_ranges[0, k] or row[k] > trees.work_ranges[1, k]
    stride = -(-trees.window // len(trees.sample))
    place = trees.seen[0] % trees.window
    if place % stride == 0:
        for k in range(len(row)):
            trees.sample[place // stride, k] = row[k]
    trees.seen[0] += 1


@kernel
def _turn(trees: Trees) -> bool:
    """Make a window that is full the reference; return whether its values have left their ranges."""
    if trees.seen[0] % trees.window:
        return False
    trees.reference[:] = trees.latest
    trees.latest[:] = 0
    stale = trees.beyond.max() > STALE_SHARE * trees.window
    trees.beyond[:] = 0
    return bool(stale)


@inlined
def _sparsity(
    codes: NDArray[np.uint16],
    splits: NDArray[np.unsignedinteger],
    cuts: NDArray[np.uint16],
    lefts: NDArray[np.unsignedinteger],
    depth: int,
    rows: int,
) -> float:
    """-log2 of the density of the half-space a row ends in, in rows per volume of a tree's range."""
    node, mass, level = 0, np.int64(rows), 0
    while level < depth and mass >= SMALLEST_SHARE * rows:
        left = np.int64(lefts[node])
        goes_right = codes[splits[node]] >= cuts[node]
        mass = mass - left if goes_right else left
        node = 2 * node + 1 + goes_right
        level += 1
    return -math.log2(mass + EMPTY) - level


@inlined
def _learn(
    codes: NDArray[np.uint16],
    splits: NDArray[np.unsignedinteger],
    cuts: NDArray[np.uint16],
    lefts: NDArray[np.unsignedinteger],
    depth: int,
) -> None:
    node = 0
    for _ in range(depth):
        goes_right = codes[splits[node]] >= cuts[node]
        lefts[node] += not goes_right
        node = 2 * node + 1 + goes_right


@inlined
def _sparsity_then_learn(
    codes: NDArray[np.uint16],
    splits: NDArray[np.unsignedinteger],
    cuts: NDArray[np.uint16],
    reference: NDArray[np.unsignedinteger],
    latest: NDArray[np.unsignedinteger],
    depth: int,
    rows: int,
) -> float:
    """:func:`_sparsity` and :func:`_learn` on one way down; ``reference`` may be ``latest``."""
    node, mass, level = 0, np.int64(rows), 0
    for _ in range(depth):
        left = np.int64(reference[node])
        goes_right = codes[splits[node]] >= cuts[node]
        if mass >= SMALLEST_SHARE * rows:
            mass = mass - left if goes_right else left
            level += 1
        latest[node] += not goes_right
        node = 2 * node + 1 + goes_right
    return -math.log2(mass + EMPTY) - level


@kernel
def score_rows(X: NDArray[np.float32], trees: Trees) -> NDArray[np.float64]:
    """Score each row by the masses of the reference, or of the latest window while there is no other."""
    scores, codes = np.empty(len(X)), np.empty(X.shape[1], np.uint16)
    rows, n_trees = min(trees.seen[0], trees.window), len(trees.splits)
    known = trees.latest if trees.seen[0] < trees.window else trees.reference
    for i in range(len(X)):
        _read(X[i], trees.work_ranges, codes)
        total = 0.0
        for t in range(n_trees):
            total += _sparsity(codes, trees.splits[t], trees.cuts[t], known[t], trees.depth, rows)
        scores[i] = math.log2(rows) + total / n_trees
    return scores


@kernel
def learn_rows(X: NDArray[np.float32], trees: Trees) -> tuple[int, bool]:
    """Learn rows up to the end of a window whose values have left their ranges, if there is one, else all.

    Returns how many were learned, and whether there was such a window.
    """
    codes = np.empty(X.shape[1], np.uint16)
    for i in range(len(X)):
        _read(X[i], trees.work_ranges, codes)
        for t in range(len(trees.splits)):
            _learn(codes, trees.splits[t], trees.cuts[t], trees.latest[t], trees.depth)
        _note(X[i], trees)
        if _turn(trees):
            return i + 1, True
    return len(X), False


@kernel
def score_and_learn_rows(X: NDArray[np.float32], trees: Trees, scores: NDArray[np.float64]) -> tuple[int, bool]:
    """:func:`learn_rows`, with each row scored before it is learned."""
    codes, n_trees = np.empty(X.shape[1], np.uint16), len(trees.splits)
    for i in range(len(X)):
        _read(X[i], trees.work_ranges, codes)
        rows = min(trees.seen[0], trees.window)
        known = trees.latest if trees.seen[0] < trees.window else trees.reference
        total = 0.0
        for t in range(n_trees):
            splits, cuts = trees.splits[t], trees.cuts[t]
            total += _sparsity_then_learn(codes, splits, cuts, known[t], trees.latest[t], trees.depth, rows)
        scores[i] = math.log2(rows) + total / n_trees
        _note(X[i], trees)
        if _turn(trees):
            return i + 1, True
    return len(X), False


@kernel
def well_weighed(lefts: NDArray[np.unsignedinteger], rows: int) -> bool:
    """Whether no node has more rows on its left than there are in it, of ``rows`` at the root."""
    masses = np.empty(2 * lefts.shape[1] + 1, np.int64)
    for t in range(len(lefts)):
        masses[0] = rows
        for node in range(lefts.shape[1]):
            left = np.int64(lefts[t, node])
            if left > masses[node]:
                return False
            masses[2 * node + 1], masses[2 * node + 2] = left, masses[node] - left
    return True
