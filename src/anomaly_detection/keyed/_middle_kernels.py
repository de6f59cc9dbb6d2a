"""Medians within groups, with and without a value itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@inlined
def middle(ordered: NDArray[np.float64], start: int, stop: int, without: int) -> float:
    """The median of ``ordered[start:stop]``, ascending, less the value at ``without`` if that lies within."""
    left_out = start <= without < stop
    n = stop - start - (1 if left_out else 0)
    if n == 0:
        return math.nan
    low, high = start + (n - 1) // 2, start + n // 2
    if left_out:
        low += 1 if low >= without else 0
        high += 1 if high >= without else 0
    return 0.5 * (float(ordered[low]) + float(ordered[high]))


@kernel
def middles(ordered: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(groups,) the median of each group of values; NaN where there is none.

    Parameters
    ----------
    ordered : (n,) group after group, ascending within each.
    starts : (groups + 1,) where each group begins.
    """
    out = np.empty(len(starts) - 1)
    for group in range(len(starts) - 1):
        out[group] = middle(ordered, starts[group], starts[group + 1], -1)
    return out


@kernel
def middles_of_others(ordered: NDArray[np.float64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) for each value the median of the others of its group; NaN where there are none."""
    out = np.empty(len(ordered))
    for group in range(len(starts) - 1):
        for i in range(starts[group], starts[group + 1]):
            out[i] = middle(ordered, starts[group], starts[group + 1], i)
    return out
