"""placeholder"""

from __future__ import annotations

from typing import Any

import msgspec


class VerdictRecord(msgspec.Struct, array_like=True, gc=False):
    """A verdict that is kept.

    Parameters
    ----------
    id : of the record.
    key : what it is about, such as a service; empty for none.
    at : when it happened, microseconds since 1970 in UTC.
    score, p_value, anomaly_score, is_anomaly, severity, confidence : the verdict.
    reason : why it is an anomaly, in words; empty for one that is none.
    record : the record itself, of an anomaly.
    """

    id: str
    key: str
    at: int
    score: float
    p_value: float
    anomaly_score: float
    is_anomaly: bool
    severity: str
    confidence: float
    reason: str = ""
    record: dict[str, Any] | None = None
