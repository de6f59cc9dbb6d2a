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
    lean: float,
    most: float,
    lately: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the distance of the rate, or of a longer pause, in spreads: the larger one, at least 0.

    Parameters
    ----------
    measured : (n, 2) of :func:`measure_rates`.
    usual : (t + 1, 4) mean and spread of both for each template, those of unseen ones last.
    lean, most : the means of unseen ones are those of lines since, and of what training says of all with the weight of
        ``lean`` lines; a line weighs ``1 / most`` at least.
    lately : (4,) how many rates and pauses of unseen templates there were, and their means; changed in place.
    """
    last = len(usual) - 1
    for i in range(len(templates)):
        k = templates[i]
        unseen = k < 0 or k >= last
        row = usual[last] if unseen else usual[k]
        rate, pause = (lately[1], lately[3]) if unseen else (row[0], row[2])
        out[i] = abs(measured[i, 0] - rate) / row[1]
        if not math.isnan(measured[i, 1]):
            out[i] = max(out[i], (measured[i, 1] - pause) / row[3])
        if unseen:
            for side in range(2):
                if not math.isnan(measured[i, side]):
                    weight = min(lately[2 * side] + lean + 1.0, most)
                    lately[2 * side] += 1.0
                    lately[2 * side + 1] += (measured[i, side] - lately[2 * side + 1]) / weight
