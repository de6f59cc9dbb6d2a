"""Array loops of patterns.py: how near a session's counts are to those of training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def density(
    counts: NDArray[np.float32], known: NDArray[np.float32], shares: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Fill ``out`` (n,) with ``-ln`` of the sum of the shares of known patterns, each less by ``exp(-distance)``.

    Parameters
    ----------
    counts, known : (n, c) and (k, c), scaled; the distance is Euclidean.
    shares : (k,) of the sessions.
    """
    distances = np.empty(len(known))
    for i in range(len(counts)):
        nearest = math.inf
        for k in range(len(known)):
            total = 0.0
            for j in range(counts.shape[1]):
                gap = counts[i, j] - known[k, j]
                total += gap * gap
            distances[k] = math.sqrt(total)
            nearest = min(nearest, distances[k])
        total = 0.0
        for k in range(len(known)):
            total += shares[k] * math.exp(nearest - distances[k])
        out[i] = nearest - math.log(total)
