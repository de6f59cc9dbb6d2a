"""Array loops over the features of lines: missing values filled in, windows held against what is usual."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.kernels import inlined, kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray


PLAIN, LOGARITHM, NOTHING = range(3)
"""How a column is read."""


@kernel
def read_columns(
    X: NDArray[np.float32], kinds: NDArray[np.int8], fill: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Copy (n, d) rows with the values of ``fill`` (d,) for what is missing or infinite.

    Of the ``kinds`` (d,), LOGARITHM columns are read as that of 1 + value (none below 0), NOTHING ones are 0.
    """
    logarithms, nothing = np.flatnonzero(kinds == LOGARITHM), np.flatnonzero(kinds == NOTHING)
    for i in range(X.shape[0]):
        row, read = X[i], out[i]
        for j in range(X.shape[1]):
            read[j] = row[j] if np.isfinite(row[j]) else fill[j]
        for k in logarithms:
            value = np.float32(math.log1p(np.float64(row[k]))) if row[k] >= 0.0 else np.float32(np.nan)
            read[k] = value if np.isfinite(value) else fill[k]
        for k in nothing:
            read[k] = 0.0


@lean
def keep_time(
    times: NDArray[np.int64],
    seconds: float,
    clock: NDArray[np.float64],
    features: NDArray[np.float32],
    rolling: NDArray[np.int64],
    unused: NDArray[np.int64],
    window: NDArray[np.int64],
    out_clock: NDArray[np.float64],
    out_windows: NDArray[np.float32],
) -> None:
    """Fill ``out_clock`` (n,) with seconds that never go back, and take out what features do not say yet.

    Parameters
    ----------
    times : (n,) microseconds, or NO_TIME.
    seconds : the length of a window.
    clock : (3,) the latest time and when the first window has gone by, -inf before any time is known; lines so far.
        Changed in place.
    features : (n, d); ``rolling`` columns become missing until a window has gone by, ``unused`` ones always.
    window : columns of error rate and volume.
    out_clock : receives the number of the line where no time is known yet.
    out_windows : (n, 2) receives the window columns as they were, no error rate where no time is known.
    """
    for i in range(len(times)):
        if times[i] != NO_TIME:
            clock[0] = max(clock[0], times[i] / 1e6)
        known = clock[0] > -np.inf
        if known and clock[1] == -np.inf:
            clock[1] = clock[0] + seconds
        out_windows[i, 0] = features[i, window[0]] if known else np.float32(np.nan)
        out_windows[i, 1] = features[i, window[1]]
        if not (known and clock[0] >= clock[1]):
            for column in rolling:
                features[i, column] = np.nan
        for column in unused:
            features[i, column] = np.nan
        out_clock[i] = clock[0] if known else clock[2]
        clock[2] += 1.0


@lean
def window_values(
    rates: NDArray[np.float32],
    volumes: NDArray[np.float32],
    latencies: NDArray[np.float32],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n, 3): error rate, ``ln(1 + latency)`` or NaN, ``ln(1 + volume)``."""
    for i in range(len(latencies)):
        latency = np.float64(latencies[i])
        out[i, 0] = rates[i]
        out[i, 1] = math.log1p(latency) if 0.0 <= latency < np.inf else np.nan
        out[i, 2] = math.log1p(np.float64(volumes[i]))


@lean
def window_distances(
    values: NDArray[np.float64],
    volumes: NDArray[np.float32],
    usual: NDArray[np.float64],
    places: NDArray[np.int64],
    out: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n, 3) with the distances of the values in spreads, and ``total`` (n,) with their length.

    Parameters
    ----------
    volumes : (n,) lines in the window: the error rate of a few lines varies more.
    usual : (s + 1, 6) mean and spread of the three for each service, those of all services last.
    places : (n,) of the services, -1 for others.
    """
    for i in range(len(values)):
        row = usual[places[i]] if places[i] >= 0 else usual[len(usual) - 1]
        squares = 0.0
        for k in range(3):
            spread = row[2 * k + 1]
            if k == 0:
                mean = min(max(row[0], 0.01), 0.5)
                spread = math.sqrt(spread * spread + mean * (1.0 - mean) / max(volumes[i], 1.0))
            far = _distance(values[i, k], row[2 * k], spread, k < 2)
            out[i, k] = far
            squares += far * far
        total[i] = math.sqrt(squares)


@inlined
def _distance(value: float, mean: float, spread: float, upwards: bool) -> float:
    """0 where there is nothing to measure, and for what is below the mean where only more is odd."""
    far = (value - mean) / spread
    if math.isnan(far) or (upwards and far < 0.0):
        return 0.0
    return far
