"""What counts as an alarm for the user: a side, a least deviation, bounds of the business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.base import Choice, Range
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.detectors.series import SeriesScores

SIDES = {"rise": 1, "drop": -1, "both": 0}
"""Which side of the expected value is looked at."""

BEYOND = 0.01
"""The p-value of a value beyond a bound is at most so many times α: a critical anomaly."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What counts as an alarm.

    Parameters
    ----------
    direction : ``"rise"``, ``"drop"`` or ``"both"``.
    minimum_absolute : a value nearer to the expected one than this, in its unit, is none.
    minimum_relative : a value nearer to the expected one than this share of it is none.
    low, high : a value beyond these is one, whatever was expected; None for no bound.
    """

    direction: str = "both"
    minimum_absolute: float = 0.0
    minimum_relative: float = 0.0
    low: float | None = None
    high: float | None = None

    def check(self) -> None:
        """Refuse wishes that mean nothing.

        Raises
        ------
        ParameterError
            naming the parameter, its value and what has to hold.
        """
        rules: dict[str, Constraint] = {
            "direction": Choice(*SIDES),
            "minimum_absolute": Range(0),
            "minimum_relative": Range(0),
        }
        for name, rule in rules.items():
            if problem := rule.problem(getattr(self, name)):
                raise ParameterError(f"SeriesPipeline: parameter {name}={getattr(self, name)!r} {problem}.")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ParameterError(
                f"SeriesPipeline: bounds={(self.low, self.high)!r}: the lower bound has to be below the upper one."
            )

    def looked_at(self, scores: SeriesScores) -> NDArray[np.bool_]:
        """(n,) rows on the side that is looked at; all where the detector knows no side."""
        side = SIDES[self.direction]
        if side == 0 or scores.side is None:
            return np.ones(len(scores), dtype=np.bool_)
        wanted: NDArray[np.bool_] = scores.side == side
        return wanted

    def far_enough(self, values: NDArray[np.float64], expected: NDArray[np.float64] | None) -> NDArray[np.bool_]:
        """(n,) rows of which some value is as far from the expected one as was asked for."""
        if expected is None or (self.minimum_absolute == 0.0 and self.minimum_relative == 0.0):
            return np.ones(len(values), dtype=np.bool_)
        far: NDArray[np.bool_] = np.any(np.abs(values - expected) >= self.least(expected), axis=1)
        return far

    def least(self, expected: NDArray[np.float64]) -> NDArray[np.float64]:
        """The least deviation from each expected value that is an alarm."""
        least: NDArray[np.float64] = np.maximum(self.minimum_absolute, self.minimum_relative * np.abs(expected))
        return least

    def beyond(self, values: NDArray[np.float64]) -> NDArray[np.int8]:
        """(n, d) +1 above the upper bound, -1 below the lower one, else 0."""
        found = np.zeros(values.shape, dtype=np.int8)
        if self.high is not None:
            found[values > self.high] = 1
        if self.low is not None:
            found[values < self.low] = -1
        return found
