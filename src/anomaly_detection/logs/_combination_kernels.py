"""Array loops of combination.py: the surprises of several methods as one score, line by line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def combine(
    p_values: NDArray[np.float64],
    weights: NDArray[np.float64],
    names: NDArray[np.uint64],
    owners: NDArray[np.uint64],
    recent: NDArray[np.float64],
    keep: float,
    share: float,
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n,) with the weighted sum of ``-ln p``, and a share of what it lately was in the same session.

    Parameters
    ----------
    p_values : (n, m) in (0, 1].
    weights : (m,)
    names : (n,) hashes of the sessions.
    owners, recent : (2 ** k,) whose surprise is at a place, and the decayed mean of its sums; changed in place.
    keep : what is left of the mean after a line.
    share : how much of it is added.
    """
    last = np.uint64(len(owners) - 1)
    for i in range(len(p_values)):
        place = np.int64(names[i] & last)
        if owners[place] != names[i]:
            owners[place] = names[i]
            recent[place] = 0.0
        total = 0.0
        for k in range(p_values.shape[1]):
            total -= weights[k] * math.log(p_values[i, k])
        out[i] = total + share * recent[place]
        recent[place] = keep * recent[place] + (1.0 - keep) * total
