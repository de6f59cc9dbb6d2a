"""Counters: values that only grow and start again from 0 at times; what counts is how much was added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 20
"""Fewer values than this are not called a counter."""

RISES = 0.5
"""Of the distances from row to row, at least so many are rises."""

RESETS = 0.02
"""Of the distances from row to row, at most so many are falls."""

LEFT = 0.1
"""After a fall, at most so much of the value is left: it started again."""

GROWN = 10.0
"""What was added in all is at least so many times what is usually added."""


def is_counter(present: NDArray[np.float64]) -> bool:
    """Whether values without missing ones only grow, but for starting again from 0.

    >>> is_counter(np.cumsum(np.ones(50))), is_counter(np.arange(50.0)[::-1]), is_counter(np.sin(np.arange(50.0)))
    (True, False, False)
    """
    if len(present) < FEWEST or present.min() < 0.0:
        return False
    added = np.diff(present)
    fell = np.flatnonzero(added < 0.0)
    if np.mean(added > 0.0) < RISES or len(fell) > RESETS * len(added):
        return False
    if (present[fell + 1] > LEFT * present[fell]).any():
        return False
    return bool(present.max() - present.min() >= GROWN * np.median(added[added > 0.0]))


def differences(values: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) how much was added since the last value that is there; after a fall, the value itself.

    Parameters
    ----------
    values : (n, d), NaN where missing.
    before : (d,) the last value of each channel so far, NaN if none; changed in place.

    >>> differences(np.array([[5.0], [7.0], [1.0]]), np.array([4.0])).ravel().tolist()
    [1.0, 2.0, 1.0]
    """
    if not len(values):
        return values.copy()
    every = np.concatenate([before[None], values])
    rows = np.where(np.isnan(every), 0, np.arange(len(every))[:, None])
    last = np.take_along_axis(every, np.maximum.accumulate(rows, axis=0), axis=0)
    added = values - last[:-1]
    before[:] = last[-1]
    found: NDArray[np.float64] = np.where(added < 0.0, values, added)
    return found
