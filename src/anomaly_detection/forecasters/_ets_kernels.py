"""Array loops of ets.py: exponential smoothing with a damped trend and an additive season, robust to outliers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REACH = 3.0
"""A value moves the state as if it were at most so many scales away."""

CALM = 0.05
"""The scale follows with this rate."""


@kernel
def smooth(
    values: NDArray[np.float64],
    rates: NDArray[np.float64],
    state: NDArray[np.float64],
    skip: int,
    ends: NDArray[np.int64],
    horizon: int,
    errors: NDArray[np.float64],
) -> float:
    """Go over the values once, and say how far the next ones were from what was expected.

    Parameters
    ----------
    values : (n,) NaN where missing.
    rates : (4,) of the level, the trend, the season, and how much of the trend stays from row to row.
    state : (3 + m,) level, trend, scale, and the season, of which the first is for the next row; changed in place.
    skip : errors of so many first rows do not count.
    ends : rows before which forecasts are tried out, in order.
    horizon : how many rows ahead.
    errors : (K, H) filled: what came less the forecast, NaN where nothing came.

    Returns
    -------
    The mean absolute error one row ahead; values far out count as if they were at 3 scales.
    """
    m = len(state) - 3
    n = len(values)
    total, count, next_end = 0.0, 0, 0
    for i in range(n + 1):
        if next_end < len(ends) and ends[next_end] == i:
            try_out(values, rates, state, i, horizon, errors[next_end])
            next_end += 1
        if i == n:
            break
        alpha, beta, gamma, stays = rates[0], rates[1], rates[2], rates[3]
        expected = state[0] + stays * state[1]
        place = 3 + i % m
        x = values[i]
        if math.isnan(x):
            state[0] = expected
            state[1] *= stays
            continue
        error = x - expected - state[place]
        reach = REACH * 1.2533 * state[2]
        size = min(abs(error), reach) if state[2] > 0.0 else abs(error)
        if i >= skip:
            total += size
            count += 1
        moved = math.copysign(size, error)
        state[2] += CALM * (min(abs(error), 2.0 * reach) - state[2]) if state[2] > 0.0 else CALM * abs(error)
        state[0] = expected + alpha * moved
        state[1] = stays * state[1] + beta * moved
        state[place] += gamma * moved
    return total / count if count else 0.0


@kernel
def try_out(
    values: NDArray[np.float64],
    rates: NDArray[np.float64],
    state: NDArray[np.float64],
    start: int,
    horizon: int,
    errors: NDArray[np.float64],
) -> None:
    """(H,) what came from a row on, less what the state before it expected; NaN where nothing came."""
    m = len(state) - 3
    level, trend = state[0], state[1]
    for h in range(horizon):
        trend *= rates[3]
        level += trend
        came = start + h < len(values)
        errors[h] = values[start + h] - level - state[3 + (start + h) % m] if came else math.nan
