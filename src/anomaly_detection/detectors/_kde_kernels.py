"""Array loops of kernel density: squared distances in float32 in the order of columns, sums in the order of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._block_kernels import LANES, LIMIT, squared_distances_from
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGLIGIBLE = 80.0
"""A squared distance larger than the smallest by this adds less than 1e-17 of its density."""


@inlined
def _leave_itself_out(squared: NDArray[np.float32], n: int) -> int:
    """Take the first reference row that equals the row out of the sum; return how many are left."""
    for i in range(n):
        if squared[i] == 0.0:
            squared[i] = np.float32(np.inf)
            return n - 1
    return n


@kernel
def negative_log_kernel_densities(
    X: NDArray[np.float32],
    centre: NDArray[np.float64],
    bandwidths: NDArray[np.float64],
    blocks: NDArray[np.float32],
    n: int,
    constant: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with minus the log of the mean normal density around the reference rows, finite anywhere.

    Parameters
    ----------
    X : (m, d) rows.
    centre, bandwidths : (d,) a column is scaled as ``(x - centre) / bandwidth``.
    blocks : (b, d, LANES) scaled reference rows, the last block filled up with infinity.
    n : how many reference rows there are, at least 2.
    constant : minus the log of the density of one of them at itself.
    out : (m,) receives the scores.
    """
    row = np.empty(X.shape[1], dtype=np.float32)
    lanes = np.empty(LANES, dtype=np.float32)
    squared = np.empty(blocks.shape[0] * LANES, dtype=np.float32)
    for r in range(X.shape[0]):
        for j in range(X.shape[1]):
            row[j] = np.float32(min(max((X[r, j] - centre[j]) / bandwidths[j], -LIMIT), LIMIT))
        squared_distances_from(blocks, row, lanes, squared)
        counted = _leave_itself_out(squared, n)
        smallest = np.float32(np.inf)
        for i in range(n):
            smallest = min(smallest, squared[i])
        total = 0.0
        for i in range(n):
            beyond = np.float64(squared[i]) - smallest
            if beyond < NEGLIGIBLE:
                total += np.exp(-0.5 * beyond)
        out[r] = 0.5 * np.float64(smallest) - np.log(total / counted) + constant
