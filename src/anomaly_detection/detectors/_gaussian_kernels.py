"""Array loops of normal distributions; sums run in the order of columns, then of components.

A precision matrix is given by its factor: upper triangular ``F`` with ``F @ F.T`` the inverse of the covariance, so
that the squared Mahalanobis distance of x from m is the squared length of ``(x - m) @ F``. Rows go through
:data:`LANES` at a time, so that the compiler works on many at once and still adds up each in the order of the columns;
those left over go one by one, through the same sums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


LANES = 32
"""Rows that are worked on at a time."""


@inlined
def _squared_distance(
    X: NDArray[np.float32],
    r: int,
    means: NDArray[np.float64],
    factors: NDArray[np.float64],
    k: int,
    along: NDArray[np.float64],
) -> float:
    """Squared Mahalanobis distance of row ``r`` from component ``k``; ``along`` (d,) is overwritten."""
    d = X.shape[1]
    for j in range(d):
        along[j] = 0.0
    for i in range(d):
        gap = X[r, i] - means[k, i]
        for j in range(i, d):
            along[j] += gap * factors[k, i, j]
    total = 0.0
    for j in range(d):
        total += along[j] * along[j]
    return total


@inlined
def _squared_distances(
    X: NDArray[np.float32],
    start: int,
    means: NDArray[np.float64],
    factors: NDArray[np.float64],
    k: int,
    gaps: NDArray[np.float64],
    along: NDArray[np.float64],
    totals: NDArray[np.float64],
) -> None:
    """Fill ``totals`` with those of the rows from ``start``; ``gaps`` (d, LANES) and ``along`` are overwritten."""
    d = X.shape[1]
    for lane in range(LANES):
        totals[lane] = 0.0
        for j in range(d):
            gaps[j, lane] = X[start + lane, j] - means[k, j]
    for j in range(d):
        for lane in range(LANES):
            along[lane] = 0.0
        for i in range(j + 1):
            weight = factors[k, i, j]
            for lane in range(LANES):
                along[lane] += gaps[i, lane] * weight
        for lane in range(LANES):
            totals[lane] += along[lane] * along[lane]


@kernel
def squared_distances(
    X: NDArray[np.float32],
    means: NDArray[np.float64],
    factors: NDArray[np.float64],
    k: int,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with squared Mahalanobis distances of (m, d) rows from one component.

    Parameters
    ----------
    X : (m, d) rows.
    means : (c, d) of the components.
    factors : (c, d, d) of their precisions.
    k : which component.
    out : (m,) receives the distances.
    """
    m, d = X.shape
    whole = m - m % LANES
    if whole:
        gaps = np.empty((d, LANES))
        lanes, totals = np.empty(LANES), np.empty(LANES)
        for start in range(0, whole, LANES):
            _squared_distances(X, start, means, factors, k, gaps, lanes, totals)
            for lane in range(LANES):
                out[start + lane] = totals[lane]
    along = np.empty(d)
    for r in range(whole, m):
        out[r] = _squared_distance(X, r, means, factors, k, along)


@kernel
def negative_log_densities(
    X: NDArray[np.float32],
    means: NDArray[np.float64],
    factors: NDArray[np.float64],
    offsets: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with ``-log sum_k exp(offset_k - distance_k / 2)``, finite however far away a row is.

    Parameters
    ----------
    X : (m, d) rows.
    means : (c, d) of the components.
    factors : (c, d, d) of their precisions.
    offsets : (c,) the log of each component's weight and of its density at its mean.
    out : (m,) receives the scores.
    """
    n_components = means.shape[0]
    logs = np.empty((n_components, X.shape[0]))
    for k in range(n_components):
        squared_distances(X, means, factors, k, logs[k])
    for r in range(X.shape[0]):
        largest = -np.inf
        for k in range(n_components):
            logs[k, r] = offsets[k] - 0.5 * logs[k, r]
            largest = max(largest, logs[k, r])
        total = 0.0
        for k in range(n_components):
            total += np.exp(logs[k, r] - largest)
        out[r] = -(largest + np.log(total))
