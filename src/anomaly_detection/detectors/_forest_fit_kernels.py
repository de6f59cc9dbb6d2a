"""Growing isolation trees; see :mod:`.isolation_forest` for what a split is.

Grown trees are written in preorder, only real nodes: ``splits`` (0 for a leaf, else 1 + the wide column), one
``threshold`` per split, one count of training rows per leaf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.detectors._forest_walk_kernels import rank_of
from anomaly_detection.detectors._random_kernels import draw, draw_below, draw_share
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND_FINITE = np.float32(np.finfo(np.float32).max)
"""The threshold of a split on missingness: only the +inf that stands for a missing value lies beyond it."""

_NO_SPLIT = -1


@kernel
def draw_ranks(n_categories: NDArray[np.int64], rounds: int, seed: int) -> NDArray[np.uint8]:
    """(rounds, sum of n_categories): random orders of each feature's codes, side by side."""
    state = np.array([np.uint64(seed)], np.uint64)
    ranks = np.empty((rounds, n_categories.sum()), np.uint8)
    for r in range(rounds):
        start = 0
        for count in n_categories:
            for i in range(count):
                j = draw_below(state, i + 1)
                ranks[r, start + i] = ranks[r, start + j]
                ranks[r, start + j] = i
            start += count
    return ranks


@kernel
def draw_rows(state: NDArray[np.uint64], n: int, taken: NDArray[np.bool_], rows: NDArray[np.int64]) -> None:
    """Fill ``rows`` with distinct row numbers (Floyd's method); ``taken`` is all False before and after."""
    wanted = len(rows)
    for i in range(wanted):
        last = n - wanted + i
        row = draw_below(state, last + 1)
        rows[i] = last if taken[row] else row
        taken[rows[i]] = True
    for row in rows:
        taken[row] = False


@kernel
def _draw_features(state: NDArray[np.uint64], wanted: int, features: NDArray[np.int64]) -> None:
    """Put a random choice of ``wanted`` features in front."""
    width = len(features)
    for k in range(width):
        features[k] = k
    if wanted == width:
        return
    for k in range(wanted):
        j = k + draw_below(state, width - k)
        features[k], features[j] = features[j], features[k]


@kernel
def _read(
    X: NDArray[np.float32],
    rows: NDArray[np.int64],
    feature: int,
    codes: int,
    order: NDArray[np.uint8],
    values: NDArray[np.float32],
) -> tuple[np.float32, np.float32, int]:
    """Read a feature of the rows into ``values``; return its smallest, its largest and how many are missing."""
    low, high, missing = np.float32(np.inf), np.float32(-np.inf), 0
    for i in range(len(rows)):
        value = X[rows[i], feature]
        if codes:
            value = rank_of(value, codes, order)
        values[i] = value
        missing += np.isnan(value)
        low = value if value < low else low  # noqa: FURB136  - min() would test for NaN
        high = value if value > high else high  # noqa: FURB136  - max() would test for NaN
    return low, high, missing


@kernel
def _threshold_between(state: NDArray[np.uint64], low: np.float32, high: np.float32) -> np.float32:
    threshold = np.float32(low + draw_share(state) * (np.float64(high) - low))
    return threshold if threshold < high else low


@kernel
def part_rows(rows: NDArray[np.int64], values: NDArray[Any], threshold: Any, missing_right: bool) -> int:
    """Move the rows that go left to the front; return how many they are."""
    i, j = 0, len(rows) - 1
    while i <= j:
        value = values[i]
        if value > threshold or (missing_right and np.isnan(value)):
            rows[i], rows[j] = rows[j], rows[i]
            values[i], values[j] = values[j], value
            j -= 1
        else:
            i += 1
    return i


