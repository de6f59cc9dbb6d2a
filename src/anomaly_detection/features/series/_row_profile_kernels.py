"""The array loop of row_profile.py: the newest window of a series against all that are remembered."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series._profile_kernels import FADED
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANEW = 8
"""So many covariances are computed anew at each value: rounding does not add up."""


@inlined
def covariance_of(
    mine: NDArray[np.float64], mean: float, points: NDArray[np.float64], start: int, other_mean: float
) -> float:
    """The sum of products about their means of a window and the one that begins at ``start`` of the points."""
    total = 0.0
    for k in range(len(mine)):
        total += (mine[k] - mean) * (points[start + k] - other_mean)
    return total


@kernel
def advance_windows(
    new: NDArray[np.float64],
    learn: NDArray[np.bool_],
    clock: NDArray[np.int64],
    points: NDArray[np.float64],
    windows: NDArray[np.float64],
    covariance: NDArray[np.float64],
    m: int,
    apart: int,
    line: float,
    found: NDArray[np.float64],
    place: NDArray[np.int64],
) -> None:
    """Hold the window that ends at each new value against all remembered ones before it; O(remembered) a value.

    Parameters
    ----------
    new : (k,) values that follow, finite.
    learn : (k,) whether the window that ends here may be compared with later ones.
    clock : (2,) values seen; how many of the latest were equal. Changed in place, as are the next three.
    points : (2 c,) the latest values, value number i at i mod c and again c later; c is at least r + m.
    windows : (5, 2 r) inverse, half, both, mean, whether to compute anew (see ``window_statistics``) of the r windows
        remembered; window number i, which begins with value i, at -i mod r and again r later: earlier ones follow.
    covariance : (r + 1,) that of the last window with the one that begins so many rows before it; and the largest sum
        of squares of a window since all were computed anew.
    m : rows of a window.
    apart : windows are compared if they begin more than so many rows apart.
    line : a window with ``1 - r`` above it is not compared with later ones either.
    found : (k,) filled with one less the highest correlation; NaN where there is none.
    place : (k,) filled with the number of the value that the nearest window begins with, -1 for none.
    """
    c, r = len(points) // 2, len(covariance) - 1
    alike = np.empty(r)
    for t in range(len(new)):
        x, seen = new[t], clock[0]
        clock[1] = clock[1] + 1 if seen > 0 and points[(seen - 1) % c] == x else 1
        points[seen % c] = x
        points[seen % c + c] = x
        clock[0] = seen + 1
        found[t], place[t] = math.nan, -1
        i = seen + 1 - m
        if i < 0:
            continue
        mine = points[i % c : i % c + m]
        total, squares = 0.0, 0.0
        for k in range(m):
            total += mine[k]
        mean = total / m
        for k in range(m):
            squares += (mine[k] - mean) ** 2
        scale = 1.0 / math.sqrt(squares) if clock[1] < m and squares > 0.0 else 0.0
        faded = squares < FADED * covariance[r]
        covariance[r] = squares if faded else max(covariance[r], squares)
        out, last = 0.0, mean
        if i > 0:
            out, last = points[(i - 1) % c], windows[3, (-(i - 1)) % r]
        a, b = 0.5 * (x - out), (x - mean) + (out - last)
        at = (-i) % r
        for copy in range(2):
            windows[0, at + copy * r] = scale
            windows[1, at + copy * r] = a
            windows[2, at + copy * r] = b
            windows[3, at + copy * r] = mean
            windows[4, at + copy * r] = faded
        count = min(i + 1, r)
        scales, halves = windows[0, at : at + count], windows[1, at : at + count]
        boths, means = windows[2, at : at + count], windows[3, at : at + count]
        for d in range(count):
            covariance[d] += a * boths[d] + halves[d] * b
        anew = count - 1 if i < r else i % r
        for number in range(ANEW):
            d = (anew + number * (r // ANEW + 1)) % count
            covariance[d] = covariance_of(mine, mean, points, (i - d) % c, means[d])
        stale, any_stale, constants = windows[4, at : at + count], faded, False
        for d in range(count):
            alike[d] = covariance[d] * (scale * scales[d])
            constants |= scales[d] == 0.0
            any_stale |= stale[d] > 0.0
        if any_stale:
            for d in range(count):
                if faded or stale[d] > 0.0:
                    covariance[d] = covariance_of(mine, mean, points, (i - d) % c, means[d])
                    alike[d] = covariance[d] * (scale * scales[d])
        best, where = -math.inf, -1
        for d in range(apart + 1, count):
            value = alike[d]
            if constants and (scale == 0.0 or scales[d] == 0.0) and not math.isnan(scales[d]):
                value = 1.0 if scale == scales[d] else 0.5
            if value > best:
                best, where = value, d
        if where >= 0:
            found[t], place[t] = max(1.0 - best, 0.0), i - where
        if not learn[t] or found[t] > line:
            windows[0, at], windows[0, at + r] = math.nan, math.nan
