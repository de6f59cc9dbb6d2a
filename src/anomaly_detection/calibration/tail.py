"""The generalised-Pareto tail beyond the largest calibration scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BEYOND = 5
"""The tail takes over above all but this many calibration scores; the guarantee below needs no model."""

FEWEST_EXCESSES = 10
"""The tail is fitted on at least this many scores, as long as that is at most half of them."""

SAME = 1e-12
"""Scores that differ by less than this share of their size count as equal: the tail has no scale then."""


def no_tail() -> NDArray[np.float64]:
    """The ``tail_`` of a calibrator that has none."""
    return np.array([np.inf, 0.0, 1.0, 0.0])


def fit_tail(ordered: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Fit a generalised-Pareto tail to the largest scores and carry it to where the data end.

    A generalised-Pareto excess over one level is again generalised-Pareto over a higher one, with the scale grown by
    the shape times the distance, so the tail can be fitted on many scores and joined where only few remain. A tail
    with an end point is replaced by an exponential one of the same mean beyond the join. The scale is itself estimated
    from k excesses, which fattens what is to be expected of the next one: for exponential excesses it is
    generalised-Pareto with shape 1 / k exactly, so 1 / k is added to the shape.

    Parameters
    ----------
    ordered : (n,) scores, ascending.
    share : the share of the largest scores to fit on.

    Returns
    -------
    (4,) float64: join, level, scale, shape; :func:`no_tail` where the scores have no spread.
    """
    n = len(ordered)
    most = min(max(math.ceil(share * n), FEWEST_EXCESSES), max(n // 2, 1), n - 1)
    base = _below(ordered, ordered[n - 1 - most])
    with np.errstate(over="ignore", invalid="ignore"):
        excesses = ordered[ordered > base] - base
    if not len(excesses) or not np.isfinite(excesses[-1]) or excesses[-1] <= SAME * np.abs(ordered[[0, -1]]).max():
        return no_tail()
    scale, shape = weighted_moments(excesses)
    join = float(ordered[n - 1 - min(BEYOND, most)])
    beyond = ordered[ordered > join] - join
    scale += shape * (join - base)
    if shape < 0.0:
        scale = max(scale / (1.0 - shape), float(beyond.mean() if len(beyond) else excesses.mean()))
    return np.array([join, (1.0 + len(beyond)) / (1.0 + n), scale, max(shape, 0.0) + 1.0 / len(excesses)])


def _below(ordered: NDArray[np.float64], level: float) -> float:
    """The level itself, or the next lower score when nothing lies above it."""
    if level < ordered[-1]:
        return float(level)
    first = int(np.searchsorted(ordered, level, side="left"))
    return float(ordered[max(first - 1, 0)])


def weighted_moments(excesses: NDArray[np.float64]) -> tuple[float, float]:
    """Scale and shape of a generalised-Pareto distribution by probability-weighted moments (Hosking & Wallis 1987).

    Parameters
    ----------
    excesses : (k,) positive, ascending, k >= 1.

    Returns
    -------
    scale, shape : the shape is below 1; a negative one means that the excesses have an end point.
    """
    unit = excesses[-1]
    relative = excesses / unit
    k = len(relative)
    mean = relative.mean()
    weighted = (relative * (1.0 - (np.arange(1, k + 1) - 0.35) / k)).mean()
    spread = mean - 2.0 * weighted
    return float(2.0 * mean * weighted / spread * unit), float(2.0 - mean / spread)