@kernel
def _split(
    X: NDArray[np.float32],
    rows: NDArray[np.int64],
    features: NDArray[np.int64],
    live: int,
    shares: NDArray[np.float64],
    n_categories: NDArray[np.int64],
    code_starts: NDArray[np.int64],
    wide_starts: NDArray[np.int64],
    ranks: NDArray[np.uint8],
    values: NDArray[np.float32],
    state: NDArray[np.uint64],
) -> tuple[int, np.float32, int, int]:
    """Split the rows of a node on a random feature that can be split, drawn in proportion to the features' shares.

    Returns the wide column (-1: no split), the threshold, how many rows go left, and how many features are still live;
    features found constant are moved behind the live ones, where no descendant looks.
    """
    while live > 0:
        k = draw_below(state, live)
        feature = features[k]
        if shares[feature] < 1.0 and draw_share(state) >= shares[feature]:
            continue
        codes = n_categories[feature]
        rank = draw_below(state, len(ranks)) if codes else 0
        order = ranks[rank, code_starts[feature] : code_starts[feature] + codes]
        low, high, missing = _read(X, rows, feature, codes, order, values)
        varies = low < high
        if varies or (low == high and missing):
            apart = missing > 0 and (not varies or draw_below(state, 3) == 0)
            threshold = BEYOND_FINITE if apart else _threshold_between(state, low, high)
            side = np.int64(1) if apart or missing == 0 else draw_below(state, 2)
            left = part_rows(rows, values, threshold, side == 1)
            if missing == 0:
                side = np.int64(left > len(rows) - left)
            return wide_starts[feature] + 2 * rank + side, threshold, left, live
        # An order of codes is a permutation: what is constant in one is constant in all, here and further down.
        live -= 1
        features[k], features[live] = features[live], features[k]
    return _NO_SPLIT, np.float32(0), 0, 0


@kernel
def grow(
    X: NDArray[np.float32],
    shares: NDArray[np.float64],
    n_categories: NDArray[np.int64],
    wide_starts: NDArray[np.int64],
    ranks: NDArray[np.uint8],
    n_trees: int,
    n_rows: int,
    n_features: int,
    depth: int,
    seed: int,
) -> tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.uint32]]:
    """Grow ``n_trees`` trees, each on ``n_rows`` rows and ``n_features`` features.

    Returns splits, thresholds, leaf rows.
    """
    n, width = X.shape
    code_starts = np.cumsum(n_categories) - n_categories
    splits = np.empty(n_trees * 2 * n_rows, np.uint32)
    thresholds = np.empty(n_trees * n_rows, np.float32)
    leaf_rows = np.empty(n_trees * n_rows, np.uint32)
    taken = np.zeros(n, np.bool_)
    rows = np.empty(n_rows, np.int64)
    features = np.empty(width, np.int64)
    values = np.empty(n_rows, np.float32)
    stack = np.empty((depth + 2, 4), np.int64)
    state = np.empty(1, np.uint64)
    at_split, at_threshold, at_leaf = 0, 0, 0
    for tree in range(n_trees):
        # A tree's numbers depend on the seed and its place alone: more trees leave the first ones as they are.
        state[0] = np.uint64(seed)
        state[0] = draw(state) + np.uint64(tree)
        state[0] = draw(state)
        draw_rows(state, n, taken, rows)
        _draw_features(state, n_features, features)
        stack[0] = (0, n_rows, n_features, 0)
        top = 1
        while top > 0:
            top -= 1
            first, last, live, level = stack[top]
            wide, threshold, left = _NO_SPLIT, np.float32(0), 0
            if last - first > 1 and level < depth:
                here = rows[first:last]
                wide, threshold, left, live = _split(
                    X, here, features, live, shares, n_categories, code_starts, wide_starts, ranks, values, state
                )
            splits[at_split] = wide + 1
            at_split += 1
            if wide == _NO_SPLIT:
                leaf_rows[at_leaf] = last - first
                at_leaf += 1
            else:
                thresholds[at_threshold] = threshold
                at_threshold += 1
                # The left side lies on top and comes next: preorder.
                stack[top] = (first + left, last, live, level + 1)
                stack[top + 1] = (first, first + left, live, level + 1)
                top += 2
    return splits[:at_split].copy(), thresholds[:at_threshold].copy(), leaf_rows[:at_leaf].copy()
