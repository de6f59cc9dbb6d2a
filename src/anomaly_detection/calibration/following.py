"""A calibrator that follows the scores of a detector that goes on learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.calibration.calibrator import Calibrator

if TYPE_CHECKING:
    from numpy.typing import NDArray

QUARTILES = (0.25, 0.5, 0.75)

MOST_RECENT = 2_000
"""So many of the latest scores say where the calibration scores lie now."""


@dataclass(frozen=True, slots=True)
class Following:
    """A fitted calibrator and the latest scores that say where its scores lie now.

    Parameters
    ----------
    fitted : the calibrator as it was fitted; never changed, so that nothing is lost while all scores are alike.
    recent : (k,) the latest scores, oldest first, at most :data:`MOST_RECENT`.
    """

    fitted: Calibrator
    recent: NDArray[np.float64]

    @classmethod
    def begin(cls, calibrator: Calibrator, seed: int) -> Following:
        """With the calibration scores as the latest, in random order, for the oldest go first."""
        return cls(calibrator, np.random.default_rng(seed).permutation(calibrator.ordered_)[:MOST_RECENT])

    def after(self, scores: NDArray[np.float64]) -> Following:
        """With these scores as the latest."""
        return Following(self.fitted, np.concatenate([self.recent, scores])[-MOST_RECENT:])

    def calibrator(self) -> Calibrator:
        """The calibrator for now; see :func:`follow`."""
        return follow(self.fitted, self.recent)


def follow(calibrator: Calibrator, recent: NDArray[np.float64]) -> Calibrator:
    """The same calibrator, moved and stretched to where recent scores lie.

    Recent scores hold anomalies, and cannot simply replace the calibration scores. With the anomalies among them, a
    burst of alarms would silence the next; without them, what was flagged last time would be missing at the top, and
    every update would lower the line. So the *shape* of the distribution stays as it was calibrated, tail included, and
    only its median and the distance of its quartiles become those of the recent scores, which anomalies hardly touch
    while they are well below a quarter of the rows. P-values then are exact for scores whose distribution moved or was
    stretched, and near enough for others.

    Parameters
    ----------
    calibrator : fitted.
    recent : (k,) the latest scores, of all rows whatever the verdict, each taken before its row was learned; k >= 1.

    Returns
    -------
    A new calibrator; without spread in either scores it is only moved.

    Examples
    --------
    >>> calibrator = Calibrator().fit(np.arange(99.0))
    >>> moved = follow(calibrator, 500.0 + 2.0 * np.arange(99.0))
    >>> moved.p_value_one(500.0 + 2.0 * 80.0) == calibrator.p_value_one(80.0)
    True
    """
    low, middle, high = np.quantile(calibrator.ordered_, QUARTILES)
    low_now, middle_now, high_now = np.quantile(recent, QUARTILES)
    stretch = (high_now - low_now) / (high - low) if high > low and high_now > low_now else 1.0
    begins, level, scale, shape = calibrator.tail_
    tail = np.array([middle_now + (begins - middle) * stretch, level, scale * stretch, shape])
    ordered = middle_now + (calibrator.ordered_ - middle) * stretch
    return Calibrator(**calibrator.parameters()).restore({"ordered_": ordered, "tail_": tail})
