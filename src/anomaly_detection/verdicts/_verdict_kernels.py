"""The anomaly score and the severity of a p-value: one compiled function, used for one row and for many."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel, lean
from anomaly_detection.results import SEVERITY_LINES

if TYPE_CHECKING:
    from numpy.typing import NDArray

LINE, MEDIUM, HIGH, CRITICAL = SEVERITY_LINES
JUST_BELOW = float(np.nextafter(LINE, 0.0))


@lean
def one_anomaly_score(p: float, alpha: float) -> float:
    """In [0, 1]; at least 0.6 exactly where ``p <= alpha``, however the logarithms round."""
    if p > alpha:
        return min(LINE * math.log(p) / math.log(alpha) + 0.0, JUST_BELOW)
    return min(LINE + 0.2 * math.log10(alpha / p), 1.0)


@lean
def one_severity(anomaly_score: float) -> int:
    """How many of the severity lines the anomaly score reaches."""
    return (
        int(anomaly_score >= LINE)
        + int(anomaly_score >= MEDIUM)
        + int(anomaly_score >= HIGH)
        + int(anomaly_score >= CRITICAL)
    )


@lean
def one_verdict(p: float, alpha: float) -> tuple[float, int]:
    """The anomaly score and the severity of one p-value."""
    anomaly_score = one_anomaly_score(p, alpha)
    return anomaly_score, one_severity(anomaly_score)


@kernel
def many_verdicts(p: NDArray[np.float64], alpha: float) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """:func:`one_verdict` of each p-value."""
    anomaly_score = np.empty(len(p))
    severity = np.empty(len(p), np.int8)
    for i in range(len(p)):
        anomaly_score[i], severity[i] = one_verdict(p[i], alpha)
    return anomaly_score, severity
