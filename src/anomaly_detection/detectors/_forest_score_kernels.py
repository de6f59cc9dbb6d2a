"""Scoring rows with an isolation forest: in blocks or one by one, within the training range or beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._forest_beyond_kernels import lies_beyond, sum_beyond
from anomaly_detection.detectors._forest_walk_kernels import (
    BLOCK,
    Forest,
    lay_rows,
    sum_of_row,
    sum_of_rows,
    widen,
)
from anomaly_detection.kernels import kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LN2 = 0.6931471805599453


@lean
def _lies_within(row: NDArray[np.float32], ranges: NDArray[np.float32]) -> bool:
    """Whether every value is there and lies within its (low, high)."""
    inside = 0
    for k in range(len(row)):
        inside += (row[k] >= ranges[0, k]) & (row[k] <= ranges[1, k])
    return inside == len(row)


@lean
def _all_within(rows: NDArray[np.float32], ranges: NDArray[np.float32]) -> bool:
    for i in range(len(rows)):
        if not _lies_within(rows[i], ranges):
            return False
    return True


@lean
def power_of_half(x: float) -> float:
    """2**-x for x in [0, 3], to 1e-15.

    A plain polynomial (the exponential series of x/4, squared twice), because the exponential of a maths library may
    round differently for one number and for a vector of them.
    """
    t = x * (-0.25 * _LN2)
    y = 1.0 + t / 14.0
    for k in range(13, 0, -1):
        y = 1.0 + y * t / k
    y *= y
    return y * y


@kernel
def score_plain_row(
    row: NDArray[np.float32], plain: NDArray[np.void], ranges: NDArray[np.float32], depth: int, scale: float
) -> float:
    """Score one row of numbers; NaN when one of them is missing or lies beyond its range.

    It takes four arguments instead of a :class:`Forest` because handing those over takes as long as scoring.
    """
    if not _lies_within(row, ranges):
        return np.nan
    return power_of_half(sum_of_row(plain, depth, row) / scale)


@kernel
def score_wide_row(row: NDArray[np.float32], forest: Forest) -> float:
    """Score one row with categories, missing values or values beyond their range."""
    wide = np.empty(forest.width, np.float32)
    widen(row, forest.n_categories, forest.ranks, wide, 0, 1)
    if lies_beyond(row, forest.ranges):
        total = sum_beyond(row, wide, forest)
    else:
        total = sum_of_row(forest.wide, forest.depth, wide)
    return power_of_half(total / forest.scale)


@kernel
def _sum_of_mixed_rows(
    rows: NDArray[np.float32], forest: Forest, block: NDArray[np.float32], sums: NDArray[np.float64]
) -> None:
    """Put into ``sums`` the depths of a block of rows of which any may have missing values or lie beyond."""
    wide = np.empty(forest.width, np.float32)
    for i in range(BLOCK):
        widen(rows[i], forest.n_categories, forest.ranks, block, i, BLOCK)
    sum_of_rows(forest.wide, forest.depth, block, sums)
    for i in range(BLOCK):
        if lies_beyond(rows[i], forest.ranges):
            widen(rows[i], forest.n_categories, forest.ranks, wide, 0, 1)
            sums[i] = sum_beyond(rows[i], wide, forest)


@kernel
def score_rows(X: NDArray[np.float32], forest: Forest) -> NDArray[np.float64]:
    """Score the rows of an (n, d) matrix: whole blocks, then the rest one by one, to the same bits."""
    n = X.shape[0]
    scores = np.empty(n)
    whole = n // BLOCK * BLOCK
    block = np.empty(forest.width * BLOCK, np.float32)
    sums = np.empty(BLOCK)
    for first in range(0, whole, BLOCK):
        rows = X[first : first + BLOCK]
        if len(forest.plain) and _all_within(rows, forest.ranges):
            lay_rows(rows, block)
            sum_of_rows(forest.plain, forest.depth, block, sums)
        else:
            _sum_of_mixed_rows(rows, forest, block, sums)
        for i in range(BLOCK):
            scores[first + i] = power_of_half(sums[i] / forest.scale)
    for i in range(whole, n):
        scores[i] = np.nan
        if len(forest.plain):
            scores[i] = score_plain_row(X[i], forest.plain, forest.ranges, forest.depth, forest.scale)
        if np.isnan(scores[i]):
            scores[i] = score_wide_row(X[i], forest)
    return scores
