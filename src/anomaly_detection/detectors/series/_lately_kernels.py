"""Array loops of lately.py: which of the latest rows lies farthest from what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import lean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@lean
def find_oddest(
    away: NDArray[np.float64], lengths: NDArray[np.int64], back: NDArray[np.int64], channel: NDArray[np.int64]
) -> None:
    """For each row, the row and the channel with the largest value among so many of the latest; the latest of equals.

    Parameters
    ----------
    away : (p + n, d) how far each value is from what was expected, p rows from before; NaN where nothing is known.
    lengths : (n,) how many rows are looked at, the row itself included.
    back, channel : (n,) filled: how many rows before, and in which channel; 0 where nothing is known.
    """
    n = len(lengths)
    before = len(away) - n
    for i in range(n):
        back[i], channel[i], most = 0, 0, -1.0
        for j in range(min(lengths[i], before + i + 1)):
            for k in range(away.shape[1]):
                if away[before + i - j, k] > most:
                    back[i], channel[i], most = j, k, away[before + i - j, k]
