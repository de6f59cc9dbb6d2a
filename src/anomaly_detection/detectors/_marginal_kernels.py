"""Kernels of the detectors that look at one feature at a time: a row is a sum, or a maximum, of what its cells say.

Every feature has a stretch of ``levels``: what a missing value scores, and for a category also each code and then
every unseen code. ``stretches`` holds where each begins; a stretch of length 1 belongs to a number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Cells = NDArray[np.float32]
    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]


@kernel
def level_at(value: float, start: int, stop: int) -> int:
    """Position in ``levels`` of a missing value or of a category's code."""
    if math.isnan(value):
        return start
    code = min(max(int(value), 0), stop - start - 2)
    return start + 1 + code


@kernel
def count_at_most(knots: Cells, start: int, stop: int, value: float) -> int:
    """How many of ``knots[start:stop]``, which ascend, are at most ``value``."""
    low, high = start, stop
    while low < high:
        middle = (low + high) >> 1
        if knots[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low - start


@kernel
def tails_row(
    row: Cells,
    knots: Cells,
    bounds: Places,
    left: Cells,
    right: Cells,
    sides: Places,
    levels: Floats,
    stretches: Places,
) -> float:
    """Sum of each cell's surprise in the tail that ``sides`` names: -1 left, 1 right, 0 the larger of both.

    The tables of feature j begin at ``bounds[j] + j`` because each has one entry more than there are knots.
    """
    total = 0.0
    for j in range(row.size):
        value = row[j]
        first, last = stretches[j], stretches[j + 1]
        if last - first > 1 or math.isnan(value):
            total += levels[level_at(value, first, last)]
            continue
        start = bounds[j]
        at_most = count_at_most(knots, start, bounds[j + 1], value)
        below = at_most - 1 if at_most > 0 and knots[start + at_most - 1] == value else at_most
        down = np.float64(left[start + j + at_most])
        up = np.float64(right[start + j + below])
        if sides[j] == 0:
            total += max(down, up)
        else:
            total += max(down if sides[j] < 0 else up, (down + up) / 2)
    return total


@kernel
def tails(
    X: Cells,
    knots: Cells,
    bounds: Places,
    left: Cells,
    right: Cells,
    sides: Places,
    levels: Floats,
    stretches: Places,
) -> Floats:
    """:func:`tails_row` of every row."""
    scores = np.empty(X.shape[0])
    for i in range(X.shape[0]):
        scores[i] = tails_row(X[i], knots, bounds, left, right, sides, levels, stretches)
    return scores


@kernel
def bins_row(
    row: Cells,
    lows: Floats,
    highs: Floats,
    widths: Floats,
    reaches: Floats,
    furthest: float,
    levels: Floats,
    stretches: Places,
) -> float:
    """Sum of what each cell's bin or level scores.

    A number outside [low, high] scores as an unseen level plus log(1 + distance / reach), the ratio at most
    ``furthest``. A category is a number with ``widths`` 0.
    """
    total = 0.0
    for j in range(row.size):
        value = np.float64(row[j])
        first, last = stretches[j], stretches[j + 1]
        if widths[j] == 0.0 or math.isnan(value):
            total += levels[level_at(value, first, last)]
            continue
        distance = max(lows[j] - value, value - highs[j])
        if distance > 0.0:
            total += levels[last - 1] + math.log1p(min(distance / reaches[j], furthest))
        else:
            bin_ = min(int((value - lows[j]) / widths[j]), last - first - 3)
            total += levels[first + 1 + bin_]
    return total


@kernel
def bins(
    X: Cells,
    lows: Floats,
    highs: Floats,
    widths: Floats,
    reaches: Floats,
    furthest: float,
    levels: Floats,
    stretches: Places,
) -> Floats:
    """:func:`bins_row` of every row."""
    scores = np.empty(X.shape[0])
    for i in range(X.shape[0]):
        scores[i] = bins_row(X[i], lows, highs, widths, reaches, furthest, levels, stretches)
    return scores


@kernel
def deviations_row(
    row: Cells,
    centers: Floats,
    scales: Floats,
    floors: Floats,
    jumps: Floats,
    use_mean: bool,
    levels: Floats,
    stretches: Places,
) -> float:
    """Largest, or mean, robust z of the cells.

    A number's z is |value - center| / scale, at least ``floors`` (how rare a present value was), and at least
    ``jumps`` where it differs from the center.
    """
    largest, total = 0.0, 0.0
    for j in range(row.size):
        value = np.float64(row[j])
        first, last = stretches[j], stretches[j + 1]
        if last - first > 1 or math.isnan(value):
            z = levels[level_at(value, first, last)]
        else:
            away = abs(value - centers[j])
            z = max(away / scales[j], floors[j])
            if away > 0.0:
                z = max(z, jumps[j])
        largest = max(largest, z)
        total += z
    return total / row.size if use_mean else largest


@kernel
def deviations(
    X: Cells,
    centers: Floats,
    scales: Floats,
    floors: Floats,
    jumps: Floats,
    use_mean: bool,
    levels: Floats,
    stretches: Places,
) -> Floats:
    """:func:`deviations_row` of every row."""
    scores = np.empty(X.shape[0])
    for i in range(X.shape[0]):
        scores[i] = deviations_row(X[i], centers, scales, floors, jumps, use_mean, levels, stretches)
    return scores
