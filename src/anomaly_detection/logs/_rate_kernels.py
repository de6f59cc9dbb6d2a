"""Array loops of rates.py: how many lines of a template there were lately, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anomaly_detection.kernels import lean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@lean
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
    counts, seen : (t + 1,) decayed counts, and when each template was last seen, -inf if never; changed in place. What
        is counted of one that was never seen is from then.
    """
    for i in range(len(templates)):
        k = templates[i]
        if k < 0 or k >= len(counts):
            k = len(counts) - 1
        gap = clock[i] - seen[k]
        counts[k] = counts[k] * (math.exp(-gap / seconds) if gap < math.inf else 1.0) + 1.0
        seen[k] = clock[i]
        out[i, 0] = math.log(counts[k])
        out[i, 1] = math.log(gap + 0.001) if gap < math.inf else math.nan


@lean
def rate_distances(
    templates: NDArray[np.int32],
    measured: NDArray[np.float64],
    usual: NDArray[np.float32],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the distance of the rate, or of a longer pause, in spreads: the larger one, at least 0.

    Parameters
    ----------
    measured : (n, 2) of :func:`measure_rates`.
    usual : (t + 1, 4) mean and spread of both for each template, those of unseen ones last.
    """
    for i in range(len(templates)):
        k = templates[i]
        row = usual[k] if 0 <= k < len(usual) else usual[len(usual) - 1]
        out[i] = abs(measured[i, 0] - row[0]) / row[1]
        if not math.isnan(measured[i, 1]):
            out[i] = max(out[i], (measured[i, 1] - row[2]) / row[3])
