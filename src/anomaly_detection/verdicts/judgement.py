"""p-value and alarm line → verdict.

The formulas are those of ARCHITECTURE.md, "What a verdict means". One compiled function serves a batch and a single
record, so both say the same to the last bit, and the flag, the severity and the anomaly score never disagree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc

from anomaly_detection.errors import ParameterError
from anomaly_detection.results import SEVERITIES, Result, Verdict
from anomaly_detection.verdicts._verdict_kernels import many_verdicts, one_verdict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


BARELY = 1e-20
"""Taken from 1, this leaves 1."""


def judge(score: ArrayLike, p_value: ArrayLike, alpha: float, n_calibration: int | NDArray[np.int64]) -> Result:
    """Make verdicts for many records.

    Parameters
    ----------
    score : (n,) the detector's raw scores.
    p_value : (n,) in (0, 1], the calibrated p-values of these scores.
    alpha : in (0, 1), the p-value at and below which a record is an anomaly.
    n_calibration : how many scores the p-values were estimated from, at least 1; one number, or one per record.

    Raises
    ------
    ParameterError
        if ``alpha`` or ``n_calibration`` is out of range.

    Examples
    --------
    >>> result = judge([0.1, 0.9], [0.5, 0.001], alpha=0.01, n_calibration=1000)
    >>> result.is_anomaly, result.severity
    (array([False,  True]), array(['normal', 'high'], dtype='<U8'))
    """
    _check(alpha, n_calibration)
    p = np.ascontiguousarray(p_value, dtype=np.float64)
    anomaly_score, severity_code = many_verdicts(p, float(alpha))
    flags = p <= alpha
    return Result(
        score=np.ascontiguousarray(score, dtype=np.float64),
        p_value=p,
        anomaly_score=anomaly_score,
        is_anomaly=flags,
        severity_code=severity_code,
        confidence=_confidence(p, flags, alpha, n_calibration),
        alpha=float(alpha),
    )


def judge_one(score: float, p_value: float, alpha: float, n_calibration: int) -> Verdict:
    """Make the verdict on one record; bit for bit that of :func:`judge`.

    Meant for a pipeline that has checked ``alpha`` and ``n_calibration`` already; see :func:`judge` for what they are.

    >>> judge_one(0.9, 0.001, alpha=0.01, n_calibration=1000).severity
    'high'
    """
    anomaly_score, severity_code = one_verdict(p_value, alpha)
    flag = p_value <= alpha
    below = float(betainc(p_value * (n_calibration + 1.0), (1.0 - p_value) * (n_calibration + 1.0), alpha))
    return Verdict(score, p_value, anomaly_score, flag, SEVERITIES[severity_code], below if flag else 1.0 - below)


def _confidence(
    p: NDArray[np.float64], flags: NDArray[np.bool_], alpha: float, n_calibration: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    """P(the true p lies on the same side of ``alpha``), it being Beta(p(n+1), (1-p)(n+1)) given the sample."""
    if not isinstance(n_calibration, np.ndarray):
        near = np.flatnonzero(~(p >= _certain(alpha, int(n_calibration))))
        confidence = np.ones(len(p))
        confidence[near] = _of_both_sides(p[near], flags[near], alpha, n_calibration)
        return confidence
    return _of_both_sides(p, flags, alpha, n_calibration)


def _of_both_sides(
    p: NDArray[np.float64], flags: NDArray[np.bool_], alpha: float, n_calibration: int | NDArray[np.int64]
) -> NDArray[np.float64]:
    below = betainc(p * (n_calibration + 1.0), (1.0 - p) * (n_calibration + 1.0), alpha)
    confidence: NDArray[np.float64] = np.where(flags, below, 1.0 - below)
    return confidence


@lru_cache(maxsize=256)
def _certain(alpha: float, n_calibration: int) -> float:
    """A p-value from which on the confidence is 1 to the last bit: most rows lie there."""
    low, high = alpha, 1.0
    for _ in range(30):
        p = 0.5 * (low + high)
        below = betainc(p * (n_calibration + 1.0), (1.0 - p) * (n_calibration + 1.0), alpha)
        low, high = (low, p) if below < BARELY else (p, high)
    return high if high < 1.0 else np.inf


def _check(alpha: float, n_calibration: int | NDArray[np.int64]) -> None:
    if not 0.0 < alpha < 1.0:
        raise ParameterError(f"alpha={alpha!r} must be above 0 and below 1; 0.01 flags one normal record in a hundred.")
    if np.less(n_calibration, 1).any():
        raise ParameterError(f"n_calibration={n_calibration!r} must be at least 1.")
