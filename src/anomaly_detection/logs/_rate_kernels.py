"""Array loops of rates.py: how many lines of a template there were lately, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def measure_rates(
    templates: NDArray[np.int32],
    clock: NDArray[np.float64],
    seconds: float,
    counts: NDArray[np.float64],
    seen: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n, 2) with ``ln`` of the decayed count of each line's template, and of the gap since the last.

    Parameters
    ----------
    templates : (n,) ids; those outside the arrays share the last place.
    clock : (n,) seconds, never going back.
    seconds : a line counts 1 / e after so long.
    counts, seen : (t + 1,) decayed counts, and when each template was last seen, -inf if never; changed in place.
    """
    for i in range(len(templates)):
        k = templates[i]
        if k < 0 or k >= len(counts):
            k = len(counts) - 1
        gap = clock[i] - seen[k]
        counts[k] = counts[k] * math.exp(-gap / seconds) + 1.0
        seen[k] = clock[i]
        out[i, 0] = math.log(counts[k])
        out[i, 1] = math.log(gap + 0.001) if gap < math.inf else math.nan
