"""Array loops of budget.py: a line through the p-values of late that keeps alarms to a number, row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 256
"""Surprises, -log p, up to the largest there is fall into so many bins."""

FINE = 32.0
"""Bins per unit of log(1 + surprise)."""

FEW = 3.0
"""Below a share that is met by so many rows of late, the tail is taken to fall exponentially."""

STEEP = 4.0
"""One alarm too many divides the share that is looked for by exp of this."""

MOST = 0.5
"""The line never lies lower than this share of rows."""

LASTS = 2.0
"""An alarm lasts while the score is among so many times the share of rows that the budget allows."""

LEAST_AHEAD = 2.0
SHARE_AHEAD = 0.15
MOST_AHEAD = 5.0
"""Alarms run ahead of the budget by this share of it, but at least and at most by so many."""


@kernel
def follow(
    surprise: NDArray[np.float64],
    due: NDArray[np.float64],
    code: NDArray[np.int64],
    histogram: NDArray[np.float64],
    totals: NDArray[np.float64],
    running: NDArray[np.float64],
    share: float,
    keep: float,
    episodes: bool,
    line: NDArray[np.float64],
    flag: NDArray[np.bool_],
) -> None:
    """Draw the line for each row from the rows before it, then take the row in.

    Parameters
    ----------
    surprise : (n,) -log p; infinite for a row that is an alarm whatever the budget.
    due : (n,) how many alarms each row brings.
    code : (n,) the number of each row's key.
    histogram : (256,) how many rows of late had which surprise; changed in place, as are the next two.
    totals : (3,) the sum of the histogram, alarms raised, and alarms due.
    running : (k,) the line at which the alarm of a key began; NaN where none lasts.
    share : alarms per row.
    keep : what is left of the weight of a row with each that follows.
    episodes : rows that follow an alarm are part of it while they lie above the line, and cost nothing.
    line, flag : (n,) filled; the line is infinite where the budget is spent.
    """
    for i in range(len(surprise)):
        totals[2] += due[i]
        ahead = totals[1] - totals[2]
        lasts = episodes and not math.isnan(running[code[i]])
        if lasts:
            usual = line_of(histogram, totals[0], min(LASTS * share, MOST))
            line[i] = max(running[code[i]], usual)
        elif ahead + 1.0 > min(max(LEAST_AHEAD, SHARE_AHEAD * totals[2]), MOST_AHEAD):
            line[i] = math.inf
        else:
            line[i] = line_of(histogram, totals[0], min(share * math.exp(-STEEP * ahead), MOST))
        flag[i] = surprise[i] >= line[i] and surprise[i] > 0.0
        if flag[i] and not lasts:
            totals[1] += 1.0
            running[code[i]] = 0.0 if math.isinf(line[i]) else line[i]
        elif not flag[i]:
            running[code[i]] = math.nan
        for k in range(BINS):
            histogram[k] *= keep
        totals[0] = totals[0] * keep + 1.0
        histogram[bin_of(surprise[i])] += 1.0


@kernel
def bin_of(surprise: float) -> int:
    """The bin of a surprise."""
    return min(int(FINE * math.log1p(min(surprise, 1e4))), BINS - 1)


@kernel
def line_of(histogram: NDArray[np.float64], total: float, share: float) -> float:
    """The surprise that this share of the rows of late reach, above 0; beyond few rows, by an exponential tail."""
    wanted = min(max(share * total, FEW), total)
    above, place = 0.0, BINS
    while place > 0 and above < wanted:
        place -= 1
        above += histogram[place]
    low, high = math.expm1(place / FINE), math.expm1((place + 1) / FINE)
    line = low + (high - low) * max(above - wanted, 0.0) / max(histogram[place], 1e-300)
    if share * total < wanted:
        line += excess_of(histogram, place, line) * math.log(wanted / (share * total))
    return max(float(line), 1e-9)


@kernel
def excess_of(histogram: NDArray[np.float64], place: int, line: float) -> float:
    """By how much rows that reach a line exceed it on average; at least a twentieth."""
    excess, rows = 0.0, 0.0
    for k in range(place, BINS):
        middle = 0.5 * (math.expm1(k / FINE) + math.expm1((k + 1) / FINE))
        excess += histogram[k] * max(middle - line, 0.0)
        rows += histogram[k]
    return max(excess / max(rows, 1e-9), 0.05)
