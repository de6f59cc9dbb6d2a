"""Array loops of this room: row by row over a stream of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST_SIDE = 5.0
"""Each side of a cut of an adaptive window has more values than this."""


@kernel
def bet(
    p_value: NDArray[np.float64],
    power: NDArray[np.float64],
    jump: float,
    shares: NDArray[np.float64],
    totals: NDArray[np.float64],
    path: NDArray[np.float64],
) -> None:
    """Multiply each bettor's capital by ``power * p ** (power - 1)``, once a little of it was shared among all.

    Parameters
    ----------
    p_value : (n,) in (0, 1].
    power : (k,) in (0, 1], what each bets on.
    jump : the part of the capital that is shared before each bet.
    shares : (k,) the parts of the capital, 1 in all; changed in place, as is the next.
    totals : (2,) the logarithm of the capital, and the highest it was.
    path : (n,) filled with the logarithm of the capital.
    """
    for i in range(len(p_value)):
        log_p = math.log(max(p_value[i], 1e-300))
        whole = 0.0
        for k in range(len(power)):
            kept = (1.0 - jump) * shares[k] + jump / len(power)
            shares[k] = kept * power[k] * math.exp((power[k] - 1.0) * log_p)
            whole += shares[k]
        for k in range(len(power)):
            shares[k] /= whole
        totals[0] += math.log(whole)
        totals[1] = max(totals[1], totals[0])
        path[i] = totals[0]


@kernel
def page_hinkley(
    values: NDArray[np.float64],
    state: NDArray[np.float64],
    fewest: float,
    delta: float,
    line: float,
    forget: float,
    drift: NDArray[np.bool_],
) -> None:
    """Sum deviations from the mean so far, up and down; where a sum rises far above its lowest, begin anew.

    ``state`` is (4,): values seen, their mean, and how far the two sums are above their lowest; changed in place.
    """
    for i in range(len(values)):
        drift[i] = False
        if math.isnan(values[i]):
            continue
        state[0] += 1.0
        state[1] += (values[i] - state[1]) / state[0]
        away = values[i] - state[1]
        state[2] = max(0.0, forget * state[2] + away - delta)
        state[3] = max(0.0, forget * state[3] - away - delta)
        if state[0] >= fewest and max(state[2], state[3]) > line:
            drift[i] = True
            state[:] = 0.0


@kernel
def adapt(
    values: NDArray[np.float64],
    sums: NDArray[np.float64],
    spreads: NDArray[np.float64],
    filled: NDArray[np.int64],
    delta: float,
    every: int,
    seen: NDArray[np.int64],
    drift: NDArray[np.bool_],
) -> None:
    """Add each value to the window; drop its oldest buckets while its two parts have different means.

    Buckets of level k hold ``2 ** k`` values; of each level there are at most ``m``, the oldest first.

    Parameters
    ----------
    values : (n,) NaN ones are left out.
    sums, spreads : (levels, m + 1) the sum, and the sum of squared distances from the mean, of each bucket; changed.
    filled : (levels,) how many buckets there are; changed.
    delta : how sure a cut has to be.
    every : the window is looked at after so many values.
    seen : (1,) values so far; changed.
    drift : (n,) filled: the window was cut, and the mean is another.
    """
    for i in range(len(values)):
        drift[i] = False
        if math.isnan(values[i]):
            continue
        sums[0, filled[0]], spreads[0, filled[0]] = values[i], 0.0
        filled[0] += 1
        merge_buckets(sums, spreads, filled)
        seen[0] += 1
        if seen[0] % every == 0:
            while cut_window(sums, spreads, filled, delta):
                drift[i] = True


@kernel
def merge_buckets(sums: NDArray[np.float64], spreads: NDArray[np.float64], filled: NDArray[np.int64]) -> None:
    """Where a level is full, its two oldest buckets become one of the next; the oldest of the last level is dropped."""
    most = sums.shape[1] - 1
    for level in range(len(filled)):
        if filled[level] <= most:
            return
        gone = 1
        if level + 1 < len(filled):
            gap = sums[level, 0] - sums[level, 1]
            place = filled[level + 1]
            sums[level + 1, place] = sums[level, 0] + sums[level, 1]
            spreads[level + 1, place] = spreads[level, 0] + spreads[level, 1] + gap * gap / 2.0 ** (level + 1)
            filled[level + 1] += 1
            gone = 2
        drop_oldest(sums, spreads, filled, level, gone)


@kernel
def drop_oldest(
    sums: NDArray[np.float64], spreads: NDArray[np.float64], filled: NDArray[np.int64], level: int, gone: int
) -> None:
    """Forget the oldest buckets of a level."""
    for k in range(gone, filled[level]):
        sums[level, k - gone], spreads[level, k - gone] = sums[level, k], spreads[level, k]
    filled[level] -= gone


@kernel
def cut_window(
    sums: NDArray[np.float64], spreads: NDArray[np.float64], filled: NDArray[np.int64], delta: float
) -> bool:
    """Drop the oldest bucket if some cut has means that differ by more than chance allows; whether one was."""
    n, total, spread = 0.0, 0.0, 0.0
    for level in range(len(filled) - 1, -1, -1):
        for k in range(filled[level]):
            size = 2.0**level
            if n > 0.0:
                gap = total / n - sums[level, k] / size
                spread += gap * gap * n * size / (n + size)
            spread += spreads[level, k]
            total += sums[level, k]
            n += size
    if n <= 2.0 * FEWEST_SIDE:
        return False
    doubt = math.log(2.0 * math.log(n) / delta)
    before, early = 0.0, 0.0
    oldest = -1
    for level in range(len(filled) - 1, -1, -1):
        for k in range(filled[level]):
            if oldest < 0:
                oldest = level
            before += 2.0**level
            early += sums[level, k]
            after = n - before
            if before <= FEWEST_SIDE or after <= FEWEST_SIDE:
                continue
            part = 1.0 / (before - FEWEST_SIDE + 1.0) + 1.0 / (after - FEWEST_SIDE + 1.0)
            allowed = math.sqrt(2.0 * part * spread / n * doubt) + 2.0 / 3.0 * part * doubt
            if abs(early / before - (total - early) / after) > allowed:
                drop_oldest(sums, spreads, filled, oldest, 1)
                return True
    return False
