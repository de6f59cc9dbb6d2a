"""Array loops of LODA: rows projected onto sparse random directions, and what each projection's histogram says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._hyperplane_fit_kernels import projected
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BEYOND, BINS = 0, 1
"""Where in a projection's stretch of ``levels`` the surprise of a value beyond and those of its bins are."""


@kernel
def project_all(X: NDArray[np.float32], columns: NDArray[np.int32], weights: Floats) -> tuple[Floats, float, float]:
    """(n,) the projections of the rows onto one direction, the smallest and the largest."""
    values = np.empty(X.shape[0])
    low, high = np.inf, -np.inf
    for i in range(X.shape[0]):
        values[i] = projected(X[i], columns, weights)
        low, high = min(low, values[i]), max(high, values[i])
    return values, low, high


@kernel
def count_cells(values: Floats, low: float, high: float, n_cells: int) -> NDArray[np.int64]:
    """(n_cells,) how many values lie in each of the equal cells between the smallest and the largest."""
    counts = np.zeros(n_cells, np.int64)
    width = (high - low) / n_cells
    for value in values:
        counts[min(int((value - low) / width), n_cells - 1)] += 1
    return counts


@kernel
def surprises(
    X: NDArray[np.float32],
    columns: NDArray[np.int32],
    weights: Floats,
    lows: Floats,
    highs: Floats,
    widths: Floats,
    reaches: Floats,
    levels: Floats,
    stretches: NDArray[np.int64],
) -> Floats:
    """(n,) the mean surprise of each row's projections.

    Parameters
    ----------
    X : (n, d) rows.
    columns, weights : (m, k) the directions.
    lows, highs, widths, reaches : (m,) each histogram's ends, the width of its bins, and the unit beyond.
    levels, stretches : the surprises of each projection, and where they begin: see :data:`BEYOND`.
    """
    scores = np.empty(X.shape[0])
    for i in range(X.shape[0]):
        total = 0.0
        for j in range(len(columns)):
            value = projected(X[i], columns[j], weights[j])
            first = stretches[j]
            if lows[j] <= value <= highs[j]:
                last_bin = stretches[j + 1] - first - BINS - 1
                total += levels[first + BINS + min(int((value - lows[j]) / widths[j]), last_bin)]
            else:
                total += levels[first + BEYOND] + math.log1p(max(lows[j] - value, value - highs[j]) / reaches[j])
        scores[i] = total / len(columns)
    return scores
