"""Growing trees that cut with random hyperplanes; see :mod:`.extended_isolation_forest` for what a cut is.

A tree is written in preorder: ``splits`` says of each node whether it is cut, every cut has its columns, their weights
and its bounds (lowest projection, threshold, highest projection), every leaf the number of its training rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._forest_fit_kernels import draw_rows, part_rows
from anomaly_detection.detectors._random_kernels import draw, draw_below, draw_normal, draw_share
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW, THRESHOLD, HIGH = 0, 1, 2


@inlined
def projected(row: NDArray[np.float32], columns: NDArray[np.int32], weights: NDArray[np.float64]) -> float:
    """Return the weighted sum of some columns of a row, in their order."""
    total = 0.0
    for k in range(len(columns)):
        total += weights[k] * row[columns[k]]
    return total


@kernel
def _width(X: NDArray[np.float32], rows: NDArray[np.int64], feature: int) -> float:
    """Return the range of a feature among the rows."""
    low, high = X[rows[0], feature], X[rows[0], feature]
    for i in range(1, len(rows)):
        value = X[rows[i], feature]
        low = value if value < low else low  # noqa: FURB136  - min() would test for NaN
        high = value if value > high else high  # noqa: FURB136  - max() would test for NaN
    return np.float64(high) - np.float64(low)


@kernel
def _draw_plane(
    X: NDArray[np.float32],
    rows: NDArray[np.int64],
    features: NDArray[np.int64],
    live: int,
    shares: NDArray[np.float64],
    columns: NDArray[np.int32],
    weights: NDArray[np.float64],
    state: NDArray[np.uint64],
) -> tuple[int, int]:
    """Draw the columns of a cut, and weights: each a normal number, in ranges of the column among the rows.

    Returns how many columns there are (fewer than asked for where fewer vary) and how many features are still live;
    features found constant are moved behind the live ones, where no descendant looks.
    """
    chosen = 0
    columns[:], weights[:] = 0, 0.0
    while chosen < len(columns) and chosen < live:
        at = chosen + draw_below(state, live - chosen)
        feature = features[at]
        if shares[feature] < 1.0 and draw_share(state) >= shares[feature]:
            continue
        width = _width(X, rows, feature)
        if width > 0.0:
            columns[chosen], weights[chosen] = feature, draw_normal(state) / width
            features[at], features[chosen] = features[chosen], feature
            chosen += 1
        else:
            live -= 1
            features[at], features[live] = features[live], feature
    return chosen, live


@kernel
def _project(
    X: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int32],
    weights: NDArray[np.float64],
    values: NDArray[np.float64],
) -> tuple[float, float]:
    """Fill ``values`` with the rows' projections; return the smallest and the largest."""
    low, high = np.inf, -np.inf
    for i in range(len(rows)):
        values[i] = projected(X[rows[i]], columns, weights)
        low, high = min(low, values[i]), max(high, values[i])
    return low, high


@kernel
def grow_tree(
    X: NDArray[np.float32],
    shares: NDArray[np.float64],
    n_rows: int,
    n_columns: int,
    depth: int,
    seed: int,
    tree: int,
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.uint32]]:
    """Grow tree number ``tree`` on ``n_rows`` rows, with up to ``n_columns`` columns in a cut.

    Returns splits, columns (s, n_columns), weights (s, n_columns), bounds (s, 3), leaf rows. A tree's numbers depend
    on the seed and its place alone.
    """
    n, width = X.shape
    splits = np.zeros(2 * n_rows, np.uint8)
    columns = np.empty((n_rows, n_columns), np.int32)
    weights = np.empty((n_rows, n_columns))
    bounds = np.empty((n_rows, 3))
    leaf_rows = np.empty(n_rows, np.uint32)
    rows, values, features = np.empty(n_rows, np.int64), np.empty(n_rows), np.arange(width)
    stack = np.empty((depth + 2, 4), np.int64)
    state = np.array([np.uint64(seed)], np.uint64)
    state[0] = draw(state) + np.uint64(tree)
    state[0] = draw(state)
    draw_rows(state, n, np.zeros(n, np.bool_), rows)
    at, cut, leaf, top = 0, 0, 0, 1
    stack[0] = (0, n_rows, width, 0)
    while top > 0:
        top -= 1
        first, last, live, level = stack[top]
        here, there = rows[first:last], values[first:last]
        low, high = 0.0, 0.0
        if last - first > 1 and level < depth:
            chosen, live = _draw_plane(X, here, features, live, shares, columns[cut], weights[cut], state)
            if chosen:
                low, high = _project(X, here, columns[cut], weights[cut], there)
        if low < high:
            threshold = low + draw_share(state) * (high - low)
            threshold = threshold if threshold < high else low
            bounds[cut] = (low, threshold, high)
            left = part_rows(here, there, threshold, False)
            splits[at] = 1
            cut += 1
            # The left side lies on top and comes next: preorder.
            stack[top] = (first + left, last, live, level + 1)
            stack[top + 1] = (first, first + left, live, level + 1)
            top += 2
        else:
            leaf_rows[leaf] = last - first
            leaf += 1
        at += 1
    return splits[:at].copy(), columns[:cut].copy(), weights[:cut].copy(), bounds[:cut].copy(), leaf_rows[:leaf].copy()
