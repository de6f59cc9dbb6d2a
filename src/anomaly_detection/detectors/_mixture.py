"""Fitting a mixture of normal distributions, trimmed and regularised; rows are standardised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._covariance import precision_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTS = (1, 2, 4, 8)
"""How many components are tried."""

TRIED_ROWS = 5_000
"""Rows that the counts are tried on."""

ROUNDS = 30
"""EM stops after so many rounds at the latest."""

TOLERANCE = 1e-3
"""EM stops when a round raises the mean log density by less."""

SMALLEST_SHARE = 0.1
"""A component with a smaller share of the rows is given up, or with half of an even share if that is less."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """A fitted mixture.

    Parameters
    ----------
    means : (c, d) of the components.
    factors : (c, d, d) upper triangular factors of the components' precisions.
    log_weights : (c,) logarithms of their shares.
    """

    means: NDArray[np.float64]
    factors: NDArray[np.float64]
    log_weights: NDArray[np.float64]

    def log_densities(self, Z: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, c): each component's part of the log density of (n, d) rows, less a constant."""
        logs = np.empty((len(Z), len(self.means)))
        for k, (mean, factor) in enumerate(zip(self.means, self.factors, strict=True)):
            along = (Z - mean) @ factor
            logs[:, k] = self.log_weights[k] + np.log(np.diag(factor)).sum() - 0.5 * (along * along).sum(axis=1)
        return logs

    @property
    def n_parameters(self) -> int:
        """How many numbers were free in fitting."""
        c, d = len(self.means), len(self.means[0])
        return c * (d + d * (d + 1) // 2) + c - 1


def how_many_components(Z: NDArray[np.float64], trimmed: float, prior: float, seed: int) -> int:
    """The count with the lowest Bayesian information criterion, of the rows that are not trimmed."""
    chosen = np.random.default_rng(seed).permutation(len(Z))[:TRIED_ROWS]
    rows = Z[np.sort(chosen)]
    criteria = [_criterion(rows, count, trimmed, prior, seed) for count in COUNTS if count <= len(rows)]
    return COUNTS[int(np.argmin(criteria))]


def _criterion(Z: NDArray[np.float64], count: int, trimmed: float, prior: float, seed: int) -> float:
    mixture = fit_mixture(Z, count, trimmed, prior, seed)
    kept = _kept(_sum_of_exponentials(mixture.log_densities(Z)), trimmed)
    # the logarithm of 2 pi is in every density alike
    return float(mixture.n_parameters * np.log(len(kept)) - 2 * kept.sum())


def fit_mixture(Z: NDArray[np.float64], count: int, trimmed: float, prior: float, seed: int) -> Mixture:
    """Fit a mixture by trimmed EM.

    Parameters
    ----------
    Z : (n, d) standardised rows.
    count : components at most.
    trimmed : share of the rows that does not count.
    prior : weight, in rows, of the diagonal covariance that each component's is drawn towards.
    seed : decides where the components start.
    """
    smallest = min(SMALLEST_SHARE, 0.5 / count)
    shares = _first_shares(Z, count, seed)
    reached, left = -np.inf, 0
    for _ in range(ROUNDS):
        mixture = _maximised(Z, shares, smallest, prior, count)
        logs = mixture.log_densities(Z)
        densities = _sum_of_exponentials(logs)
        kept = _kept(densities, trimmed)
        if len(mixture.means) == left and kept.mean() - reached < TOLERANCE:
            break
        reached, left = kept.mean(), len(mixture.means)
        shares = np.exp(logs - densities[:, None])
        shares[densities < kept.min()] = 0.0
    return mixture


def _maximised(
    Z: NDArray[np.float64], shares: NDArray[np.float64], smallest: float, prior: float, count: int
) -> Mixture:
    """The mixture that the rows, each with its share in every component, make most probable."""
    d = Z.shape[1]
    rows = shares.sum(axis=0)
    large = rows >= min(smallest * rows.sum(), rows.max())
    shares, rows = shares[:, large], rows[large]
    means = shares.T @ Z / rows[:, None]
    factors = np.empty((len(rows), d, d))
    for k, mean in enumerate(means):
        gaps = (Z - mean) * np.sqrt(shares[:, k])[:, None]
        covariance = gaps.T @ gaps
        covariance[np.diag_indices(d)] += prior * count ** (-2 / d)
        factors[k] = precision_factor(covariance / (rows[k] + prior))
    return Mixture(means, factors, np.log(rows / rows.sum()))


def _sum_of_exponentials(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,): the logarithm of each row's sum of exponentials."""
    largest = logs.max(axis=1)
    summed: NDArray[np.float64] = largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1))
    return summed


def _kept(densities: NDArray[np.float64], trimmed: float) -> NDArray[np.float64]:
    """The log densities left when the lowest are trimmed."""
    cut = int(trimmed * len(densities))
    return np.partition(densities, cut)[cut:]


def _first_shares(Z: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64]:
    """(n, c): ones and zeros, from a few rounds of k-means whose centres start far apart."""
    if count == 1:
        return np.ones((len(Z), 1))
    centres = _far_apart(Z, count, np.random.default_rng(seed))
    for _ in range(5):
        member = _nearest(Z, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, member, Z)
        rows = np.bincount(member, minlength=len(centres))
        centres = np.where(rows[:, None] > 0, sums / np.maximum(rows, 1)[:, None], centres)
    shares: NDArray[np.float64] = np.eye(len(centres))[_nearest(Z, centres)]
    return shares


def _nearest(Z: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    nearest: NDArray[np.int64] = np.argmin((centres**2).sum(axis=1) - 2 * Z @ centres.T, axis=1)
    return nearest


def _far_apart(Z: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Rows drawn one after the other, each in proportion to its squared distance from those before (k-means++)."""
    chosen = [int(rng.integers(len(Z)))]
    distances = np.full(len(Z), np.inf)
    while len(chosen) < count:
        distances = np.minimum(distances, ((Z - Z[chosen[-1]]) ** 2).sum(axis=1))
        total = distances.sum()
        if total == 0:
            break
        chosen.append(int(rng.choice(len(Z), p=distances / total)))
    return Z[chosen]
