"""Array loops of seasonal_ewma.py: a level that moves along, and what each place of the season adds to it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors.series._ewma_kernels import MOST_SCALES, NORMAL, PATIENCE, SURE
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALM = 4.0
"""The slope learns as fast as it can without swinging about (critical damping)."""

BORROWED = 10.0
"""The scale of a place counts as if so many values of all places had been seen there."""


@kernel
def advance_seasons(
    values: NDArray[np.float64],
    place: NDArray[np.int64],
    season: NDArray[np.float64],
    level: NDArray[np.float64],
    above: NDArray[np.float64],
    spans: tuple[float, float],
    line: float,
    score: NDArray[np.float64],
    told: NDArray[np.float64],
    side: NDArray[np.int8],
) -> None:
    """Score each row by its farthest channel, then learn it unless it scores above the line.

    Where most of the latest rows scored above, they are learned, too: what lasts is no anomaly any more.

    Parameters
    ----------
    values : (n, d), NaN where missing.
    place : (n,) the place of each row in the season.
    season : (period, 3, d) what each place adds, mean absolute deviation there, and values seen; changed in place.
    level : (4, d) level, mean absolute deviation, values seen, and what a row adds; changed in place.
    above : (1,) the share of the latest rows above the line; changed in place.
    spans : the memory of the level in rows, and of a place in rounds.
    score, side : (n,) filled: NaN and 0 where no channel says anything.
    told : (3, n, d) filled with expected values, scales and distances in scales; NaN where a channel says nothing.
    """
    for i in range(len(values)):
        best, mine = math.nan, season[place[i]]
        for k in range(values.shape[1]):
            x = values[i, k]
            told[:, i, k] = math.nan
            if level[2, k] == 0.0:
                continue
            expected, spread = level[0, k] + level[3, k] + mine[0, k], NORMAL * _spread(mine, level, k)
            told[0, i, k], told[1, i, k] = expected, spread
            away = abs(x - expected)
            if math.isnan(x):
                pass
            elif spread > 0.0:
                told[2, i, k] = min(away / spread, 1e300)
            else:
                told[2, i, k] = SURE if away > 0.0 else 0.0
            if not math.isnan(x) and (math.isnan(best) or told[2, i, k] > best):
                best = told[2, i, k]
                side[i] = np.int8(0) if away == 0.0 else np.int8(1) if x > expected else np.int8(-1)
            level[0, k] += level[3, k]
        score[i] = best
        above[0] += ((1.0 if best > line else 0.0) - above[0]) / PATIENCE
        if best > line and above[0] < 0.5:
            continue
        for k in range(values.shape[1]):
            if not math.isnan(values[i, k]):
                _learn(values[i, k], mine, level, k, spans)


@inlined
def _spread(mine: NDArray[np.float64], level: NDArray[np.float64], k: int) -> float:
    """The mean absolute deviation at a place, with some of that of all places."""
    return float((mine[2, k] * mine[1, k] + BORROWED * level[1, k]) / (mine[2, k] + BORROWED))


@inlined
def _learn(x: float, mine: NDArray[np.float64], level: NDArray[np.float64], k: int, spans: tuple[float, float]) -> None:
    """Move level, slope, place and deviations towards a value, as if it were at most a few scales away."""
    seen, rounds = min(level[2, k] + 1.0, spans[0]), min(mine[2, k] + 1.0, spans[1])
    away = x - level[0, k] - mine[0, k]
    if level[1, k] > 0.0:
        reach = MOST_SCALES * NORMAL * _spread(mine, level, k)
        away = min(max(away, -reach), reach)
    level[0, k] += away / seen
    level[3, k] += away / (CALM * seen * seen)
    mine[0, k] += (away - away / seen) / rounds
    level[1, k] += (abs(away) - level[1, k]) / seen
    mine[1, k] += (abs(away) - mine[1, k]) / rounds
    level[2, k], mine[2, k] = seen, rounds
