"""Mahalanobis distance from the bulk of the rows, with columns in their robust units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._covariance import precision_factor
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._robust import quartile_scale
from anomaly_detection.detectors._robust_distance import RobustDistance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

STEPS = 10
"""How many times the rows that count are chosen anew."""


class Mahalanobis(RobustDistance):
    """Squared distance from the mean of the most usual rows, along and across their correlations.

    Columns are measured in the unit of their quartiles, so that a column with heavy tails keeps its weight: what is far
    out in it counts. Mean and covariance are those of the rows nearest to them, chosen anew ten times, beginning with
    all rows: the concentration steps of the minimum covariance determinant. The covariance is made rounder by ``ridge``
    times its mean variance, so that directions in which the rows hardly vary do not drown the others, and so that few
    rows, equal columns and constant ones do no harm.

    :class:`~anomaly_detection.detectors.elliptic_envelope.EllipticEnvelope` is the same idea with another weighing:
    it looks for the smallest determinant and trusts thin directions more.

    Fitting takes time in proportion to ``max_rows`` and to the square of the columns: about a second for 100 columns.

    Parameters
    ----------
    support_fraction : share of the rows that mean and covariance are taken of.
    ridge : part of the mean variance that is added to the variance in every direction.
    max_rows : of more training rows than this, so many are drawn at random.
    random_state : seed of that draw.

    Attributes
    ----------
    centre_ : (d,) float64.
    precision_cholesky_ : (d, d) float64, upper triangular; times its transpose it is the inverse of the covariance.

    References
    ----------
    Mahalanobis, "On the generalised distance in statistics", Proceedings of the National Institute of Sciences of
    India 1936.
    Rousseeuw and Van Driessen, "A fast algorithm for the minimum covariance determinant estimator", Technometrics 1999.
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of Multivariate
    Analysis 2004.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=500)
    >>> rows = np.stack([x, x + np.random.default_rng(1).normal(0, 0.1, size=500)], axis=1)
    >>> along, across = Mahalanobis().fit(rows).score([[2.0, 2.0], [1.0, -1.0]])
    >>> bool(across > 3 * along)
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "support_fraction": Range(0.5, 1),
        "ridge": Range(1e-6, 1e6),
        "max_rows": Range(2, integer=True),
        "random_state": SEED,
    }

    def __init__(
        self,
        support_fraction: float = 0.75,
        ridge: float = 0.1,
        max_rows: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.support_fraction = support_fraction
        self.ridge = ridge
        self.max_rows = max_rows
        self.random_state = random_state

    def _estimate(self, X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = sampled(X, int(self.max_rows), int(self.random_state))
        center, scale = quartile_scale(rows)
        Z = (rows - center) / scale
        support = max(2, math.ceil(float(self.support_fraction) * len(Z)))
        mean, factor = _concentrated(Z, support, float(self.ridge))
        return mean * scale + center, factor / scale[:, None]


def _concentrated(
    Z: NDArray[np.float64], support: int, ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and factor of the precision of the rows that are nearest to them."""
    chosen = np.arange(len(Z))
    for _ in range(STEPS):
        mean, factor = _mean_and_factor(Z[chosen], ridge)
        along = (Z - mean) @ factor
        nearest = np.sort(np.argsort((along * along).sum(axis=1), kind="stable")[:support])
        if np.array_equal(nearest, chosen):
            break
        chosen = nearest
    return _mean_and_factor(Z[chosen], ridge)


def _mean_and_factor(Z: NDArray[np.float64], ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    mean = Z.mean(axis=0)
    covariance = np.atleast_2d(np.cov(Z - mean, rowvar=False))
    covariance[np.diag_indices(len(mean))] += ridge * (float(np.trace(covariance)) / len(mean) or 1.0)
    return mean, precision_factor(covariance)
