"""Row-wise transforms that bend: log, power, tanh, percentile."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import boxcox1p, inv_boxcox1p

from anomaly_detection.base import Constraint, Range
from anomaly_detection.features.scaling import Transform, present_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Log(Transform):
    """The logarithm of one plus the magnitude, with the sign kept: defined everywhere, 0 stays 0.

    >>> Log().fit([[0.0]]).transform([[0.0], [np.e - 1], [1 - np.e]]).round(6).tolist()
    [[0.0], [1.0], [-1.0]]
    """

    def _fit(self, X: NDArray[np.float64]) -> None:
        pass

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.copysign(np.log1p(np.abs(X)), X)

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.copysign(np.expm1(np.abs(X)), X)


class Power(Transform):
    """The Yeo-Johnson power that makes training values most like a normal sample, then mean 0 and deviation 1.

    The power of each feature maximises the likelihood. It lies between 0 and 2, where every value can be undone.
    Values are brought to a median of 0 and an interquartile range of 1 first, so that the unit does not matter.

    References
    ----------
    Yeo and Johnson (2000), "A new family of power transformations to improve normality or symmetry", Biometrika 87.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [4.0], [8.0], [100.0]])
    >>> power = Power().fit(X)
    >>> power.inverse_transform(power.transform(X)).round(6).ravel().tolist()
    [1.0, 2.0, 4.0, 8.0, 100.0]
    """

    learned = ("powers_", "middles_", "spreads_", "means_", "deviations_")

    powers_: NDArray[np.float64]
    middles_: NDArray[np.float64]
    spreads_: NDArray[np.float64]
    means_: NDArray[np.float64]
    deviations_: NDArray[np.float64]

    def _fit(self, X: NDArray[np.float64]) -> None:
        learned = np.array([_learn_power(present) for present in present_columns(X)])
        self.powers_, self.middles_, self.spreads_, self.means_, self.deviations_ = learned.T

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        bent = yeo_johnson((X - self.middles_) / self.spreads_, self.powers_)
        return (bent - self.means_) / self.deviations_

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        bent = X * self.deviations_ + self.means_
        straight = np.copysign(inv_boxcox1p(np.abs(bent), np.where(bent < 0, 2 - self.powers_, self.powers_)), bent)
        unbent: NDArray[np.float64] = straight * self.spreads_ + self.middles_
        return unbent


def yeo_johnson(x: NDArray[np.float64], power: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The Yeo-Johnson transform; power 1 leaves values as they are.

    >>> yeo_johnson(np.array([-3.0, 0.0, 3.0]), 1.0).tolist()
    [-3.0, 0.0, 3.0]
    """
    bent: NDArray[np.float64] = np.copysign(boxcox1p(np.abs(x), np.where(x < 0, 2.0 - power, power)), x)
    return bent


def _learn_power(present: NDArray[np.float64]) -> tuple[float, float, float, float, float]:
    from scipy.optimize import minimize_scalar  # noqa: PLC0415

    if not len(present) or np.ptp(present) == 0:
        return 1.0, float(present[0]) if len(present) else 0.0, 1.0, 0.0, 1.0
    low, middle, high = np.quantile(present, [0.25, 0.5, 0.75]).tolist()
    spread = (high - low) or float(present.std())
    z = (present - middle) / spread
    slope = float(np.sum(np.copysign(np.log1p(np.abs(z)), z))) / len(z)

    def misfit(power: float) -> float:
        return 0.5 * float(np.log(yeo_johnson(z, power).var())) - (power - 1.0) * slope

    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        power = float(minimize_scalar(misfit, bounds=(0.0, 2.0), method="bounded").x)
    bent = yeo_johnson(z, power)
    return power, middle, spread, float(bent.mean()), float(bent.std()) or 1.0


class Tanh(Transform):
    """The tanh estimator: ``0.5 · (tanh(coefficient · z) + 1)`` of the standardised value, between 0 and 1.

    Parameters
    ----------
    coefficient : how steep it is at the mean.

    References
    ----------
    Jain, Nandakumar and Ross (2005), "Score normalization in multimodal biometric systems", Pattern Recognition 38.

    Examples
    --------
    >>> Tanh().fit([[1.0], [3.0]]).transform([[2.0]]).tolist()
    [[0.5]]
    """

    learned = ("means_", "deviations_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"coefficient": Range(0, open_low=True)}

    means_: NDArray[np.float64]
    deviations_: NDArray[np.float64]

    def __init__(self, coefficient: float = 0.2) -> None:
        self.coefficient = coefficient

    def _fit(self, X: NDArray[np.float64]) -> None:
        columns = present_columns(X)
        self.means_ = np.array([present.mean() if len(present) else 0.0 for present in columns])
        self.deviations_ = np.array([(present.std() if len(present) else 0.0) or 1.0 for present in columns])

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return 0.5 * (np.tanh(self.coefficient * (X - self.means_) / self.deviations_) + 1.0)

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.arctanh(2.0 * X - 1.0) / self.coefficient * self.deviations_ + self.means_


class Percentile(Transform):
    """The share of training values below, those equal counted half; straight lines between.

    Parameters
    ----------
    points : how many values are remembered for each feature.

    Examples
    --------
    >>> Percentile().fit([[1.0], [2.0], [3.0], [4.0]]).transform([[0.0], [2.0], [2.5]]).tolist()
    [[0.125], [0.375], [0.5]]
    """

    learned = ("values_", "shares_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"points": Range(2, integer=True)}

    values_: NDArray[np.float64]
    shares_: NDArray[np.float64]

    def __init__(self, points: int = 1000) -> None:
        self.points = points

    def _fit(self, X: NDArray[np.float64]) -> None:
        pairs = [self._learn(present) for present in present_columns(X)]
        longest = max((len(values) for values, _ in pairs), default=0)
        self.values_ = np.stack([_padded(values, longest) for values, _ in pairs], axis=1)
        self.shares_ = np.stack([_padded(shares, longest) for _, shares in pairs], axis=1)

    def _learn(self, present: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not len(present):
            return np.array([0.0]), np.array([0.5])
        values, counts = np.unique(present, return_counts=True)
        shares = (np.cumsum(counts) - 0.5 * counts) / len(present)
        kept = np.unique(np.searchsorted(shares, np.linspace(shares[0], shares[-1], min(self.points, len(values)))))
        return values[kept], shares[kept]

    def _transform(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return _interpolated(X, self.values_, self.shares_)

    def _inverse(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return _interpolated(X, self.shares_, self.values_)


def _padded(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    return np.pad(values, (0, length - len(values)), mode="edge")


def _interpolated(X: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty_like(X)
    for j in range(X.shape[1]):
        found[:, j] = np.interp(X[:, j], x[:, j], y[:, j])
    found[np.isnan(X)] = np.nan
    return found
