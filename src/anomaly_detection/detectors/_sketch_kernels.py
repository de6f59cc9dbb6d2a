"""The array loop of a sketch: columns are added up in groups, in the order of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT = 1e30
"""Sums beyond count as this, so that one wild value stays a number."""


@kernel
def add_up(
    X: NDArray[np.float32],
    centers: NDArray[np.float64],
    factors: NDArray[np.float64],
    places: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` (n, w): ``out[i, places[j]]`` is the sum over j of ``(X[i, j] - centers[j]) * factors[j]``.

    Parameters
    ----------
    X : (n, d) rows without missing values.
    centers, factors : (d,)
    places : (d,) from 0 to w - 1.
    out : (n, w) receives the sums.
    """
    n, d = X.shape
    sums = np.empty(out.shape[1])
    for i in range(n):
        sums[:] = 0.0
        for j in range(d):
            sums[places[j]] += (X[i, j] - centers[j]) * factors[j]
        for k in range(len(sums)):
            out[i, k] = np.float32(min(max(sums[k], -LIMIT), LIMIT))
