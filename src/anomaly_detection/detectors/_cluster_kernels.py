"""Array loops of k-means and of distances to centres; sums run in the order of rows and columns.

Centres lie column by column, (d, k), so that the compiler works on many of them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@inlined
def _squared_distances(row: NDArray[np.float32], centres: Floats, found: Floats) -> None:
    """Fill ``found`` (k,) with the squared distances of a row from (d, k) centres."""
    for c in range(centres.shape[1]):
        found[c] = 0.0
    for j in range(centres.shape[0]):
        value = np.float64(row[j])
        for c in range(centres.shape[1]):
            gap = value - centres[j, c]
            found[c] += gap * gap


@kernel
def nearest_centres(X: NDArray[np.float32], centres: Floats) -> tuple[NDArray[np.int64], Floats]:
    """(n,) the nearest of (d, k) centres, of equally near ones the first, and (n,) the squared distance from it."""
    labels, least = np.empty(X.shape[0], np.int64), np.empty(X.shape[0])
    found = np.empty(centres.shape[1])
    for i in range(X.shape[0]):
        _squared_distances(X[i], centres, found)
        labels[i] = np.argmin(found)
        least[i] = found[labels[i]]
    return labels, least


@kernel
def means(X: NDArray[np.float32], labels: NDArray[np.int64], centres: Floats) -> Floats:
    """(d, k) the mean row of each cluster; a cluster without rows keeps its centre."""
    found = np.zeros_like(centres)
    counts = np.zeros(centres.shape[1])
    for i in range(X.shape[0]):
        counts[labels[i]] += 1.0
        for j in range(X.shape[1]):
            found[j, labels[i]] += X[i, j]
    for c in range(len(counts)):
        for j in range(X.shape[1]):
            found[j, c] = found[j, c] / counts[c] if counts[c] else centres[j, c]
    return found


@kernel
def distances_to_large(X: NDArray[np.float32], centres: Floats, is_large: NDArray[np.bool_], weights: Floats) -> Floats:
    """(n,) the distance of each row from the nearest large centre, times the weight of its own cluster."""
    scores = np.empty(X.shape[0])
    found = np.empty(centres.shape[1])
    for i in range(X.shape[0]):
        _squared_distances(X[i], centres, found)
        own, least = 0, np.inf
        for c in range(len(found)):
            if found[c] < found[own]:
                own = c
            if is_large[c] and found[c] < least:
                least = found[c]
        scores[i] = np.sqrt(least) * weights[own]
    return scores
