"""Readable twins of the kernels of densities: plain formulas, a row at a time, float64 throughout."""

from __future__ import annotations

import numpy as np


def mixture(means, factors, log_weights, rows):
    """-log sum_k w_k N(x; mean_k, precision_k), with every covariance written out."""
    scores = []
    for row in np.asarray(rows, dtype=np.float64):
        logs = []
        for mean, factor, log_weight in zip(means, factors, log_weights, strict=True):
            covariance = np.linalg.inv(factor @ factor.T)
            _, log_determinant = np.linalg.slogdet(2 * np.pi * covariance)
            gap = row - mean
            logs.append(log_weight - (log_determinant + gap @ np.linalg.solve(covariance, gap)) / 2)
        scores.append(-np.logaddexp.reduce(logs))
    return np.array(scores)


def inne(centres, rows):
    """Bandaragoda et al.: the mean over samples of 1 - (neighbour's radius / radius)**2, 1 where none covers."""
    totals = np.zeros(len(rows))
    for sample in np.asarray(centres, dtype=np.float64):
        gaps = np.sqrt(((sample[:, None] - sample[None, :]) ** 2).sum(axis=2))
        np.fill_diagonal(gaps, np.inf)
        radii, nearest = gaps.min(axis=1), gaps.argmin(axis=1)
        for i, row in enumerate(np.asarray(rows, dtype=np.float64)):
            covering = np.flatnonzero(np.sqrt(((sample - row) ** 2).sum(axis=1)) <= radii)
            if not covering.size:
                totals[i] += 1
                continue
            ball = covering[np.argmin(radii[covering])]
            totals[i] += 1 - (radii[nearest[ball]] / radii[ball]) ** 2 if radii[ball] > 0 else 0
    return totals / len(centres)


def mahalanobis(mean, factor, rows):
    """Squared distances, the covariance written out."""
    covariance = np.linalg.inv(factor @ factor.T)
    gaps = np.asarray(rows, dtype=np.float64) - mean
    return np.array([gap @ np.linalg.solve(covariance, gap) for gap in gaps])


def abod(reference, rows, k):
    """Kriegel et al.: minus the log of the weighted variance of angles between the k nearest different rows."""
    reference = np.unique(np.asarray(reference, dtype=np.float64), axis=0)
    scores = []
    for row in np.asarray(rows, dtype=np.float64):
        gaps = sorted((gap for gap in reference - row if gap.any()), key=np.linalg.norm)[:k]
        values, weights = [], []
        for i, b in enumerate(gaps):
            for c in gaps[:i]:
                values.append(b @ c / ((b @ b) * (c @ c)))
                weights.append(1 / (np.linalg.norm(b) * np.linalg.norm(c)))
        mean = np.average(values, weights=weights)
        scores.append(-np.log(np.average((np.array(values) - mean) ** 2, weights=weights)))
    return np.array(scores)


def kde(reference, bandwidths, rows):
    """-log of the mean of normal densities around the reference rows, one that equals the row left out."""
    reference = np.asarray(reference, dtype=np.float64)
    scores = []
    for row in np.asarray(rows, dtype=np.float64):
        squares = (((reference - row) / bandwidths) ** 2).sum(axis=1)
        equal = np.flatnonzero(squares == 0)
        others = np.delete(squares, equal[:1])
        logs = -others / 2 - np.log(bandwidths).sum() - len(bandwidths) / 2 * np.log(2 * np.pi)
        scores.append(np.log(len(others)) - np.logaddexp.reduce(logs))
    return np.array(scores)
