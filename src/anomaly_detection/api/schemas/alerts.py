"""Alarms, feedback and what follows from it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anomaly_detection.api.schemas.logs import Probability, Severity  # noqa: TC001

AlertState = Literal["open", "acknowledged", "resolved"]


class Alert(BaseModel):
    """An alarm."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    model: str
    version: int
    record_id: str
    key: str
    at: datetime = Field(description="When it happened.")
    received: datetime = Field(description="When it was judged.")
    severity: Severity
    anomaly_score: Probability
    p_value: Probability
    confidence: Probability
    reason: str
    record: dict[str, Any]
    state: AlertState
    changed: datetime


class Alerts(BaseModel):
    """A page of alarms, the latest first."""

    alerts: list[Alert]
    next: str | None = Field(description="What to give as after for the next page; null at the end.")


class Feedback(BaseModel):
    """What you say of a verdict, by the id of its alarm or of its record."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"alert_id": "5f2b…", "is_anomaly": False, "note": "planned restart"}],
            "anyOf": [{"required": ["alert_id"]}, {"required": ["record_id"]}],
        },
    )

    is_anomaly: bool
    alert_id: str | None = Field(None, max_length=32)
    record_id: str | None = Field(None, max_length=200)
    model: str | None = Field(None, max_length=120)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    note: str = Field("", max_length=2_000)

    @model_validator(mode="after")
    def _names_one(self) -> Feedback:
        if self.alert_id is None and self.record_id is None:
            raise ValueError("Say of what: alert_id or record_id.")
        return self


class Label(BaseModel):
    """What somebody said of a verdict."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    model: str
    version: int
    record_id: str
    is_anomaly: bool
    was_flagged: bool
    anomaly_score: float | None
    said_by: str
    at: datetime
    note: str


class Labels(BaseModel):
    """A page of labels, the latest first."""

    labels: list[Label]
    next: str | None


class Estimate(BaseModel):
    """A share, and between which two it lies with a probability of 95 %."""

    model_config = ConfigDict(from_attributes=True)

    value: Probability
    low: Probability
    high: Probability


class LabelCounts(BaseModel):
    """How many labels are what."""

    model_config = ConfigDict(from_attributes=True)

    hits: int
    false_alarms: int
    misses: int
    quiet: int


class LiveQuality(BaseModel):
    """How good a version is in use; null where labels do not say."""

    model_config = ConfigDict(from_attributes=True)

    labels: LabelCounts
    records: int
    alarms: int
    precision: Estimate | None
    recall: Estimate | None
    false_positive_rate: Estimate | None
    missing: list[str] = Field(description="What has to be labelled for what is null.")


class ModelQuality(BaseModel):
    """How good the versions of a model are in use, by their numbers."""

    model: str
    versions: dict[int, LiveQuality]


class KeptVerdict(BaseModel):
    """A verdict of the past."""

    version: int
    id: str
    key: str
    at: datetime
    score: float | None
    p_value: Probability
    anomaly_score: Probability
    is_anomaly: bool
    severity: Severity
    confidence: Probability


class Past(BaseModel):
    """Verdicts of the past, the latest first."""

    model: str
    verdicts: list[KeptVerdict]
