"""Log entries and what is said of them."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.workflows.job_requests import Number  # noqa: TC001 - pydantic reads it

Probability = Annotated[float, Field(ge=0, le=1)]
Severity = Literal["normal", "low", "medium", "high", "critical"]


class LogEntry(BaseModel):
    """A log entry, with any of these fields or other usual names of them, such as ``ts`` or ``msg``."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "anyOf": [
                {"required": [name]}
                for name in ("timestamp", "level", "service", "message", "response_time", "latency_ms", "status_code")
            ],
            "examples": [
                {
                    "timestamp": "2026-01-31T12:00:00Z",
                    "level": "ERROR",
                    "service": "payment",
                    "message": "Connection refused after 3 retries",
                    "response_time": 1250.0,
                    "status_code": 503,
                }
            ],
        },
    )

    timestamp: datetime | None = Field(None, description="ISO 8601, or seconds since 1970.")
    level: str | None = Field(None, description="In any dialect: DEBUG, INFO, WARN, ERROR, CRITICAL.")
    service: str | None = None
    message: str | None = None
    response_time: float | None = Field(None, description="Milliseconds.")
    latency_ms: float | None = Field(None, description="The same as response_time.")
    status_code: int | None = None
    log_id: str | None = Field(None, max_length=200, description="Your own id; feedback names it.")


class Detection(BaseModel):
    """The verdict on an entry."""

    is_anomaly: bool
    anomaly_score: Probability
    severity: Severity
    confidence: Probability
    prediction: Literal[-1, 1]
    log_id: str
    detection_method: str = Field(description="The method that found the entry oddest.")
    timestamp: str


class Detections(BaseModel):
    """The verdicts on several entries, in order."""

    results: list[Detection]
    total: int
    anomalies: int


class MethodVerdict(BaseModel):
    """What one method says."""

    anomaly_score: Probability
    is_anomaly: bool
    method: str
    metrics: dict[str, float] | None = None


class Scored(BaseModel):
    """The verdict on an entry, with what each method says."""

    score: float
    p_value: Probability
    anomaly_score: Probability
    is_anomaly: bool
    severity: Severity
    confidence: Probability
    methods: dict[str, MethodVerdict]
    log_id: str
    model: str


class SmallEntry(BaseModel):
    """What the small model looks at."""

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"latency_ms": 2500, "level": "ERROR"}]})

    latency_ms: float | None = None
    level: str | None = None


class Predicted(BaseModel):
    """The verdict of the small model."""

    is_anomaly: bool
    anomaly_score: Probability
    severity: Severity
    confidence: Probability
    model: str


class Statistics(BaseModel):
    """What the window of a service holds; latencies in milliseconds, null where no entry has one."""

    service: str
    window_minutes: float
    total_logs: int
    error_count: int
    error_rate: float
    avg_latency: float | None
    max_latency: float | None
    min_latency: float | None


class TrainingRows(BaseModel):
    """Rows for the small model."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [[100, 0], [150, 0], [2000, 2]]}]})

    data: list[tuple[Number, Number]] = Field(
        min_length=1,
        max_length=1_000_000,
        description="A latency in milliseconds and a level score: 0 fine, 1 a warning, 2 an error.",
    )


class SmallTrained(BaseModel):
    """The new version of the small model."""

    status: Literal["trained"]
    model: str
    version: int
    rows: int = Field(description="Rows that were given.")
    generated_rows: int = Field(description="Rows of a generated log that were added because few were given.")
