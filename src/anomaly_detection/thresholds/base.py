"""What every estimator of an alarm line has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from anomaly_detection.base import Configurable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
