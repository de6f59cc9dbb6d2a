"""Streams and batches of records."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.api.schemas.logs import Probability, Severity  # noqa: TC001


class Stream(BaseModel):
    """A stream that is open, or can be resumed."""

    id: str
    model: str
    is_connected: bool
    records: int
    anomalies: int
    opened: float = Field(description="Seconds since 1970.")
    used: float = Field(description="Seconds since 1970.")


class Streams(BaseModel):
    """The streams, those used last at the end."""

    streams: list[Stream]


class Batch(BaseModel):
    """Records to be judged, as objects, or as rows of the values of the model's columns."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"records": [{"amount": 12.5, "country": "SE"}]}, {"data": [[1.0, 2.0], [3.0, 4.0]]}],
            "anyOf": [{"required": ["records"]}, {"required": ["data"]}],
        },
    )

    records: list[dict[str, Any]] | None = None
    data: list[list[Any]] | None = None
    ids: list[str] | None = Field(None, description="An id for each record; feedback names it.")


class RecordVerdict(BaseModel):
    """The verdict on a record."""

    id: str
    score: float | None
    p_value: Probability
    anomaly_score: Probability
    is_anomaly: bool
    severity: Severity
    confidence: Probability


class BatchVerdicts(BaseModel):
    """The verdicts on records, in order."""

    model: str
    results: list[RecordVerdict]
    total: int
    anomalies: int
