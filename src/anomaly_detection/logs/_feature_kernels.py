"""Array loops over the features of lines: missing values filled in, windows held against what is usual."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def read_columns(
    X: NDArray[np.float32], logarithm: NDArray[np.bool_], fill: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Copy (n, d) rows with the values of ``fill`` (d,) for what is missing or infinite.

    Columns marked in ``logarithm`` (d,) are read as that of 1 + value; a value below 0 has none.
    """
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            value = X[i, j]
            if logarithm[j]:
                value = np.float32(math.log1p(np.float64(value))) if value >= 0.0 else np.float32(np.nan)
            out[i, j] = value if np.isfinite(value) else fill[j]


@kernel
def settle(features: NDArray[np.float32], columns: NDArray[np.int64], clock: NDArray[np.float64], begin: float) -> None:
    """Make columns missing before ``begin``; in place."""
    for i in range(len(clock)):
        if not clock[i] >= begin:
            for k in range(len(columns)):
                features[i, columns[k]] = np.nan


@kernel
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


@kernel
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
