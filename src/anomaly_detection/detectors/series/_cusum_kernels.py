"""Array loops of cusum.py: sums of deviations that go one way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def advance_sums(
    away: NDArray[np.float64],
    slack: float,
    most: float,
    sums: NDArray[np.float64],
    score: NDArray[np.float64],
    reached: NDArray[np.float64],
    side: NDArray[np.int8],
) -> None:
    """Add what deviations have above the slack, in both directions; the largest sum of a row is its score.

    Parameters
    ----------
    away : (n, d) deviations in scales, NaN where missing: the sums stay.
    most : no deviation counts more, and no sum grows beyond twice this.
    sums : (2, d) upwards and downwards; changed in place.
    score : (n,) filled; NaN where all channels are missing.
    reached, side : (n, d) the larger sum of each channel, and (n,) where the largest lies.
    """
    for i in range(len(away)):
        best, known = -1.0, False
        for k in range(away.shape[1]):
            z = away[i, k]
            if not math.isnan(z):
                known = True
                z = min(max(z, -most), most)
                sums[0, k] = min(max(sums[0, k] + z - slack, 0.0), 2.0 * most)
                sums[1, k] = min(max(sums[1, k] - z - slack, 0.0), 2.0 * most)
            reached[i, k] = max(sums[0, k], sums[1, k])
            if reached[i, k] > best:
                best = reached[i, k]
                side[i] = np.int8(0) if best == 0.0 else np.int8(1) if sums[0, k] >= sums[1, k] else np.int8(-1)
        score[i] = best if known else math.nan
