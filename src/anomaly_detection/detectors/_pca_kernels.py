"""Array loops of scoring along principal axes; sums run in the order of columns, then of axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def distances_along_axes(
    X: NDArray[np.float32],
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
    axes: NDArray[np.float64],
    by_column: NDArray[np.float64],
    variances: NDArray[np.float64],
    residual_variance: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` with squared distances from the centre, each axis in its own variance.

    Parameters
    ----------
    X : (m, d) rows.
    centre, spread : (d,) what makes a column standard.
    axes : (a, d) unit vectors.
    by_column : (d, a) the same, transposed and contiguous.
    variances : (a,) of the axes.
    residual_variance : of whatever the axes leave over, per direction; infinite when they leave nothing over.
    out : (m,) receives the scores.
    """
    d, a = by_column.shape
    row = np.empty(d)
    projections = np.empty(a)
    for r in range(X.shape[0]):
        for i in range(a):
            projections[i] = 0.0
        for j in range(d):
            value = (X[r, j] - centre[j]) / spread[j]
            row[j] = value
            for i in range(a):
                projections[i] += value * by_column[j, i]
        score = 0.0
        for i in range(a):
            score += projections[i] * projections[i] / variances[i]
        if residual_variance < np.inf:
            for i in range(a):
                for j in range(d):
                    row[j] -= projections[i] * axes[i, j]
            left = 0.0
            for j in range(d):
                left += row[j] * row[j]
            score += left / residual_variance
        out[r] = score
