"""Array loops of the angle-based outlier factor; sums run in the order of columns, then of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._block_kernels import LIMIT
from anomaly_detection.detectors._neighbour_kernels import UNDERFLOW
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

INDISTINCT = 1e-28
"""Variances below this share of the squared mean weight are rounding errors."""


@inlined
def _towards(
    X: NDArray[np.float32],
    r: int,
    reference: NDArray[np.float32],
    positions: NDArray[np.int64],
    scale: float,
    gaps: NDArray[np.float64],
    squares: NDArray[np.float64],
) -> None:
    """Fill ``gaps`` (k, d) with the scaled ways from row ``r`` to its neighbours, ``squares`` with their squares."""
    for i in range(positions.shape[1]):
        total = 0.0
        for j in range(X.shape[1]):
            there = min(max(reference[positions[r, i], j] * scale, -LIMIT), LIMIT)
            gap = there - min(max(X[r, j] * scale, -LIMIT), LIMIT)
            gaps[i, j] = gap
            total += gap * gap
        squares[i] = max(total, UNDERFLOW * UNDERFLOW)


@kernel
def negative_log_angle_variance(
    X: NDArray[np.float32],
    reference: NDArray[np.float32],
    positions: NDArray[np.int64],
    scale: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with minus the logarithm of the angle-based outlier factor.

    Each pair of neighbours b, c of a row contributes ``<b, c> / (|b|**2 |c|**2)`` with the weight ``1 / (|b| |c|)``;
    the factor is the weighted variance.

    Parameters
    ----------
    X : (m, d) rows.
    reference : (n, d) rows, all different.
    positions : (m, k) the neighbours of each row in the reference, k at least 2.
    scale : a power of two that brings the reference near 1.
    out : (m,) receives the scores.
    """
    k = positions.shape[1]
    n_pairs = k * (k - 1) // 2
    gaps = np.empty((k, X.shape[1]))
    squares = np.empty(k)
    values = np.empty(n_pairs)
    weights = np.empty(n_pairs)
    for r in range(X.shape[0]):
        _towards(X, r, reference, positions, scale, gaps, squares)
        pair, weight, mean = 0, 0.0, 0.0
        for i in range(k):
            for other in range(i):
                inner = 0.0
                for j in range(X.shape[1]):
                    inner += gaps[i, j] * gaps[other, j]
                values[pair] = inner / (squares[i] * squares[other])
                weights[pair] = 1.0 / np.sqrt(squares[i] * squares[other])
                weight += weights[pair]
                mean += weights[pair] * values[pair]
                pair += 1
        mean /= weight
        variance = 0.0
        for pair in range(n_pairs):
            variance += weights[pair] * (values[pair] - mean) ** 2
        variance /= weight
        usual = weight / n_pairs
        out[r] = -np.log(max(variance, INDISTINCT * usual * usual)) - 4.0 * np.log(scale)
