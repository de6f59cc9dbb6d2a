"""Estimators that draw the alarm line on the raw scores by a rule the user names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Constraint, Range
from anomaly_detection.thresholds.base import Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HALF_TO_ALL = 2.6477
"""The deviation of a normal distribution over that of its middle half."""


class StandardDeviation(Threshold):
    """The mean and a number of standard deviations.

    Parameters
    ----------
    factor : how many standard deviations above the mean.
    lowest : the line is never below this score; None for no such floor.

    >>> StandardDeviation(factor=2).line(np.array([1.0, 3.0]))
    4.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"factor": Range(0), "lowest": Range(or_none=True)}

    def __init__(self, factor: float = 3.0, lowest: float | None = None) -> None:
        self.factor = factor
        self.lowest = lowest

    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly."""
        return _at_least(float(scores.mean() + self.factor * scores.std()), self.lowest)


class Static(Threshold):
    """A fixed raw score.

    Every algorithm has a scale of its own; a raw score is ``Result.score``, the column ``score`` of written results.

    Parameters
    ----------
    upper_limit : the line.

    >>> Static(upper_limit=5.0).line(np.array([1.0, 3.0]))
    5.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"upper_limit": Range()}

    def __init__(self, upper_limit: float = 3.0) -> None:
        self.upper_limit = upper_limit

    def line(self, scores: NDArray[np.float64]) -> float:  # noqa: ARG002 - the line is given
        """The raw score from which on a record is an anomaly."""
        return float(self.upper_limit)


class Sigmoid(Threshold):
    """Where a sigmoid of the score reaches a level.

    Parameters
    ----------
    upper_limit : the middle of the sigmoid ``1 / (1 + exp(-slope * (score - upper_limit)))``.
    slope : its steepness, above 0.
    level : in (0, 1), the height at which the line lies; at 0.5 it lies at ``upper_limit``.

    >>> Sigmoid(upper_limit=3.0, level=0.5).line(np.array([1.0, 3.0]))
    3.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "upper_limit": Range(),
        "slope": Range(0, open_low=True),
        "level": Range(0, 1, open_low=True, open_high=True),
    }

    def __init__(self, upper_limit: float = 3.0, slope: float = 5.0, level: float = 0.5) -> None:
        self.upper_limit = upper_limit
        self.slope = slope
        self.level = level

    def line(self, scores: NDArray[np.float64]) -> float:  # noqa: ARG002 - the line is given
        """The raw score from which on a record is an anomaly."""
        return float(self.upper_limit + math.log(self.level / (1.0 - self.level)) / self.slope)


class Mahalanobis(Threshold):
    """The distance from the mean that at most a given share of any distribution exceeds (Chebyshev's inequality).

    Parameters
    ----------
    most_outliers : in (0, 1), that share; the line lies ``sqrt(1 / most_outliers)`` deviations above the mean.

    >>> Mahalanobis(most_outliers=0.25).line(np.array([1.0, 3.0]))
    4.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"most_outliers": Range(0, 1, open_low=True, open_high=True)}

    def __init__(self, most_outliers: float = 0.1) -> None:
        self.most_outliers = most_outliers

    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly."""
        return float(scores.mean() + math.sqrt(1.0 / self.most_outliers) * scores.std())


class RobustMahalanobis(Threshold):
    """The same as :class:`Mahalanobis`, around the half of the scores that lie closest together.

    Mean and deviation are those of the shortest half (Rousseeuw & Leroy 1987), which up to half of the scores cannot
    drag away; the deviation is corrected so that it is right for normally distributed scores.

    Parameters
    ----------
    most_outliers : in (0, 1); see :class:`Mahalanobis`.

    >>> RobustMahalanobis().line(np.array([1.0, 2.0, 3.0, 100.0])) < 100
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"most_outliers": Range(0, 1, open_low=True, open_high=True)}

    def __init__(self, most_outliers: float = 0.1) -> None:
        self.most_outliers = most_outliers

    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly."""
        centre, deviation = shortest_half(scores)
        return float(centre + math.sqrt(1.0 / self.most_outliers) * deviation)


class MaxPercentile(Threshold):
    """A percentile of the scores.

    Parameters
    ----------
    percentile : in [0, 100].
    lowest : the line is never below this score; None for no such floor.

    >>> MaxPercentile(percentile=50).line(np.array([1.0, 2.0, 3.0]))
    2.0
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"percentile": Range(0, 100), "lowest": Range(or_none=True)}

    def __init__(self, percentile: float = 96.0, lowest: float | None = None) -> None:
        self.percentile = percentile
        self.lowest = lowest

    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly."""
        return _at_least(float(np.percentile(scores, self.percentile)), self.lowest)


def shortest_half(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Mean of the half of the scores that spans the least, and its deviation times :data:`HALF_TO_ALL`.

    Parameters
    ----------
    scores : (n,) finite, n >= 1.
    """
    ordered = np.sort(scores)
    half = len(ordered) // 2 + 1
    first = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
    closest = ordered[first : first + half]
    return float(closest.mean()), float(closest.std()) * HALF_TO_ALL


def _at_least(line: float, lowest: float | None) -> float:
    return line if lowest is None else max(line, float(lowest))
