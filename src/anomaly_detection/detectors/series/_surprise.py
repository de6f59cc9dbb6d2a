"""How surprising a distance is: -ln p by an exponential tail put to the distances of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.detectors.series.base import SeriesScores

USUAL = 0.95
"""The tail begins at this quantile; its surprise is 3."""

NARROWEST = 0.05
"""The tail has at least this share of that quantile as its scale."""

FAR = 0.99
"""A distance at this quantile is far; distances and scores at it are worth the same."""

UNUSED = np.zeros(2)
"""Quantile and scale of a distance that says nothing."""


def usual_distance(distances: NDArray[np.float64], least: float, fewest: int) -> NDArray[np.float64]:
    """Where the tail of distances, NaN left out, begins, and its scale; 0 and 0 for fewer than ``fewest``.

    Parameters
    ----------
    distances : (n,) of training rows, at least 0.
    least : the smallest scale.
    """
    known = distances[~np.isnan(distances)]
    if len(known) < fewest:
        return UNUSED
    start = float(np.quantile(known, USUAL))
    beyond = known[known > start]
    return np.array([start, max(float((beyond - start).mean()) if len(beyond) else 0.0, NARROWEST * start, least)])


def far_distance(distances: NDArray[np.float64]) -> float:
    """What a distance is divided by: the 99 % quantile of those of training rows, 1 where that is 0."""
    return float(np.quantile(distances, FAR)) or 1.0


def surprises(distances: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """-ln p of distances by the tail that :func:`usual_distance` gave; at least 0."""
    found: NDArray[np.float64] = np.maximum(-np.log1p(-USUAL) + (distances - usual[0]) / usual[1], 0.0)
    return found


def worth(values: NDArray[np.float64], scores: SeriesScores) -> float:
    """Distances from expected values, in scales, over scores, both at a high quantile; 1 where that says nothing."""
    assert scores.expected is not None and scores.scale is not None, "a control chart expects"  # noqa: S101, PT018
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.abs(values - scores.expected) / scores.scale
    said, score = away[np.isfinite(away)], scores.score[np.isfinite(scores.score)]
    if not (len(said) and len(score)):
        return 1.0
    far, high = float(np.quantile(said, FAR)), float(np.quantile(score, FAR))
    return far / high if far > 0.0 and high > 0.0 else 1.0
