"""Array loops of combination.py: the surprises of several methods as one score, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.calibration._p_value_kernels import one_p_value
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def combine(
    p_values: NDArray[np.float64],
    weights: NDArray[np.float64],
    recent: NDArray[np.float64],
    keep: float,
    share: float,
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
    """
    for i in range(len(p_values)):
        total = 0.0
        for k in range(p_values.shape[1]):
            total -= weights[k] * math.log(p_values[i, k])
        out[i] = total + share * recent[0]
        recent[0] = keep * recent[0] + (1.0 - keep) * total


@kernel
def fill_p_values(
    scores: NDArray[np.float64],
    ordered: NDArray[np.float64],
    tail: NDArray[np.float64],
    out: NDArray[np.float64],
    column: int,
) -> None:
    """Fill a column of ``out`` (n, m) with the p-values of scores; the rest as of a calibrator."""
    for i in range(len(scores)):
        out[i, column] = one_p_value(scores[i], ordered, tail)
