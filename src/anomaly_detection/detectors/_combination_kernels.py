"""Array loops that make one score of several; sums run in the order of the members."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOUDEST = 5.0
"""From this magnitude on (150 robust deviations) a member hardly adds by being louder still."""

LOUDER = 0.01
"""What it adds then, for each unit of magnitude."""


@inlined
def _magnitude(deviations: float) -> float:
    size = math.log1p(abs(deviations))
    if size > LOUDEST:
        size = LOUDEST + LOUDER * (size - LOUDEST)
    return -size if deviations < 0 else size


@kernel
def mean_magnitude(
    scores: NDArray[np.float64],
    centers: NDArray[np.float64],
    scales: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the mean over the members of the signed ``log(1 + |z|)`` of their scores.

    Parameters
    ----------
    scores : (m, n) the members' scores.
    centers, scales : (m,) what z is measured from, and in.
    out : (n,) receives the means.
    """
    n_members = scores.shape[0]
    for i in range(scores.shape[1]):
        total = 0.0
        for k in range(n_members):
            total += _magnitude((scores[k, i] - centers[k]) / scales[k])
        out[i] = total / n_members


@kernel
def mean_surprise(
    scores: NDArray[np.float64],
    knots: NDArray[np.float64],
    surprises: NDArray[np.float64],
    bounds: NDArray[np.int64],
    falls: NDArray[np.float64],
    weights: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the weighted mean over the members of how surprising their scores are.

    Up to the largest training score a surprise is -log of the share of training scores at least as high; beyond, the
    magnitude ``log(1 + b)`` of the distance b from it is added, in mean excesses.

    Parameters
    ----------
    scores : (m, n) the members' scores.
    knots, surprises : the members' training scores, ascending, and the surprise of each and beyond, end to end.
    bounds : (m + 1,) where each member's knots begin.
    falls : (m,) mean excess of each member's highest training scores.
    weights : (m,) of the members.
    out : (n,) receives the means.
    """
    n_members = scores.shape[0]
    for i in range(scores.shape[1]):
        total = 0.0
        for k in range(n_members):
            score, first, last = scores[k, i], bounds[k], bounds[k + 1]
            low, high = first, last
            while low < high:
                middle = (low + high) // 2
                if knots[middle] < score:
                    low = middle + 1
                else:
                    high = middle
            surprise = surprises[low + k]
            if score > knots[last - 1]:
                surprise += math.log1p((score - knots[last - 1]) / falls[k])
            total += weights[k] * surprise
        out[i] = total / n_members
