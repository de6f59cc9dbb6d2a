"""Every measure in one pass over the rows in order of score, each row counted as often as a sample drew it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def share(part: float, whole: float) -> float:
    """Part of whole; NaN of nothing."""
    return part / whole if whole > 0.0 else np.nan


@kernel
def measures(
    counts: NDArray[np.int64],
    order: NDArray[np.int64],
    anomalous: NDArray[np.bool_],
    flagged: NDArray[np.bool_],
    at: int,
) -> NDArray[np.float64]:
    """The seven measures, NaN where undefined.

    Parameters
    ----------
    counts : (n,) how often each row counts.
    order : (n,) row numbers, highest score first; the last of each group of equal scores as ``-1 - row``.
    anomalous, flagged : (n,) by row.
    at : the n of precision at n, or 0 for the number of anomalies.
    """
    total, positives, flags, true_flags = 0.0, 0.0, 0.0, 0.0
    for row in range(len(counts)):
        count = float(counts[row])
        total += count
        positives += count * anomalous[row]
        flags += count * flagged[row]
        true_flags += count * (anomalous[row] and flagged[row])
    n = min(float(at), total) if at > 0 else positives
    hits, seen, area, precision, hits_at_n = 0.0, 0.0, 0.0, 0.0, 0.0
    gained, passed = 0.0, 0.0
    for entry in order:
        row = entry if entry >= 0 else -1 - entry
        passed += counts[row]
        gained += counts[row] * anomalous[row]
        if entry >= 0 or passed == 0.0:
            continue
        if seen < n:
            hits_at_n = hits + gained * min(1.0, (n - seen) / passed)
        area += (passed - gained) * (hits + 0.5 * gained)
        hits += gained
        seen += passed
        precision += gained * hits / seen
        gained, passed = 0.0, 0.0
    return np.array(
        [
            share(true_flags, flags),
            share(true_flags, positives),
            share(2.0 * true_flags, flags + positives),
            share(area, positives * (total - positives)),
            share(precision, positives),
            share(flags - true_flags, total - positives),
            share(hits_at_n, n),
        ]
    )
