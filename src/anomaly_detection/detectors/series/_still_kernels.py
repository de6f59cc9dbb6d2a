"""Array loops of flatline.py: how long nothing has changed, and how long there was nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def advance_still(
    values: NDArray[np.float64],
    steps: NDArray[np.float64],
    last: NDArray[np.float64],
    still: NDArray[np.float64],
) -> None:
    """Rows for which each channel has had the same value, or none.

    Parameters
    ----------
    values : (n, d), NaN where missing.
    steps : (n,) steps since the row before.
    last : (3, d) the last value, rows that it has stood, and steps without a value; changed in place.
    still : (2, n, d) filled: rows without change, and steps without a value up to the row.
    """
    for i in range(len(values)):
        for k in range(values.shape[1]):
            x = values[i, k]
            still[1, i, k] = last[2, k] + steps[i]
            if math.isnan(x):
                last[2, k] += steps[i]
            else:
                last[1, k] = last[1, k] + 1.0 if x == last[0, k] else 1.0
                last[0, k], last[2, k] = x, 0.0
            still[0, i, k] = last[1, k]
