"""Surprise, ``-ln p``, and what is left of it against a key's own past: the same code for one row and for many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.calibration._p_value_kernels import SMALLEST, one_p_value
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def one_surprise(p: float) -> float:
    """``-ln p``."""
    return -math.log(p)


@kernel
def many_surprises(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """:func:`one_surprise` of each p-value."""
    out = np.empty(len(p))
    for i in range(len(p)):
        out[i] = one_surprise(p[i])
    return out


@kernel
def at_least(past: NDArray[np.float64], start: int, stop: int, value: float) -> int:
    """How many of ``past[start:stop]``, ascending, are at least ``value``."""
    low, high = start, stop
    while low < high:
        middle = (low + high) >> 1
        if past[middle] < value:
            low = middle + 1
        else:
            high = middle
    return stop - low


@kernel
def mixed(p: float, rows: int, reached: int, p_largest: float, share: float) -> float:
    """The surprise of the mean of two p-values: among all keys, and in the key's own past.

    Parameters
    ----------
    p : the p-value among all keys.
    rows : how many rows of the key are known.
    reached : how many of them are as surprising.
    p_largest : the p-value, among all keys, of the most surprising of them; beyond it the past goes on as all keys do.
    share : the share of variance between keys.
    """
    if rows == 0 or share <= 0.0:
        return -math.log(p)
    own = (1.0 + reached) / (rows + 1.0) if reached > 0 else min(p / p_largest, 1.0) / (rows + 1.0)
    weight = rows * share / (1.0 + (rows - 1.0) * share)
    return -math.log(max((1.0 - weight) * p + weight * own, SMALLEST))


@kernel
def one_tempered(
    surprise: float,
    ordered: NDArray[np.float64],
    tail: NDArray[np.float64],
    past: NDArray[np.float64],
    start: int,
    stop: int,
    share: float,
) -> float:
    """The surprise of a row against those of its key, ``past[start:stop]``, and of all keys (``ordered, tail``)."""
    p = one_p_value(surprise, ordered, tail)
    if stop == start:
        return -math.log(p)
    reached = at_least(past, start, stop, surprise)
    return mixed(p, stop - start, reached, one_p_value(past[stop - 1], ordered, tail), share)


@kernel
def many_tempered(
    surprises: NDArray[np.float64],
    which: NDArray[np.int64],
    ordered: NDArray[np.float64],
    tail: NDArray[np.float64],
    past: NDArray[np.float64],
    starts: NDArray[np.int64],
    share: float,
) -> NDArray[np.float64]:
    """:func:`one_tempered` of each row; ``which`` says whose past is its own."""
    out = np.empty(len(surprises))
    for i in range(len(surprises)):
        start, stop = starts[which[i]], starts[which[i] + 1]
        out[i] = one_tempered(surprises[i], ordered, tail, past, start, stop, share)
    return out


@kernel
def without_themselves(
    ordered: NDArray[np.float64],
    tail: NDArray[np.float64],
    past: NDArray[np.float64],
    starts: NDArray[np.int64],
    share: float,
) -> NDArray[np.float64]:
    """:func:`one_tempered` of each row of ``past``, as if it were not among them."""
    out = np.empty(len(past))
    for key in range(len(starts) - 1):
        start, stop = starts[key], starts[key + 1]
        for i in range(start, stop):
            p = one_p_value(past[i], ordered, tail)
            largest = past[stop - 1] if i < stop - 1 else past[max(stop - 2, start)]
            reached = at_least(past, start, stop, past[i]) - 1
            out[i] = mixed(p, stop - start - 1, reached, one_p_value(largest, ordered, tail), share)
    return out
