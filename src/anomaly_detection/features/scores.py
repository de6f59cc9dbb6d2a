"""Transforms of anomaly scores: onto a bounded scale, or smoothed over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import expit

from anomaly_detection.base import Configurable, Constraint, Range
from anomaly_detection.entries import Catalog, Entry
from anomaly_detection.features.ordered import moving_average

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

SCORE_TRANSFORMS = Catalog(
    "score transform",
    [
        Entry("tanh", f"{__name__}:TanhScores", "tanh onto 0 … 10", ("tanh_norm",)),
        Entry("sigmoid", f"{__name__}:SigmoidScores", "logistic curve onto 0 … 10", ("sigmoid_norm",)),
        Entry("moving_average", f"{__name__}:SmoothScores", "exponential moving average", ("ema",)),
    ],
)


class TanhScores(Configurable):
    """``scale · tanh(score / smooth)``: scores from 0 on land between 0 and 10, small ones almost unchanged.

    >>> TanhScores().transform([0.0, 1.0, 1000.0]).round(3).tolist()
    [0.0, 0.997, 10.0]
    """

    row_wise: ClassVar[bool] = True
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "scale": Range(0, open_low=True),
        "smooth": Range(0, open_low=True),
    }

    def __init__(self, scale: float = 10.0, smooth: float = 10.0) -> None:
        self.scale = scale
        self.smooth = smooth

    def transform(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(n,) scores."""
        self.validate()
        return self.scale * np.tanh(np.asarray(scores, dtype=np.float64) / self.smooth)


class SigmoidScores(Configurable):
    """``scale / (1 + exp(-slope · (score - centre)))``: half the scale at the centre.

    >>> SigmoidScores(centre=3.0).transform([3.0, 1000.0]).tolist()
    [5.0, 10.0]
    """

    row_wise: ClassVar[bool] = True
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "scale": Range(0, open_low=True),
        "slope": Range(0, open_low=True),
        "centre": Range(),
    }

    def __init__(self, scale: float = 10.0, slope: float = 0.5, centre: float = 10.0) -> None:
        self.scale = scale
        self.slope = slope
        self.centre = centre

    def transform(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(n,) scores."""
        self.validate()
        smooth: NDArray[np.float64] = expit(self.slope * (np.asarray(scores, dtype=np.float64) - self.centre))
        return self.scale * smooth


class SmoothScores(Configurable):
    """The exponential moving average of scores in order of time; gaps stay gaps.

    >>> SmoothScores(0.0).transform([1.0, 5.0]).tolist()
    [1.0, 5.0]
    """

    row_wise: ClassVar[bool] = False
    constraints: ClassVar[Mapping[str, Constraint]] = {"memory": Range(0, 1, open_high=True)}

    def __init__(self, memory: float = 0.5) -> None:
        self.memory = memory

    def transform(self, scores: ArrayLike) -> NDArray[np.float64]:
        """(n,) scores."""
        self.validate()
        return moving_average(np.asarray(scores, dtype=np.float64), self.memory)
