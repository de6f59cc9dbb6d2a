"""Two samples held against each other: how far apart, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike, NDArray

BINS = 10
FLOOR = 1e-4
"""A bin without rows counts as having this share, so that a stability index is finite."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How two samples differ.

    Parameters
    ----------
    test : its name.
    effect : how large the difference is, 0 where there is none.
    p_value : how probable so large a difference is by chance; None where the test does not say.
    small, large : effects from which on a difference is worth a look, and is a large one.
    """

    test: str
    effect: float
    p_value: float | None
    small: float
    large: float

    @property
    def size(self) -> str:
        """``"none"``, ``"small"`` or ``"large"``, by the effect alone: with many rows any difference is significant."""
        return "large" if self.effect >= self.large else "small" if self.effect >= self.small else "none"


def kolmogorov_smirnov(before: ArrayLike, after: ArrayLike) -> Difference:
    """The largest distance of the two distribution functions, in [0, 1].

    >>> kolmogorov_smirnov(np.arange(100), np.arange(100) + 50).effect
    0.5
    """
    first, second = _numbers(before), _numbers(after)
    from scipy import stats  # noqa: PLC0415 - heavy, and seldom needed

    found = stats.ks_2samp(first, second, method="asymp")
    return Difference("Kolmogorov-Smirnov", float(found.statistic), float(found.pvalue), 0.1, 0.25)


def wasserstein(before: ArrayLike, after: ArrayLike) -> Difference:
    """How far values have to be moved on average, in scales of the first sample (half its middle 68 %).

    >>> round(wasserstein(np.arange(100.0), np.arange(100.0) + 34).effect, 2)
    1.01
    """
    first, second = _numbers(before), _numbers(after)
    low, high = np.quantile(first, [0.16, 0.84])
    from scipy import stats  # noqa: PLC0415 - heavy, and seldom needed

    moved = float(stats.wasserstein_distance(first, second))
    scale = float(high - low) / 2 or float(first.std()) or float(np.abs(first).max()) or 1.0
    return Difference("Wasserstein", moved / scale, None, 0.1, 0.5)


def population_stability(before: ArrayLike, after: ArrayLike, bins: int = BINS) -> Difference:
    """The population stability index over bins that hold equal shares of the first sample.

    >>> population_stability(np.arange(1000), np.arange(1000)).effect
    0.0
    """
    first, second = _numbers(before), _numbers(after)
    edges = np.unique(np.quantile(first, np.linspace(0, 1, bins + 1)[1:-1]))
    shares = [np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) / len(x) for x in (first, second)]
    return Difference("population stability", _stability(*shares), None, 0.1, 0.25)


def chi_square(before: Sequence[Hashable], after: Sequence[Hashable]) -> Difference:
    """Pearson's test on how often each category comes; the effect is Cramér's V, in [0, 1].

    >>> chi_square(["a", "b"] * 50, ["a"] * 100).effect.__round__(2)
    0.58
    """
    first, second = Counter(before), Counter(after)
    if not first or not second:
        raise InputError(f"Two samples are compared; got {len(before)} and {len(after)} values.")
    names = sorted(first.keys() | second.keys(), key=repr)
    if len(names) == 1:
        return Difference("chi-square", 0.0, 1.0, 0.1, 0.3)
    table = np.array([[each[name] for name in names] for each in (first, second)], dtype=np.float64)
    from scipy import stats  # noqa: PLC0415 - heavy, and seldom needed

    found = stats.chi2_contingency(table, correction=False)
    effect = float(np.sqrt(found.statistic / table.sum()))
    return Difference("chi-square", effect, float(found.pvalue), 0.1, 0.3)


def _stability(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    first, second = np.maximum(first, FLOOR), np.maximum(second, FLOOR)
    return float(np.sum((second - first) * np.log(second / first)))


def _numbers(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        raise InputError("Two samples are compared, and one of them has no values.")
    return numbers
