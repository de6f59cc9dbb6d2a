"""The alarm line that needs no number from the user."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Constraint, Range
from anomaly_detection.thresholds.base import MOST, PValues, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CLEAR = 1.1
"""A group begins at least this many times as far above the lower quartile as the rest ends."""

FEWEST_GAPS = 20
"""A gap is compared with at least this many below it."""

GAPS_PER_SCORE = 3
"""A gap is compared with this many gaps below it for each score above it."""


class Separation(Threshold):
    """``"auto"``: one normal record in a hundred, or a clearly separate group of high scores if there is one.

    On clean scores the line is their 99 % quantile. When up to ``most`` of the scores form a group of their own, the
    line is the lowest score of that group.

    A group is separate when the gap below it is too wide to be part of the tail of the rest. Measure each score by
    the logarithm of its distance above the lower quartile. In a tail that falls like a power of that distance, the
    gaps between neighbours, each times the number of scores above it, are independent draws from one exponential
    distribution (Sukhatme 1937, Rényi 1953; the ground of Hill's estimator, 1975). In every lighter tail (exponential,
    normal, lognormal, bounded) they shrink towards the top. So a gap many times the usual gap below it does not belong
    to the tail, however heavy, and no scale or shape has to be assumed. The usual gap is the median of w gaps divided
    by ln 2, which the group's own weight hardly moves. A ratio x to a mean of v exponential gaps is exceeded with
    probability ``(1 + x / v) ** -v``; the median of w knows as much as a mean of ``v = w ln(2) ** 2``. The widest gap
    counts if that probability, times the number of gaps looked at, is below ``error``, and if the group begins a tenth
    farther out than the rest ends. The latter keeps the grid of rounded or discrete scores from looking like gaps;
    tied scores also share the gap above them evenly.

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
        values, above, steps, gaps = _gaps(scores)
        looked_at = (above >= self.share * len(scores)) & (above <= self.most * len(scores))
        wide = np.flatnonzero(looked_at & (steps >= math.log(CLEAR)))
        if not len(wide):
            return None
        doubts = np.array([_doubt(gaps, above, int(i)) for i in wide])
        best = int(np.argmin(doubts))
        if doubts[best] + math.log(np.count_nonzero(looked_at)) >= math.log(self.error):
            return None
        return float(values[wide[best] + 1])


def _gaps(
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Distinct scores above the median; for each, how many lie above it, the gap to the next, and that normalised."""
    values, counts = np.unique(scores, return_counts=True)
    low, middle = np.percentile(scores, [25.0, 50.0])
    upper = values > middle
    values, counts = values[upper], counts[upper]
    above = (counts.sum() - counts.cumsum()).astype(np.int64)
    steps = np.diff(np.log(values - low), append=0.0)[: len(values)]
    return values, above, steps, steps * above / counts


def _doubt(gaps: NDArray[np.float64], above: NDArray[np.int64], i: int) -> float:
    """The logarithm of the probability that gap i is as wide as it is, given those below it."""
    below = gaps[:i][-max(FEWEST_GAPS, GAPS_PER_SCORE * int(above[i])) :]
    usual = float(np.median(below)) / math.log(2.0) if len(below) >= FEWEST_GAPS else 0.0
    if not usual > 0.0:
        return 0.0
    weight = len(below) * math.log(2.0) ** 2
    return -weight * math.log1p(float(gaps[i]) / usual / weight)
