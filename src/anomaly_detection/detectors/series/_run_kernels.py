"""Array loops of change_point_online.py: how long the present run of a channel has gone on, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RUNS = 64
"""So many beginnings of the present run are kept in mind."""

KEPT = 128
"""The level and spread of the told run, and the values, are known for so many rows back."""

GONE = -1e300
"""The logarithmic weight of no run."""

START, WEIGHT, TIMES, MEAN, SHAPE, RATE = range(6)
"""A run: its first row, logarithmic weight, and the numbers of a normal-gamma distribution."""

PRIOR = (0.05, 1.0, 1.0)
"""What is known of a new run: a level worth so many values, a variance worth twice so many, times that rate."""

REACH = 4.0
"""A value counts as at most so many scales from the level of the run."""

SURE = 0.9
"""So probable a new run is a change."""

YOUNG = 4
"""A new run has so many rows: shorter ones are spikes."""

NEAR = 5
"""A run that begins within so many rows of the told one is the told one."""


SHIFT, STRETCH = 0.5, math.log(1.25)
"""It is different with its level so many scales away, or its scatter by such a factor, and chance on top."""

CHANCE = 3.0
"""What chance may do, in standard errors."""

FLAT = 1e-3
"""No scatter is less than this."""


@kernel
def advance_runs(
    values: NDArray[np.float64],
    weight: NDArray[np.float64],
    hazard: float,
    runs: NDArray[np.float64],
    told: NDArray[np.float64],
    past: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    """Follow the runs of each channel, and say once when the told one is over.

    Parameters
    ----------
    values : (n, d) standardised, NaN where missing.
    weight : (d,) a value counts as so much of an independent one.
    hazard : the probability that a run ends at a row.
    runs : (d, 6, RUNS) what is thought of; changed in place.
    told : (d, 2) the first row of the told run, and how many rows there were; changed in place.
    past : (d, 3, KEPT) level and spread of the told run after row i, and the value, at i mod KEPT; changed in place.
    found : (n, d, 6) filled where a change is told: how probable it is, rows since, level and spread before and after.
    """
    for i in range(len(values)):
        for k in range(values.shape[1]):
            row, at = told[k, 1], int(told[k, 1]) % KEPT
            past[k, 2, at] = values[i, k]
            if math.isnan(values[i, k]):
                past[k, 0, at], past[k, 1, at] = past[k, 0, at - 1], past[k, 1, at - 1]
            else:
                told[k, 0] = told[k, 0] if runs[k, WEIGHT, 0] > GONE else row
                _take(values[i, k], weight[k], hazard, row, told[k, 0], runs[k])
                for j in range(RUNS):
                    if runs[k, WEIGHT, j] > GONE and runs[k, START, j] == told[k, 0]:
                        past[k, 0, at] = runs[k, MEAN, j]
                        past[k, 1, at] = math.sqrt(runs[k, RATE, j] / runs[k, SHAPE, j])
                _tell(row, runs[k], told[k], past[k], found[i, k])
            told[k, 1] = row + 1.0


@kernel
def _log_t(x: float, times: float, mean: float, shape: float, rate: float) -> float:
    """The logarithmic density of the next value of a run: Student's t."""
    squares = rate * (times + 1.0) / (shape * times) * 2.0 * shape
    tails = (shape + 0.5) * math.log1p((x - mean) ** 2 / squares)
    return math.lgamma(shape + 0.5) - math.lgamma(shape) - 0.5 * math.log(math.pi * squares) - tails


@kernel
def _density(x: float, new: NDArray[np.float64], old: NDArray[np.float64]) -> float:
    """How much more dense a value is in a new run than in the old one, as a logarithm."""
    dense = _log_t(x, new[TIMES], new[MEAN], new[SHAPE], new[RATE])
    return dense - _log_t(x, old[TIMES], old[MEAN], old[SHAPE], old[RATE])


