"""Rows in blocks of :data:`LANES`, one column after the other, so that the compiler works on many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 64
"""Rows in a block."""

LIMIT = 2.0**50
"""The largest scaled value: its square, summed over any number of columns, stays finite in float32."""


@inlined
def squared_distances_from(
    blocks: NDArray[np.float32], row: NDArray[np.float32], lanes: NDArray[np.float32], squared: NDArray[np.float32]
) -> None:
    """Fill ``squared`` with the squared distances of a scaled row from all rows in the blocks.

    They are added up in float32, in the order of the columns.

    Parameters
    ----------
    blocks : (b, d, LANES) scaled rows.
    row : (d,)
    lanes : (LANES,) is overwritten.
    squared : (b * LANES,) receives the squared distances.
    """
    for at in range(blocks.shape[0]):
        for i in range(LANES):
            lanes[i] = np.float32(0.0)
        for j in range(blocks.shape[1]):
            value = row[j]
            for i in range(LANES):
                gap = blocks[at, j, i] - value
                lanes[i] += gap * gap
        for i in range(LANES):
            squared[at * LANES + i] = lanes[i]
