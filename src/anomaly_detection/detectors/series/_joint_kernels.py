"""Array loops of joint.py: how far rows are from where training rows lay, together and channel by channel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def advance_joint(
    values: NDArray[np.float64],
    frame: NDArray[np.float64],
    turn: NDArray[np.float64],
    unseen: float,
    last: NDArray[np.float64],
    distances: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> None:
    """Distances of rows, and of their changes since the row before; the rows are then the last ones.

    Parameters
    ----------
    values : (n, d), NaN where missing: a missing value is where it is expected, and has not changed.
    frame : (4, d) middle and scale of each channel, and of its changes; a scale of 0 is a channel that never varied.
    turn : (2, d, d) each row makes a number of scaled values, or changes; those of training rows vary by 1.
    unseen : how many scales a value of a channel that never varied is away if it differs.
    last : (d,) the last known value of each channel, NaN if none; changed in place.
    distances : (n, 4) filled: together and by channel, then the changes together and by channel.
    shares : (n, d) filled: how far each channel is away, with its changes.
    """
    n, d = values.shape
    away = np.empty((2, d))
    for i in range(n):
        for k in range(d):
            x = values[i, k]
            change = x - last[k]
            away[0, k] = _scaled(x, frame[0, k], frame[1, k], unseen)
            away[1, k] = _scaled(change, frame[2, k], frame[3, k], unseen)
            if not math.isnan(x):
                last[k] = x
            shares[i, k] = math.sqrt(away[0, k] ** 2 + away[1, k] ** 2)
        for view in range(2):
            distances[i, 2 * view] = _together(away[view], frame[2 * view + 1], turn[view])
            distances[i, 2 * view + 1] = _apart(away[view])


@inlined
def _scaled(x: float, middle: float, scale: float, unseen: float) -> float:
    """How many scales a value is away; 0 where it is missing."""
    if math.isnan(x):
        return 0.0
    if scale > 0.0:
        return (x - middle) / scale
    return 0.0 if x == middle else unseen


@inlined
def _together(away: NDArray[np.float64], scales: NDArray[np.float64], turn: NDArray[np.float64]) -> float:
    """The distance in the shape of the training rows; channels that never varied count as they are."""
    total = 0.0
    for j in range(len(away)):
        if scales[j] == 0.0:
            total += away[j] * away[j]
    for row in turn:
        part = 0.0
        for j in range(len(away)):
            part += row[j] * away[j]
        total += part * part
    return math.sqrt(total)


@inlined
def _apart(away: NDArray[np.float64]) -> float:
    """The power mean (3/2) of the distances of the channels: between the mean and the largest."""
    total = 0.0
    for one in away:
        total += abs(one) * math.sqrt(abs(one))
    return float((total / len(away)) ** (2.0 / 3.0))
