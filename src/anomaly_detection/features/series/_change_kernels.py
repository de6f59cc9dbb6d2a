"""Array loops of change_points.py: the best cut of a series into stretches that are level or go along a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def running_sums(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums from the first row on, from which the cost of any stretch follows.

    Parameters
    ----------
    values : (n, d), anything where the weight is 0.
    weights : (n, d), at least 0.

    Returns
    -------
    (n + 1, d, 6) sums of w, w u, w u², w x, w x u and w x², u being rows from the middle.
    """
    n, d = values.shape
    sums = np.zeros((n + 1, d, 6))
    for i in range(n):
        u = i - 0.5 * n
        for k in range(d):
            w = weights[i, k]
            x = values[i, k] if w > 0.0 else 0.0
            sums[i + 1, k, 0] = sums[i, k, 0] + w
            sums[i + 1, k, 1] = sums[i, k, 1] + w * u
            sums[i + 1, k, 2] = sums[i, k, 2] + w * u * u
            sums[i + 1, k, 3] = sums[i, k, 3] + w * x
            sums[i + 1, k, 4] = sums[i, k, 4] + w * x * u
            sums[i + 1, k, 5] = sums[i, k, 5] + w * x * x
    return sums


@kernel
def stretch_cost(sums: NDArray[np.float64], start: int, end: int, slope_penalty: float) -> float:
    """Weighted squares about the mean of rows ``start`` to before ``end``, or about a line at a price, channels added.

    Parameters
    ----------
    sums : (n + 1, d, 6) of ``running_sums``.
    slope_penalty : what a channel pays for going along a line; infinite for levels only.
    """
    cost = 0.0
    for k in range(sums.shape[1]):
        w = sums[end, k, 0] - sums[start, k, 0]
        if w <= 0.0:
            continue
        u = sums[end, k, 1] - sums[start, k, 1]
        x = sums[end, k, 3] - sums[start, k, 3]
        level = sums[end, k, 5] - sums[start, k, 5] - x * x / w
        if end - start > 2 and slope_penalty < math.inf:
            uu = sums[end, k, 2] - sums[start, k, 2] - u * u / w
            ux = sums[end, k, 4] - sums[start, k, 4] - u * x / w
            if uu > 0.0:
                level = min(level, max(level - ux * ux / uu, 0.0) + slope_penalty)
        cost += max(level, 0.0)
    return cost


@kernel
def best_cut(
    sums: NDArray[np.float64], penalty: float, slope_penalty: float, fewest: int, stride: int
) -> NDArray[np.int64]:
    """The first rows of all stretches but the first, such that costs and penalties are least.

    Dynamic programming over the end of the last stretch; starts that can never be best again are dropped.

    Parameters
    ----------
    sums : (n + 1, d, 6) of ``running_sums``.
    penalty : what each cut costs.
    slope_penalty : what a channel pays for a line in a stretch.
    fewest : a stretch has so many rows at least.
    stride : cuts are looked for at every so many rows.
    """
    n = sums.shape[0] - 1
    saved = slope_penalty * sums.shape[1] if slope_penalty < math.inf else 0.0
    best = np.full(n + 1, math.inf)
    best[0] = -penalty
    before = np.zeros(n + 1, np.int64)
    open_starts, totals = np.empty(n + 1, np.int64), np.empty(n + 1)
    drop_at = np.full(n + 1, n + 1)
    count, latest = 0, 0
    for place in range(1, (n - 1) // stride + 2):
        end = min(place * stride, n)
        while latest <= end - fewest:
            if best[latest] < math.inf:
                open_starts[count] = latest
                count += 1
            latest += stride
        for j in range(count):
            start = open_starts[j]
            totals[j] = best[start] + stretch_cost(sums, start, end, slope_penalty)
            if totals[j] + penalty < best[end]:
                best[end] = totals[j] + penalty
                before[end] = start
        kept = 0
        for j in range(count):
            start = open_starts[j]
            if drop_at[start] > n and totals[j] - saved >= best[end]:
                drop_at[start] = end + fewest
            if drop_at[start] > end:
                open_starts[kept] = start
                kept += 1
        count = kept
    cuts = np.empty(n, np.int64)
    found, end = 0, n
    while before[end] > 0:
        end = before[end]
        cuts[found] = end
        found += 1
    return cuts[:found][::-1].copy()
