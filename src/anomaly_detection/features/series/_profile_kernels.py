"""Array loops of the matrix profile: every window against every other, along blocks of diagonals.

Windows are compared by the correlation of their values; the distance of two z-normalised windows of m rows with
correlation r is ``sqrt(2 m (1 - r))``. Two constant windows are alike (r = 1), a constant and another one are half so
(r = 0.5). Along a diagonal, the covariance follows from that of the windows one row before (Zimmerman et al. 2019).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 128
"""So many diagonals go side by side."""

FRESH = 2_048
"""After so many rows, covariances are computed anew: rounding does not add up."""

FADED = 1e-6
"""They are, too, where the squares of a window are this share of what they were: what rounding left would count."""


@kernel
def window_statistics(values: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """What the comparison of windows needs.

    Parameters
    ----------
    values : (n,), NaN where missing.
    m : rows of a window, 2 to n.

    Returns
    -------
    (5, n - m + 1) mean; one over the root of the sum of squares about it, 0 for a constant window, NaN where a value is
    missing; half the difference, and the sum of the deviations, of the value that comes in and the one that goes out;
    1 where covariances are computed anew.
    """
    w = len(values) - m + 1
    out = np.zeros((5, w))
    missing, same, largest = 0, 1, 0.0
    for i in range(len(values)):
        x = values[i]
        missing = m if math.isnan(x) else missing - 1
        same = same + 1 if i > 0 and x == values[i - 1] else 1
        j = i - m + 1
        if j < 0:
            continue
        total, squares = 0.0, 0.0
        for k in range(j, i + 1):
            total += 0.0 if math.isnan(values[k]) else values[k]
        mean = total / m
        for k in range(j, i + 1):
            away = (0.0 if math.isnan(values[k]) else values[k]) - mean
            squares += away * away
        out[0, j] = mean
        out[4, j] = squares < FADED * largest
        largest = squares if out[4, j] else max(largest, squares)
        if missing > 0:
            out[1, j] = math.nan
        elif same < m and squares > 0.0:
            out[1, j] = 1.0 / math.sqrt(squares)
    for j in range(1, w):
        new = 0.0 if math.isnan(values[j + m - 1]) else values[j + m - 1]
        old = 0.0 if math.isnan(values[j - 1]) else values[j - 1]
        out[2, j] = 0.5 * (new - old)
        out[3, j] = (new - out[0, j]) + (old - out[0, j - 1])
    return out


@kernel
def nearest_windows(
    values: NDArray[np.float64], statistics: NDArray[np.float64], m: int, apart: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The highest correlation of each window with an earlier and with a later one, and where.

    Parameters
    ----------
    values : (n,) finite, 0 where missing.
    statistics : (5, w) of ``window_statistics``; windows that it has 0 or NaN for are left out.
    m : rows of a window.
    apart : windows are compared if they begin more than so many rows apart.

    Returns
    -------
    (2, w) correlations, -1 where there is none, and (2, w) places, -1 for none: of earlier ones, of later ones.
    """
    w = statistics.shape[1]
    mean, inverse, half, both = statistics[0], statistics[1].copy(), statistics[2], statistics[3]
    for i in range(w):
        if inverse[i] == 0.0:
            inverse[i] = math.nan
    high, place = np.full((2, w), -1.0), np.full((2, w), -1)
    earlier, later = high[0], high[1]
    before, after = place[0], place[1]
    covariance, found, faded = np.zeros(BLOCK), np.zeros(BLOCK), np.zeros(w + 1)
    for i in range(w):
        faded[i + 1] = faded[i] + statistics[4, i]
    for first in range(apart + 1, w, BLOCK):
        block = min(BLOCK, w - first)
        for i in range(w - first):
            o = i + first
            width = min(block, w - o)
            anew = i % FRESH == 0 or faded[i + 1] > faded[i]
            if not anew:
                a, b = half[i], both[i]
                halves, boths = half[o : o + width], both[o : o + width]
                for d in range(width):
                    covariance[d] += a * boths[d] + halves[d] * b
            if anew or faded[o + width] > faded[o]:
                for d in range(width):
                    if anew or faded[o + d + 1] > faded[o + d]:
                        total = 0.0
                        for k in range(m):
                            total += (values[i + k] - mean[i]) * (values[o + d + k] - mean[o + d])
                        covariance[d] = total
            scale, best, beaten = inverse[i], later[i], 0
            scales, bests = inverse[o : o + width], earlier[o : o + width]
            for d in range(width):
                r = covariance[d] * (scale * scales[d])
                found[d] = r
                beaten |= (r > best) | (r > bests[d])
            if beaten:
                for d in range(width):
                    r = found[d]
                    if r > later[i]:
                        later[i], after[i] = r, o + d
                    if r > earlier[o + d]:
                        earlier[o + d], before[o + d] = r, i
    return high, place


@kernel
def with_constant_windows(
    inverse: NDArray[np.float64], apart: int, high: NDArray[np.float64], place: NDArray[np.int64]
) -> None:
    """Let constant windows be compared, too; ``high`` and ``place`` are changed in place.

    Parameters
    ----------
    inverse : (w,) 0 for a constant window, NaN where a value is missing.
    apart : windows are compared if they begin more than so many rows apart.
    high, place : (2, w) of ``nearest_windows``.
    """
    w = len(inverse)
    for side in range(2):
        constant, other = -1, -1
        for step in range(w):
            i = step if side == 0 else w - 1 - step
            j = i - apart - 1 if side == 0 else i + apart + 1
            if 0 <= j < w:
                if inverse[j] == 0.0 and constant < 0:
                    constant = j
                elif inverse[j] > 0.0 and other < 0:
                    other = j
            if inverse[i] == 0.0 and constant >= 0:
                high[side, i], place[side, i] = 1.0, constant
            elif inverse[i] == 0.0 and other >= 0:
                high[side, i], place[side, i] = 0.5, other
            elif inverse[i] > 0.0 and constant >= 0 and high[side, i] < 0.5:
                high[side, i], place[side, i] = 0.5, constant
