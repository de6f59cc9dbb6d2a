"""CUSUM: small deviations that last, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._cusum_kernels import advance_sums
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

NORMAL = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""


class CUSUM(SeriesDetector):
    """A control chart of sums: a level that moved a little and stays there.

    Deviations from the median of the training rows, in robust scales, are added up in both directions, less ``slack``
    each; a sum never falls below 0 and never rises beyond ``2 * most``, so that it comes down again. The score is the
    largest sum of the channels. What is normal stays what it was in training.

    Parameters
    ----------
    slack : deviations below this, in scales, add nothing; half the shift that is looked for.
    most : a single deviation counts as at most so many scales.

    Attributes
    ----------
    frame_ : (2, d) float64, median and scale of each channel.
    sums_ : (2, d) upwards and downwards; 0 after training.

    References
    ----------
    Page: Continuous Inspection Schemes. Biometrika 41, 1954.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(size=600)
    >>> values[500:] += 1.5
    >>> score = CUSUM().fit(Series.of(values[:300])).advance(Series.of(values)[300:]).score
    >>> bool(score[:200].max() < 10 < score[230])
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ("frame_", "sums_")
    moving: ClassVar[tuple[str, ...]] = ("sums_",)
    constraints: ClassVar[Mapping[str, Constraint]] = {"slack": Range(0), "most": Range(0, open_low=True)}

    frame_: NDArray[np.float64]
    sums_: NDArray[np.float64]

    def __init__(self, slack: float = 0.5, most: float = 20.0) -> None:
        self.slack = slack
        self.most = most

    def _fit(self, series: Series) -> None:
        self.frame_ = np.column_stack([_robust(values) for values in series.values.T])
        self.sums_ = np.zeros((2, series.width))

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  nothing is learned from any row
        n, d = series.values.shape
        middle, scale = self.frame_
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = series.values - middle
            away = np.where(apart == 0.0, 0.0, apart / scale)
        score, reached, side = np.empty(n), np.empty((n, d)), np.zeros(n, np.int8)
        advance_sums(away, float(self.slack), float(self.most), self.sums_, score, reached, side)
        return SeriesScores(score, contributions=reached, side=side)

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (2, d), "frame_", "sums_")
        self._require(not np.isnan(self.frame_).any(), (self.frame_[1] >= 0.0).all(), (self.sums_ >= 0.0).all())


def _robust(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median and scale of known values; the standard deviation where more than half of them are equal."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0
    middle = float(np.median(known))
    return middle, NORMAL * float(np.median(np.abs(known - middle))) or float(known.std())
