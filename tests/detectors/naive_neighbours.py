"""Readable twins of the neighbour and principal-axis kernels: plain loops and NumPy, float64 throughout."""

from __future__ import annotations

import numpy as np


def nearest(reference, row, k, skip=-1):
    """The k smallest distances of one row from the reference, and the positions they belong to."""
    pairs = [
        (float(np.sqrt(((np.float64(1) * other - row) ** 2).sum())), position)
        for position, other in enumerate(np.asarray(reference, dtype=np.float64))
        if position != skip
    ]
    found = sorted(pairs)[:k]
    return [distance for distance, _ in found], [position for _, position in found]


def nearest_others(reference, row, k):
    """The same without one reference row that equals the row."""
    distances, positions = nearest(reference, row, k + 1)
    first = 1 if distances[0] == 0 else 0
    return distances[first : first + k], positions[first : first + k]


def knn(reference, rows, k, method="largest"):
    reduce = {"largest": max, "mean": np.mean, "median": np.median}[method]
    return np.array([reduce(nearest_others(reference, row, k)[0]) for row in np.asarray(rows, dtype=np.float64)])


def lof(reference, rows, k, shortest=0.01):
    """Breunig et al., novelty scores, no mean reachability distance below ``shortest`` of the median positive one."""
    reference = np.asarray(reference, dtype=np.float64)
    around = [nearest(reference, row, k, skip=position) for position, row in enumerate(reference)]
    k_distance = np.array([distances[-1] for distances, _ in around])

    def reach(distances, positions):
        return np.mean([max(d, k_distance[p]) for d, p in zip(distances, positions, strict=True)])

    own = np.array([reach(*pair) for pair in around])
    floor = shortest * np.median(own[own > 0]) if (own > 0).any() else 1.0
    own = np.maximum(own, floor)
    scores = []
    for row in np.asarray(rows, dtype=np.float64):
        distances, positions = nearest_others(reference, row, k)
        scores.append(np.mean([max(reach(distances, positions), floor) / own[p] for p in positions]))
    return np.array(scores)


def mahalanobis(train, rows):
    """Squared Mahalanobis distances from the mean, by the inverse of the covariance."""
    train = np.asarray(train, dtype=np.float64)
    inverse = np.linalg.inv(np.cov(train.T, bias=True).reshape(train.shape[1], -1))
    return np.array([(row - train.mean(axis=0)) @ inverse @ (row - train.mean(axis=0)) for row in rows])
