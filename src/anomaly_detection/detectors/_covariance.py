"""Centre and covariance of the rows whose covariance has the smallest determinant; rows are standardised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaincinv, ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

STEPS = 30
"""Concentration steps stop after so many at the latest."""

SMALLEST_SPREAD = 0.03
"""The least spread of an axis in a first guess, in the spread of the widest."""

WITHIN = 0.975
"""The quantile of the expected distances within which rows count in the end."""


def smallest_determinant(
    Z: NDArray[np.float64], support: int, prior: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The robust mean and the factor of the robust precision.

    Parameters
    ----------
    Z : (n, d) standardised rows.
    support : how many rows the determinant is taken of.
    prior : weight, in rows, of the identity that covariances are drawn towards.
    """
    found = [_concentrated(Z, guess, support, prior) for guess in _first_guesses(Z)]
    _, mean, factor = max(found, key=lambda one: one[0])
    distances = _distances(Z, mean, factor)
    d = Z.shape[1]
    # as many rows as a normal distribution has within its median distance make the unit
    unit = float(np.median(distances)) / _quantile(0.5, d)
    within = distances <= unit * _quantile(WITHIN, d)
    return _mean_and_factor(Z[within], prior)


def precision_factor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper triangular factor whose product with its transpose is the inverse of a (d, d) covariance."""
    lower = np.linalg.cholesky(covariance)
    factor: NDArray[np.float64] = solve_triangular(lower, np.eye(len(lower)), lower=True).T
    return np.ascontiguousarray(factor)


def _concentrated(
    Z: NDArray[np.float64], guess: NDArray[np.float64], support: int, prior: float
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Log determinant of the precision, mean and factor, when the rows nearest to a mean are those it is the mean of.

    A step never makes the determinant of the covariance larger, so the steps come to an end.
    """
    distances, reached = guess, -np.inf
    for _ in range(STEPS):
        nearest = np.argpartition(distances, support - 1)[:support]
        mean, factor = _mean_and_factor(Z[nearest], prior)
        determinant = float(np.log(np.diag(factor)).sum())
        if determinant - reached < 1e-9 * len(mean):
            break
        reached, distances = determinant, _distances(Z, mean, factor)
    return determinant, mean, factor


def _mean_and_factor(Z: NDArray[np.float64], prior: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = Z.mean(axis=0)
    gaps = Z - mean
    covariance = gaps.T @ gaps
    covariance[np.diag_indices(len(mean))] += prior
    return mean, precision_factor(covariance / (len(Z) + prior))


def _distances(Z: NDArray[np.float64], mean: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) squared Mahalanobis distances."""
    along = (Z - mean) @ factor
    squared: NDArray[np.float64] = (along * along).sum(axis=1)
    return squared


def _quantile(share: float, d: int) -> float:
    """Quantile of the squared distance of normal rows (chi-squared with d degrees of freedom)."""
    return float(2 * gammaincinv(d / 2, share))


def _first_guesses(Z: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Distances from the medians, in three correlation matrices that a minority of wild rows hardly moves.

    Those of columns bent so that nothing is far out, of normal scores of the ranks, and of the directions of the rows.
    """
    centred = Z - np.median(Z, axis=0)
    ranks = np.argsort(np.argsort(Z, axis=0, kind="stable"), axis=0, kind="stable")
    lengths = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
    for bent in (
        np.tanh(centred),
        ndtri((ranks + 0.5) / len(Z)),
        centred / np.where(lengths > 0, lengths, 1.0),
    ):
        yield _in_axes_of(bent, centred)


def _in_axes_of(bent: NDArray[np.float64], centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) squared distances, each axis of ``bent`` in the robust spread of the rows along it."""
    _, axes = np.linalg.eigh(bent.T @ bent)
    along = centred @ axes
    spread = np.median(np.abs(along), axis=0)
    spread = np.maximum(spread, SMALLEST_SPREAD * (float(spread.max()) or 1.0))
    squared: NDArray[np.float64] = ((along / spread) ** 2).sum(axis=1)
    return squared
