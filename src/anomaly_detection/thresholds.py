"""The alarm line: what the user wishes → α, the p-value at and below which a record is an anomaly.

A wish is a share of false alarms (``contamination``), ``"auto"``, or an estimator that draws a line on the raw scores;
the p-value at that line is α, so that every verdict follows from p and α alone.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from anomaly_detection.base import Configurable, Constraint, Range
from anomaly_detection.catalog import Catalog, Entry
from anomaly_detection.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

MOST = 0.5
"""No line flags more than half of the normal records."""


class PValues(Protocol):
    """What a line needs of a calibrator."""

    def p_value_one(self, score: float) -> float:
        """The p-value of a raw score."""

    def check_alpha(self, alpha: float) -> None:
        """Refuse an alpha that the calibration sample cannot resolve."""


class Threshold(Configurable, ABC):
    """The base of every estimator of an alarm line on raw scores."""

    @abstractmethod
    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly.

        Parameters
        ----------
        scores : (n,) finite calibration scores, n >= 1; higher is more anomalous.
        """

    def alpha(self, calibrator: PValues, scores: NDArray[np.float64]) -> float:
        """The p-value at the line."""
        return calibrator.p_value_one(self.line(scores))


Wish = float | str | Threshold
"""A share in (0, 0.5], ``"auto"``, the name of a threshold in :data:`THRESHOLDS`, or a threshold."""


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

    Mean and deviation are the minimum covariance determinant estimates (Rousseeuw 1984): those of the half sample of
    least variance, the deviation corrected so that it is right for normally distributed scores.

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
        centre, deviation = least_variance_half(scores)
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


