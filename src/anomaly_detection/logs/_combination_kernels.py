"""Array loops of combination.py: the surprises of several methods as one score, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.calibration._p_value_kernels import put_p_values
from anomaly_detection.kernels import kernel, lean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@lean
def combine(
    p_values: NDArray[np.float64],
    weights: NDArray[np.float64],
    recent: NDArray[np.float64],
    keep: float,
    share: float,
    squared: bool,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the weighted sum of ``-ln p``, and a share of what it lately was.

    Parameters
    ----------
    p_values : (n, m) in (0, 1].
    weights : (m,)
    recent : (1,) the decayed mean of the sums, changed in place.
    keep : what is left of the mean after a line.
    share : how much of it is added.
    squared : whether surprises are squared first, and the root of their sum is taken.
    """
    for i in range(len(p_values)):
        total = 0.0
        for k in range(p_values.shape[1]):
            surprise = -math.log(p_values[i, k])
            total += weights[k] * (surprise * surprise if squared else surprise)
        if squared:
            total = math.sqrt(total)
        out[i] = total + share * recent[0]
        recent[0] = keep * recent[0] + (1.0 - keep) * total


@kernel
def fill_p_values(
    scores: NDArray[np.float64],
    ordered: NDArray[np.float64],
    starts: NDArray[np.int64],
    tails: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n, m) with the p-values of (m, n) scores, each row of scores by a calibrator of its own.

    Parameters
    ----------
    ordered, starts : the calibration scores of all, one behind the other, and (m + 1,) where those of each begin.
    tails : (m, 4) of the calibrators.
    """
    for k in range(len(scores)):
        put_p_values(scores[k], ordered[starts[k] : starts[k + 1]], tails[k], out[:, k])
