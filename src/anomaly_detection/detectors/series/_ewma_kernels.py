"""Array loops of ewma.py: robust level and scale of each channel, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE = 1_000.0
"""The score of a value that differs where none ever did."""

MOST_SCALES = 3.0
"""A value moves the state as if it were at most so many scales away."""

PATIENCE = 20.0
"""Over so many rows it is counted how many score above the line; where most do, they are the new normal."""

NORMAL = 1.2533141373155001
"""Standard deviation over mean absolute deviation of a normal distribution."""


@kernel
def advance_levels(
    values: NDArray[np.float64],
    state: NDArray[np.float64],
    above: NDArray[np.float64],
    span: float,
    fewest: float,
    line: float,
    score: NDArray[np.float64],
    expected: NDArray[np.float64],
    scale: NDArray[np.float64],
    distance: NDArray[np.float64],
    side: NDArray[np.int8],
) -> None:
    """Score each row by its farthest channel, then learn it unless it scores above the line.

    Where most of the latest rows scored above, they are learned, too: what lasts is no anomaly any more.

    Parameters
    ----------
    values : (n, d), NaN where missing.
    state : (3, d) level, mean absolute deviation, and values seen (at most ``span``) of each channel; changed in place.
    above : (1,) the share of the latest rows above the line; changed in place.
    span : a value of so many rows ago weighs about 1 / e.
    fewest : a channel says nothing before it has seen so many values.
    score, side : (n,) filled: NaN and 0 where no channel says anything.
    expected, scale, distance : (n, d) filled; NaN where a channel says nothing; distances are in scales.
    """
    for i in range(len(values)):
        best = math.nan
        for k in range(values.shape[1]):
            x, level, spread = values[i, k], state[0, k], state[1, k] * NORMAL
            ready = state[2, k] >= fewest
            expected[i, k] = level if ready else math.nan
            scale[i, k] = spread if ready else math.nan
            distance[i, k] = math.nan
            if not ready or math.isnan(x):
                continue
            away = abs(x - level)
            if spread > 0.0:
                distance[i, k] = min(away / spread, 1e300)
            else:
                distance[i, k] = SURE if away > 0.0 else 0.0
            if math.isnan(best) or distance[i, k] > best:
                best = distance[i, k]
                side[i] = np.int8(0) if away == 0.0 else np.int8(1) if x > level else np.int8(-1)
        score[i] = best
        above[0] += ((1.0 if best > line else 0.0) - above[0]) / PATIENCE
        if best > line and above[0] < 0.5:
            continue
        for k in range(values.shape[1]):
            x = values[i, k]
            if math.isnan(x):
                continue
            seen = min(state[2, k] + 1.0, span)
            rate = 1.0 / seen
            away = x - state[0, k]
            if seen == 1.0:
                state[0, k] = x
            elif state[1, k] > 0.0:
                reach = MOST_SCALES * NORMAL * state[1, k]
                away = min(max(away, -reach), reach)
                state[0, k] += rate * away
                state[1, k] += rate * (abs(away) - state[1, k])
            else:
                state[0, k] += rate * away
                state[1, k] = rate * abs(away)
            state[2, k] = seen