class Separation(Threshold):
    """``"auto"``: one normal record in a hundred, or a clearly separate group of high scores if there is one.

    On clean scores the line is their 99 % quantile. When up to ``most`` of the scores form a group of their own, the
    line is the lowest score of that group.

    A group is separate when the gap below it is too wide to be the tail of the rest. Measure each score by the
    logarithm of its distance above the median. In a tail that falls like a power of that distance, the gaps between
    neighbours, each times the number of scores above it, are independent draws from one exponential distribution
    (Sukhatme 1937, Rényi 1953; the ground of Hill's estimator, 1975). In every lighter tail (exponential, normal,
    lognormal, bounded) they shrink towards the top. So a gap many times the mean of those below it does not belong to
    the tail, however heavy, and no scale or shape has to be assumed. With a mean over w gaps the ratio x is exceeded
    with probability ``(1 + x / w) ** -w``; the widest gap counts if that, times the number of gaps looked at, is below
    ``error``. Tied scores share the gap above them evenly, so discrete scores make no group by themselves.

    Parameters
    ----------
    share : in (0, 0.5], the share flagged where there is no group, and the smallest share that counts as one.
    most : in (0, 0.5], the largest share that counts as a group.
    error : in (0, 1), the probability of seeing a group in a power-law tail.

    >>> body, group = np.linspace(0, 1, 950), np.linspace(5, 6, 50)
    >>> Separation().line(np.concatenate([body, group])), round(Separation().line(body), 2)
    (5.0, 0.99)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "share": Range(0, MOST, open_low=True),
        "most": Range(0, MOST, open_low=True),
        "error": Range(0, 1, open_low=True, open_high=True),
    }

    def __init__(self, share: float = 0.01, most: float = 0.2, error: float = 1e-3) -> None:
        self.share = share
        self.most = most
        self.error = error

    def line(self, scores: NDArray[np.float64]) -> float:
        """The raw score from which on a record is an anomaly."""
        group = self.group(scores)
        return float(np.quantile(scores, 1.0 - self.share)) if group is None else group

    def alpha(self, calibrator: PValues, scores: NDArray[np.float64]) -> float:
        """``share``, or the p-value at which the separate group begins; never below what the sample resolves."""
        group = self.group(scores)
        return max(self.share, calibrator.p_value_one(math.inf if group is None else group))

    def group(self, scores: NDArray[np.float64]) -> float | None:
        """The lowest score of the separate group, or None."""
        values, above, gaps = _normalised_gaps(scores)
        looked_at = np.flatnonzero((above >= self.share * len(scores)) & (above <= self.most * len(scores)))
        if not len(looked_at):
            return None
        doubts = np.array([_doubt(gaps, above, int(i)) for i in looked_at])
        best = int(np.argmin(doubts))
        if doubts[best] + math.log(len(looked_at)) >= math.log(self.error):
            return None
        return float(values[looked_at[best] + 1])


THRESHOLDS = Catalog(
    "threshold",
    [
        Entry("auto", f"{__name__}:Separation", "1 %, or a clearly separate group of high scores", ("separation",)),
        Entry(
            "standard_deviation",
            f"{__name__}:StandardDeviation",
            "mean and a number of standard deviations",
            ("std", "std_dev"),
        ),
        Entry("static", f"{__name__}:Static", "a fixed raw score"),
        Entry("sigmoid", f"{__name__}:Sigmoid", "where a sigmoid of the score reaches a level"),
        Entry("mahalanobis", f"{__name__}:Mahalanobis", "Chebyshev's bound around mean and deviation"),
        Entry(
            "robust_mahalanobis",
            f"{__name__}:RobustMahalanobis",
            "Chebyshev's bound around the densest half of the scores",
        ),
        Entry("max_percentile", f"{__name__}:MaxPercentile", "a percentile of the scores", ("percentile",)),
    ],
    group="anomaly_detection.thresholds",
)


def check_contamination(contamination: float) -> None:
    """Refuse a share that is not in (0, 0.5].

    Raises
    ------
    ParameterError
        naming the value.
    """
    if problem := Range(0, MOST, open_low=True).problem(contamination):
        raise ParameterError(
            f"contamination={contamination!r} {problem}; 0.01 flags about one normal record in a hundred. "
            'Leave it out, or give "auto", to have the line chosen from the data.'
        )


def choose_alpha(wish: Wish, calibrator: PValues, scores: ArrayLike) -> float:
    """Turn a wish into α.

    Parameters
    ----------
    wish : the share of normal records to flag, in (0, 0.5]; or ``"auto"`` or another name in :data:`THRESHOLDS`; or a
        threshold with parameters of its own.
    calibrator : fitted on ``scores``.
    scores : (n,) the calibration scores.

    Returns
    -------
    α in (0, 0.5]. For a threshold, the p-value at its line: scores at the line or above are flagged, to the
    resolution of the calibration sample.

    Raises
    ------
    ParameterError
        for a share out of range, or one that the calibration sample cannot resolve.
    UnknownNameError
        for a name that is not a threshold.
    """
    threshold = THRESHOLDS.load(wish)() if isinstance(wish, str) else wish
    if not isinstance(threshold, Threshold):
        check_contamination(threshold)
        calibrator.check_alpha(threshold)
        return float(threshold)
    threshold.validate()
    return min(MOST, threshold.alpha(calibrator, _finite(scores)))


def benjamini_hochberg(p: ArrayLike, q: float) -> tuple[NDArray[np.bool_], float]:
    """Flag records of a batch such that at most a share ``q`` of the flags is false, on average.

    Benjamini & Hochberg (1995); valid for the positively dependent p-values of one calibration sample (Bates, Candès,
    Lei, Romano & Sesia 2023).

    Parameters
    ----------
    p : (n,) p-values of the whole batch.
    q : in (0, 1), the share of false flags to allow.

    Returns
    -------
    flags : (n,) bool.
    alpha : the line these flags amount to: ``flags == (p <= alpha)``.

    Raises
    ------
    ParameterError
        if ``q`` is out of range.

    >>> benjamini_hochberg([0.01, 0.02, 0.9, 0.5], q=0.1)
    (array([ True,  True, False, False]), 0.05)
    """
    if problem := Range(0, 1, open_low=True, open_high=True).problem(q):
        raise ParameterError(f"q={q!r} {problem}.")
    values = np.asarray(p, dtype=np.float64)
    lines = q * np.arange(1, len(values) + 1) / max(len(values), 1)
    met = np.flatnonzero(np.sort(values) <= lines)
    alpha = float(lines[met[-1] if len(met) else 0]) if len(lines) else q
    return values <= alpha, alpha


def least_variance_half(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and corrected deviation of the half sample of least variance, exact in one dimension.

    Parameters
    ----------
    scores : (n,) finite, n >= 1.
    """
    ordered = np.sort(scores) - np.median(scores)
    half = len(ordered) // 2 + 1
    windows = np.lib.stride_tricks.sliding_window_view(ordered, half)
    sums = np.concatenate([[0.0], ordered.cumsum()])
    squares = np.concatenate([[0.0], (ordered**2).cumsum()])
    variance = (squares[half:] - squares[:-half]) / half - ((sums[half:] - sums[:-half]) / half) ** 2
    best = windows[int(np.argmin(variance))]
    return float(best.mean() + np.median(scores)), float(best.std()) * HALF_TO_ALL


HALF_TO_ALL = 2.6477
"""The deviation of a normal distribution over that of its middle half."""


def _at_least(line: float, lowest: float | None) -> float:
    return line if lowest is None else max(line, float(lowest))


def _finite(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError("A threshold needs at least one finite score; got none.")
    return values


def _normalised_gaps(
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Distinct scores above the median, how many scores lie above each, and the normalised gap above each."""
    values, counts = np.unique(scores, return_counts=True)
    middle = np.median(scores)
    upper = values > middle
    values, counts = values[upper], counts[upper]
    above = counts.sum() - counts.cumsum()
    gaps = np.diff(np.log(values - middle), append=0.0)[: len(values)] * above / counts
    return values, above.astype(np.int64), gaps


def _doubt(gaps: NDArray[np.float64], above: NDArray[np.int64], i: int) -> float:
    """The logarithm of the probability that gap i is as wide as it is, given those just below it."""
    below = gaps[:i][-max(FEWEST_GAPS, int(above[i])) :]
    if len(below) < FEWEST_GAPS or not below.mean() > 0.0:
        return 0.0
    return -len(below) * math.log1p(float(gaps[i] / below.mean()) / len(below))


FEWEST_GAPS = 20
"""A gap is compared with at least this many below it."""
