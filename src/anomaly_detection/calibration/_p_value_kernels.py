"""The p-value of a score: one compiled function, used for one score and for many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = float(np.finfo(np.float64).tiny)
"""The smallest p-value there is; never 0."""


BLOCK = 32
"""Scores that are looked up together: each step of all the searches is one comparison of vectors."""

_ONE = np.uint64(1)


@kernel
def one_p_value(score: float, ordered: NDArray[np.float64], tail: NDArray[np.float64]) -> float:
    """P(this score or more | normal); NaN for NaN.

    Parameters
    ----------
    ordered : (n,) calibration scores, ascending.
    tail : (4,) where the tail begins, the p-value there, its scale and its shape.
    """
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < score:
            low = middle + 1
        else:
            high = middle
    return _above(score, low, len(ordered), tail)


@inlined
def _above(score: float, below: int, size: int, tail: NDArray[np.float64]) -> float:
    """The p-value of a score that so many of the calibration scores are below."""
    if math.isnan(score):
        return math.nan
    if score > tail[0]:
        distance = (score - tail[0]) / tail[2]
        decay = math.log1p(tail[3] * distance) / tail[3] if tail[3] > 0.0 else distance
        return max(float(tail[1]) * math.exp(-decay), SMALLEST)
    return (1.0 + size - below) / (1.0 + size)


@kernel
def put_p_values(
    scores: NDArray[np.float64], ordered: NDArray[np.float64], tail: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill ``out`` (n,) with :func:`one_p_value` of each score; ``ordered`` has one at least."""
    below, n = np.empty(BLOCK, np.uint64), len(scores)
    for first in range(0, n - n % BLOCK, BLOCK):
        block, left = scores[first : first + BLOCK], np.uint64(len(ordered))
        below[:] = 0
        while left > _ONE:
            half = left >> _ONE
            for i in range(BLOCK):
                below[i] += half * np.uint64(ordered[below[i] + half - _ONE] < block[i])
            left -= half
        for i in range(BLOCK):
            place = int(below[i]) + int(ordered[below[i]] < block[i])
            out[first + i] = _above(block[i], place, len(ordered), tail)
    for i in range(n - n % BLOCK, n):
        out[i] = one_p_value(scores[i], ordered, tail)


@kernel
def many_p_values(
    scores: NDArray[np.float64], ordered: NDArray[np.float64], tail: NDArray[np.float64]
) -> NDArray[np.float64]:
    """:func:`one_p_value` of each score."""
    out = np.empty(len(scores))
    put_p_values(scores, ordered, tail, out)
    return out
