"""One pass over a matrix for what every detector asks of it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_INFINITY = np.float32(np.inf)


@kernel
def has_infinite(matrix: NDArray[np.float32]) -> bool:
    """Whether any value of an (n, d) matrix is -inf or +inf."""
    for i in range(matrix.shape[0]):
        found = 0
        for k in range(matrix.shape[1]):
            found += abs(matrix[i, k]) == _INFINITY
        if found:
            return True
    return False


@kernel
def finite_range(matrix: NDArray[np.float32]) -> tuple[NDArray[np.float32], bool]:
    """(2, d): the smallest and largest finite value of each column, +inf and -inf where there is none.

    Also returns whether any value is infinite.
    """
    width = matrix.shape[1]
    both = np.empty((2, width), np.float32)
    low, high = both[0], both[1]
    for k in range(width):
        low[k], high[k] = _INFINITY, -_INFINITY
    infinite = 0
    for i in range(matrix.shape[0]):
        for k in range(width):
            infinite += abs(matrix[i, k]) == _INFINITY
        for k in range(width):
            value = matrix[i, k]
            finite = abs(value) < _INFINITY
            low[k] = value if finite & (value < low[k]) else low[k]
            high[k] = value if finite & (value > high[k]) else high[k]
    return both, infinite > 0
