"""Scores of a series come in clusters: how large these are, and as many scores as there are clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HIGH = 0.05
"""High scores are so large a share of all."""

FEWEST_HIGH = 20
"""They are at least so many; with fewer than twice as many scores nothing is said of clusters."""

FEWEST_KEPT = 20
"""At least so many scores are kept, clusters or not."""


def declustered(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """One score for each cluster: as many as there would be if rows were independent, with the same distribution.

    A window of 100 rows with a spike in it has a high score for 100 rows. Fifteen such scores are the 1 % of 1,500 rows
    that are highest, and yet one spike only: the next one may well be larger, and then 100 rows are above a line that
    was set by the first. With one score for a cluster, the line is as uncertain to a calibrator as it is.

    Parameters
    ----------
    parts : (n,) scores each, in order of time, of stretches that have nothing to do with one another.

    Returns
    -------
    (m,) float64, ascending: the highest of each group of scores next to one another in size, the groups as large as a
    mean cluster.

    Examples
    --------
    >>> alone = np.random.default_rng(0).normal(size=2_000)
    >>> together = np.convolve(np.abs(alone), np.ones(20), "valid")
    >>> len(declustered([alone])) > 1_500, len(declustered([together])) < 400
    (True, True)
    """
    ordered = np.sort(np.concatenate([*parts, np.empty(0)]))
    n = len(ordered)
    size = cluster_size(parts)
    kept = min(max(round(n / size), FEWEST_KEPT), n)
    return ordered[np.arange(1, kept + 1) * n // max(kept, 1) - 1]


def cluster_size(parts: Sequence[NDArray[np.float64]]) -> float:
    """How many high scores make a cluster on average, at least 1: 1 over the extremal index.

    The index comes from the distances between high scores (the intervals estimator of Ferro & Segers, JRSS B 65, 2003):
    there is no length to choose after which a cluster is over.

    >>> cluster_size([np.repeat(np.random.default_rng(0).normal(size=400), 5)]) > 3.5
    True
    """
    scores = np.concatenate([*parts, np.empty(0)])
    if len(scores) < 2 * FEWEST_HIGH:
        return 1.0
    level = float(np.quantile(scores, 1.0 - max(HIGH, FEWEST_HIGH / len(scores))))
    apart = [np.diff(np.flatnonzero(part > level)).astype(np.float64) for part in parts]
    return 1.0 / _extremal_index(np.concatenate(apart))


def _extremal_index(apart: NDArray[np.float64]) -> float:
    """The share of high scores that begin a cluster, from the distances, in rows, of one to the next."""
    if len(apart) < FEWEST_HIGH // 2:
        return 1.0
    if apart.max() <= 2.0:
        index = 2.0 * apart.sum() ** 2 / (len(apart) * (apart**2).sum())
    else:
        index = 2.0 * (apart - 1.0).sum() ** 2 / (len(apart) * ((apart - 1.0) * (apart - 2.0)).sum())
    return min(1.0, float(index))
