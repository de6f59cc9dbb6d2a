"""The user's wish → α."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from anomaly_detection.base import Range, make
from anomaly_detection.entries import Catalog, Entry
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.thresholds.base import MOST, PValues, Threshold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Wish = float | str | Threshold
"""A share in (0, 0.5], ``"auto"``, the name of a threshold in :data:`THRESHOLDS`, or a threshold."""

ROOM = "anomaly_detection.thresholds"

THRESHOLDS = Catalog(
    "threshold",
    [
        Entry("auto", f"{ROOM}.separation:Separation", "1 %, or a clearly separate group", ("separation",)),
        Entry(
            "standard_deviation",
            f"{ROOM}.lines:StandardDeviation",
            "mean and a number of standard deviations",
            ("std", "std_dev"),
        ),
        Entry("static", f"{ROOM}.lines:Static", "a fixed raw score"),
        Entry("sigmoid", f"{ROOM}.lines:Sigmoid", "where a sigmoid of the score reaches a level"),
        Entry("mahalanobis", f"{ROOM}.lines:Mahalanobis", "Chebyshev's bound around mean and deviation"),
        Entry(
            "robust_mahalanobis",
            f"{ROOM}.lines:RobustMahalanobis",
            "Chebyshev's bound around the densest half of the scores",
        ),
        Entry("max_percentile", f"{ROOM}.lines:MaxPercentile", "a percentile of the scores", ("percentile",)),
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


def named(text: str) -> Threshold:
    """The threshold that is meant by a name, or by a name and its parameters.

    Raises
    ------
    UnknownNameError, ParameterError
        as :func:`~anomaly_detection.base.make` does.

    >>> named("sigmoid:upper_limit=0.7:slope=9")
    Sigmoid(upper_limit=0.7, slope=9.0, level=0.5)
    """
    return cast("Threshold", make(THRESHOLDS, text))


def choose_alpha(wish: Wish, calibrator: PValues, scores: ArrayLike) -> float:
    """Turn a wish into α.

    Parameters
    ----------
    wish : the share of normal records to flag, in (0, 0.5]; or ``"auto"`` or another name in :data:`THRESHOLDS`, as
        :func:`named` reads it; or a threshold.
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
    threshold = named(wish) if isinstance(wish, str) else wish
    if not isinstance(threshold, Threshold):
        check_contamination(threshold)
        calibrator.check_alpha(threshold)
        return float(threshold)
    threshold.validate()
    return min(MOST, threshold.alpha(calibrator, _finite(scores)))


def _finite(scores: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(scores, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        raise InputError("A threshold needs at least one finite score; got none.")
    return values
