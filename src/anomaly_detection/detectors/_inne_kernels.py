"""Array loops of isolation by nearest neighbours: balls around sampled rows.

Distances are squared and in float32, added up in the order of the columns. The balls of one sample lie side by side,
one column after the other, so that the compiler works on many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._block_kernels import LANES, LIMIT, squared_distances_from
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def squared_radii(centres: NDArray[np.float32], radii: NDArray[np.float32], nearest: NDArray[np.int64]) -> None:
    """Fill ``radii`` and ``nearest`` (t, s): squared distance and place of each centre's nearest other in its sample.

    Parameters
    ----------
    centres : (t, s, d) scaled rows of each sample; s is at least 2.
    radii : (t, s) receives the squared distances.
    nearest : (t, s) receives the places, of equally near ones the first.
    """
    for t in range(centres.shape[0]):
        for i in range(centres.shape[1]):
            radii[t, i] = np.float32(np.inf)
            for other in range(centres.shape[1]):
                if other == i:
                    continue
                total = np.float32(0.0)
                for j in range(centres.shape[2]):
                    gap = centres[t, other, j] - centres[t, i, j]
                    total += gap * gap
                if total < radii[t, i]:
                    radii[t, i] = total
                    nearest[t, i] = other


@kernel
def isolation(
    X: NDArray[np.float32],
    scale: float,
    blocks: NDArray[np.float32],
    radii: NDArray[np.float32],
    scores: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (m,) with the mean, over the samples, of the score of the smallest ball that covers a row; else 1.

    Parameters
    ----------
    X : (m, d) rows.
    scale : the power of two that the centres were multiplied by.
    blocks : (b, d, LANES) scaled centres, one sample after the other, each in the order of its radii.
    radii : (t, s) their squared radii, smallest first.
    scores : (t, s) the score of each ball.
    out : (m,) receives the means.
    """
    n_samples, size = radii.shape
    row = np.empty(X.shape[1], dtype=np.float32)
    total = np.empty(blocks.shape[0] * LANES, dtype=np.float32)
    lanes = np.empty(LANES, dtype=np.float32)
    for r in range(X.shape[0]):
        for j in range(X.shape[1]):
            row[j] = np.float32(min(max(X[r, j] * scale, -LIMIT), LIMIT))
        squared_distances_from(blocks, row, lanes, total)
        summed = 0.0
        for t in range(n_samples):
            score = 1.0
            for i in range(size):
                if total[t * size + i] <= radii[t, i]:
                    score = scores[t, i]
                    break
            summed += score
        out[r] = summed / n_samples
