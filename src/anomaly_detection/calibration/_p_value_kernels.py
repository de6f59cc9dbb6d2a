"""The p-value of a score: one compiled function, used for one score and for many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALLEST = float(np.finfo(np.float64).tiny)
"""The smallest p-value there is; never 0."""


@kernel
def one_p_value(score: float, ordered: NDArray[np.float64], tail: NDArray[np.float64]) -> float:
    """P(this score or more | normal); NaN for NaN.

    Parameters
    ----------
    ordered : (n,) calibration scores, ascending.
    tail : (4,) where the tail begins, the p-value there, its scale and its shape.
    """
    if math.isnan(score):
        return math.nan
    if score > tail[0]:
        distance = (score - tail[0]) / tail[2]
        decay = math.log1p(tail[3] * distance) / tail[3] if tail[3] > 0.0 else distance
        return max(float(tail[1]) * math.exp(-decay), SMALLEST)
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < score:
            low = middle + 1
        else:
            high = middle
    return (1.0 + len(ordered) - low) / (1.0 + len(ordered))


@kernel
def many_p_values(
    scores: NDArray[np.float64], ordered: NDArray[np.float64], tail: NDArray[np.float64]
) -> NDArray[np.float64]:
    """:func:`one_p_value` of each score."""
    out = np.empty(len(scores))
    for i in range(len(scores)):
        out[i] = one_p_value(scores[i], ordered, tail)
    return out