@kernel
def _take(x: float, weight: float, hazard: float, row: float, kept: float, runs: NDArray[np.float64]) -> None:
    """Weigh all runs, and one that begins here, by a value, and let each learn it; ``kept`` is not forgotten."""
    best, slot, total = 0, -1, 0.0
    for j in range(RUNS):
        best = j if runs[WEIGHT, j] > runs[WEIGHT, best] else best
    if runs[WEIGHT, best] > GONE:
        times, mean = runs[TIMES, best], runs[MEAN, best]
        reach = REACH * math.sqrt(runs[RATE, best] * (times + 1.0) / (runs[SHAPE, best] * times))
        x = min(max(x, mean - reach), mean + reach)
    for j in range(RUNS):
        if runs[START, j] != kept and (slot < 0 or runs[WEIGHT, j] < runs[WEIGHT, slot]):
            slot = j
        if runs[WEIGHT, j] > GONE:
            runs[WEIGHT, j] += math.log1p(-hazard) + weight * _log_t(
                x, runs[TIMES, j], runs[MEAN, j], runs[SHAPE, j], runs[RATE, j]
            )
    runs[START, slot], runs[MEAN, slot] = row, 0.0
    runs[TIMES, slot], runs[SHAPE, slot], runs[RATE, slot] = PRIOR[0], PRIOR[1], PRIOR[2]
    runs[WEIGHT, slot] = math.log(hazard) + weight * _log_t(x, PRIOR[0], 0.0, PRIOR[1], PRIOR[2])
    highest = GONE
    for j in range(RUNS):
        highest = max(highest, runs[WEIGHT, j])
    for j in range(RUNS):
        if runs[WEIGHT, j] > GONE:
            total += math.exp(runs[WEIGHT, j] - highest)
            away = x - runs[MEAN, j]
            runs[RATE, j] += 0.5 * weight * runs[TIMES, j] * away * away / (runs[TIMES, j] + weight)
            runs[TIMES, j] += weight
            runs[MEAN, j] += weight * away / runs[TIMES, j]
            runs[SHAPE, j] += 0.5 * weight
    for j in range(RUNS):
        if runs[WEIGHT, j] > GONE:
            runs[WEIGHT, j] = max(runs[WEIGHT, j] - highest - math.log(total), 0.5 * GONE)


@kernel
def _tell(
    row: float,
    runs: NDArray[np.float64],
    told: NDArray[np.float64],
    past: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    """Where a later run is surely the present one, different, and the row speaks for it, it is told."""
    mass, best, old = 0.0, -1, 0
    for j in range(RUNS):
        old = j if runs[WEIGHT, j] > GONE and runs[START, j] == told[0] else old
        if runs[WEIGHT, j] > GONE and told[0] + NEAR < runs[START, j] <= row - YOUNG + 1:
            mass += math.exp(runs[WEIGHT, j])
            best = j if best < 0 or runs[WEIGHT, j] > runs[WEIGHT, best] else best
    if best < 0 or mass <= SURE or _density(past[2, int(row) % KEPT], runs[:, best], runs[:, old]) <= 0.0:
        return
    since = row - runs[START, best]
    before = int(row - min(since, KEPT - 2.0) - 1.0) % KEPT
    level, spread = past[0, before], max(past[1, before], FLAT)
    count, total, squares = 0.0, 0.0, 0.0
    for j in range(KEPT):
        x = past[2, j]
        if (int(row) - j) % KEPT <= since and not math.isnan(x):
            count += 1.0
            total += x - level
            squares += (x - level) ** 2
    away = total / count
    new = max(math.sqrt(max(squares - total * away, 0.0) / max(count - 1.0, 1.0)), FLAT)
    shifted = abs(away) > SHIFT * math.hypot(spread, new) + CHANCE * new / math.sqrt(count)
    if shifted or abs(math.log(new / spread)) > STRETCH + CHANCE / math.sqrt(2.0 * max(count - 1.0, 1.0)):
        told[0] = runs[START, best]
        found[0], found[1] = min(mass, 1.0), since
        found[2], found[3], found[4], found[5] = level, spread, level + away, new
