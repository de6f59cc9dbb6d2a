"""Schedules, as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - Pydantic reads it
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.api.schemas.jobs import UPLOAD, JobRequest
from anomaly_detection.workflows.job_requests import Flag  # noqa: TC001 - Pydantic reads it

if TYPE_CHECKING:
    from anomaly_detection.store.schedules import Schedule


class ScheduleRequest(BaseModel):
    """A job, and when it is put again and again."""

    model_config = ConfigDict(extra="forbid")

    cron: Annotated[str, Field(min_length=9, max_length=120, description="Minute, hour, day, month, weekday.")]
    zone: Annotated[str, Field(max_length=60, description="The zone of the clock that is meant.")] = "UTC"
    enabled: Flag = True
    job: JobRequest


EXAMPLES: dict[str, Any] = {
    "nightly": {
        "value": {
            "cron": "30 3 * * *",
            "zone": "Europe/Berlin",
            "job": {"kind": "train", "payload": {"upload": UPLOAD, "name": "orders"}},
        }
    }
}


class ScheduleAnswer(BaseModel):
    """A schedule as it is now."""

    name: str
    cron: str
    zone: str
    kind: str
    payload: dict[str, Any]
    enabled: bool
    next_run: datetime
    last_run: datetime | None
    last_job: str | None

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """What is shown of a schedule."""
        return cls(**{name: getattr(schedule, name) for name in cls.model_fields})


class SchedulePage(BaseModel):
    """Some schedules by name, and where the next ones begin; null where there are none."""

    items: list[ScheduleAnswer]
    after: str | None
