"""Array loops of similarities exp(-gamma * distance²) to some reference rows; sums run in the order of the references.

Reference rows lie in blocks of :data:`LANES`, column by column within a block, so that the compiler works on many of
them at once. A last block that is not full is filled up with rows of weight 0.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._block_kernels import LANES
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROWS = 64
"""Rows that meet one block together, so that it is read from near memory."""


@inlined
def _similarities(row: NDArray[np.float32], block: Floats, gamma: float, found: Floats) -> None:
    """Fill ``found`` (LANES,) with the similarities of a row to the rows of one block."""
    for i in range(LANES):
        found[i] = 0.0
    for j in range(block.shape[0]):
        value = np.float64(row[j])
        for i in range(LANES):
            gap = block[j, i] - value
            found[i] += gap * gap
    for i in range(LANES):
        found[i] = math.exp(-gamma * found[i])


@kernel
def similarities(X: NDArray[np.float32], blocks: Floats, gamma: float) -> Floats:
    """(n, blocks * LANES) the similarity of each row to each reference row."""
    found = np.empty((X.shape[0], blocks.shape[0] * LANES))
    for i in range(X.shape[0]):
        for b in range(blocks.shape[0]):
            _similarities(X[i], blocks[b], gamma, found[i, b * LANES : (b + 1) * LANES])
    return found


@kernel
def weighted_similarity(X: NDArray[np.float32], blocks: Floats, weights: Floats, gamma: float) -> Floats:
    """(n,) the sum of each row's similarities, each times the weight (blocks, LANES) of its reference row."""
    sums, found = np.zeros(X.shape[0]), np.empty(LANES)
    for first in range(0, X.shape[0], ROWS):
        for b in range(blocks.shape[0]):
            for i in range(first, min(first + ROWS, X.shape[0])):
                _similarities(X[i], blocks[b], gamma, found)
                for k in range(LANES):
                    sums[i] += weights[b, k] * found[k]
    return sums
