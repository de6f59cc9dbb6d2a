"""Array loops of fourier.py: how the latest residuals lean, and the ways to go on from there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE, LATEST, ROUND, FADING, SEASONAL = range(5)
"""What is added to a forecast of residuals: nothing; the middle of the last three; that of a round; the first fading
away; those of one round ago."""


@kernel
def lean(ring: NDArray[np.float64], shift: NDArray[np.float64]) -> None:
    """The middles of the last three and of all residuals in each ring, and how alike neighbours are.

    Parameters
    ----------
    ring : (c, m) residuals, the latest last, NaN where a value is missing.
    shift : (c, 3) filled: middle of the last three known, middle of all, likeness of neighbours in [0, 1].
    """
    m = ring.shape[1]
    known = np.empty(m)
    for c in range(len(ring)):
        count, together, alone = 0, 0.0, 0.0
        for i in range(m):
            if math.isnan(ring[c, i]):
                continue
            known[count] = ring[c, i]
            if count > 0:
                together += known[count] * known[count - 1]
                alone += known[count - 1] * known[count - 1]
            count += 1
        if count == 0:
            shift[c, 0], shift[c, 1], shift[c, 2] = 0.0, 0.0, 0.0
            continue
        shift[c, 0] = np.median(known[max(0, count - 3) : count])
        shift[c, 1] = np.median(known[:count])
        shift[c, 2] = min(max(together / alone, 0.0), 1.0) if alone > 0.0 else 0.0


@kernel
def sizes(
    ways: NDArray[np.int64],
    level: NDArray[np.float64],
    slope: NDArray[np.float64],
    season: NDArray[np.float64],
    shift: NDArray[np.float64],
    ring: NDArray[np.float64],
    actual: NDArray[np.float64],
    stride: int,
    size: NDArray[np.float64],
) -> None:
    """How far forecasts made in several ways are from what came.

    Parameters
    ----------
    ways : (W, 3) which model, whether the slope goes on (1 or 0), and what is added of residuals.
    level, slope : (V, c) of each model, at its last row and per row.
    season : (V, c, H) what the calendar adds at each step ahead.
    shift : (V, c, 3) from :func:`lean`.
    ring : (V, c, m) the latest residuals, the last one last.
    actual : (c, H) what came, NaN where nothing did.
    stride : every so many steps are looked at.
    size : (W, c) filled with mean absolute errors; NaN where nothing came.
    """
    m = ring.shape[2]
    for w in range(len(ways)):
        v, trend, added = ways[w, 0], float(ways[w, 1]), ways[w, 2]
        for c in range(len(actual)):
            total, count = 0.0, 0
            for h in range(0, actual.shape[1], stride):
                value = level[v, c] + trend * slope[v, c] * (h + 1.0) + season[v, c, h]
                if added == LATEST:
                    value += shift[v, c, 0]
                elif added == ROUND:
                    value += shift[v, c, 1]
                elif added == FADING:
                    value += shift[v, c, 2] ** (h + 1.0) * shift[v, c, 0]
                elif added == SEASONAL and not math.isnan(ring[v, c, h % m]):
                    value += ring[v, c, h % m]
                if not math.isnan(actual[c, h]):
                    total += abs(actual[c, h] - value)
                    count += 1
            size[w, c] = total / count if count else math.nan


@kernel
def go_on(
    ways: NDArray[np.int64],
    weight: NDArray[np.float64],
    level: NDArray[np.float64],
    slope: NDArray[np.float64],
    season: NDArray[np.float64],
    shift: NDArray[np.float64],
    ring: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """The mean of the forecasts that several ways make, weighed.

    Parameters
    ----------
    ways, level, slope, season, shift, ring : as :func:`sizes` takes them.
    weight : (W, c) shares that add up to 1.
    out : (c, H) filled.
    """
    m = ring.shape[2]
    for c in range(len(out)):
        out[c] = 0.0
        for v in range(len(level)):
            share, rises, stays, fades, again = 0.0, 0.0, 0.0, 0.0, 0.0
            for w in range(len(ways)):
                if ways[w, 0] != v:
                    continue
                one, added = weight[w, c], ways[w, 2]
                share += one
                rises += one * ways[w, 1] * slope[v, c]
                stays += one * (shift[v, c, 0] if added == LATEST else shift[v, c, 1] if added == ROUND else 0.0)
                fades += one * shift[v, c, 0] if added == FADING else 0.0
                again += one if added == SEASONAL else 0.0
            stays += share * level[v, c]
            for h in range(out.shape[1]):
                fades *= shift[v, c, 2]
                out[c, h] += stays + rises * (h + 1.0) + share * season[v, c, h] + fades
                if not math.isnan(ring[v, c, h % m]):
                    out[c, h] += again * ring[v, c, h % m]
