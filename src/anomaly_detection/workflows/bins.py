"""Where the bins of a column's histogram lie: at round numbers, whole numbers or dates that people read easily."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BINS = 30
"""The most bins of a histogram, not counting the two for values beyond it."""

WIDE = 300.0
"""Positive values that span this factor or more are held in bins that grow with the values."""

_CALENDAR = (1, 5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000, 7_776_000, 31_536_000)
_LEADING = (1.0, 2.0, 5.0)


def bin_edges(values: NDArray[np.float64], *, calendar: bool = False) -> list[float]:
    """Edges of about 30 bins at most over the middle 98 % of some numbers, in rising order; at least two.

    Parameters
    ----------
    values : (n,) finite numbers, one or more.
    calendar : whether they are seconds, so that the bins are minutes, hours or days.

    >>> bin_edges(np.array([1.0, 2.0, 2.0, 3.0]))
    [0.5, 1.5, 2.5, 3.5]
    >>> bin_edges(np.geomspace(0.5, 90_000.0, 100))[:4]
    [0.5, 1.0, 2.0, 5.0]
    """
    low, high = (float(edge) for edge in np.quantile(values, (0.01, 0.99)))
    if calendar:
        wished = (high - low) / MOST_BINS
        return _even(low, high, next((each for each in _CALENDAR if each >= wished), _round_step(wished)))
    if _are_few_whole_numbers(values, low, high):
        return [number - 0.5 for number in range(math.floor(low), math.ceil(high) + 2)]
    positive = values[values > 0]
    if len(positive) > len(values) / 2 and values.min() >= 0:
        lowest = float(np.quantile(positive, 0.01))
        if high > WIDE * lowest > 0:
            return _growing(lowest, high)
    return _even(low, high, _round_step((high - low) / MOST_BINS))


def _are_few_whole_numbers(values: NDArray[np.float64], low: float, high: float) -> bool:
    return high - low < MOST_BINS - 1 and bool((values == np.floor(values)).all())


def _round_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is not smaller."""
    if not least > 0 or not math.isfinite(least):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next((step * power for step in (*_LEADING, 10.0) if step * power >= least * (1 - 1e-9)), 10 * power)


def _even(low: float, high: float, step: float) -> list[float]:
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    edges = [float(f"{each * step:.12g}") for each in range(first, min(last, first + MOST_BINS + 2) + 1)]
    rising = all(a < b for a, b in pairwise(edges))
    return edges if rising else [low, math.nextafter(high, math.inf)]


def _growing(low: float, high: float) -> list[float]:
    """1, 2, 5, 10, 20, 50 … around the values; every third of them where that is too many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = [float(f"{step}e{power}") for power in range(first, last + 1) for step in _LEADING]
    begin = max(i for i, edge in enumerate(every) if edge <= low)
    end = min(i for i, edge in enumerate(every) if edge >= high)
    edges = every[begin : end + 1]
    return edges if len(edges) <= MOST_BINS else [*edges[: -1 : math.ceil(len(edges) / MOST_BINS)], edges[-1]]
