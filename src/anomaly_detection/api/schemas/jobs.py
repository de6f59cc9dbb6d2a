"""Jobs, as they are asked for and shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from anomaly_detection.workflows import job_requests

if TYPE_CHECKING:
    from anomaly_detection.jobs import Job

State = Literal["waiting", "running", "done", "failed", "cancelled"]

FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2500, 1, 1, tzinfo=UTC)

UPLOAD = "5f0c1ae2b7d94c6f8a3be41d07f2c6e9.csv"


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: Annotated[job_requests.Whole, Field(ge=-100, le=100, description="The higher, the sooner.")] = 0
    run_after: Annotated[AwareDatetime, Field(gt=FIRST, lt=LAST, description="Not before.")] | None = None
    dedupe: Annotated[
        str | None, Field(min_length=1, max_length=120, description="As long as a job of that name is known, it is it.")
    ] = None
    max_attempts: Annotated[job_requests.Whole, Field(ge=1, le=10)] = 3


class TrainRequest(_Request):
    """Train a model."""

    kind: Literal["train"]
    payload: job_requests.Train


class TuneRequest(_Request):
    """Tune a model."""

    kind: Literal["tune"]
    payload: job_requests.Tune


class DetectRequest(_Request):
    """Judge a table."""

    kind: Literal["detect"]
    payload: job_requests.Detect


class BacktestRequest(_Request):
    """Replay a history."""

    kind: Literal["backtest"]
    payload: job_requests.Backtest


class RetainRequest(_Request):
    """Delete what is old."""

    kind: Literal["retain"]
    payload: job_requests.Retain = job_requests.Retain()


class VolumeRequest(_Request):
    """Learn the row counts of a table."""

    kind: Literal["volume"]
    payload: job_requests.Volume


JobRequest = Annotated[
    TrainRequest | TuneRequest | DetectRequest | BacktestRequest | RetainRequest | VolumeRequest,
    Field(discriminator="kind"),
]

EXAMPLES = {
    "train": {"value": {"kind": "train", "payload": {"upload": UPLOAD, "name": "orders", "label": "fraud"}}},
    "tune": {"value": {"kind": "tune", "payload": {"upload": UPLOAD, "name": "orders", "trials": 30}}},
    "detect": {"value": {"kind": "detect", "payload": {"upload": UPLOAD, "model": "orders@production"}}},
    "backtest": {"value": {"kind": "backtest", "payload": {"upload": UPLOAD, "timestamp": "time"}}},
    "volume": {"value": {"kind": "volume", "payload": {"table_id": "shop.orders", "training_days": 90}}},
    "retain": {"value": {"kind": "retain", "payload": {"days": 30}}},
}


class JobAnswer(BaseModel):
    """A job as it is now."""

    id: str
    kind: str
    payload: dict[str, Any]
    state: State
    priority: int
    progress: float = Field(description="The share of the present step that is done.")
    step: str
    result: dict[str, Any] | None
    problem: str | None
    attempts: int
    max_attempts: int
    dedupe: str | None
    asked_by: str
    cancel_asked: bool
    created: datetime
    run_after: datetime
    started: datetime | None
    ended: datetime | None

    @classmethod
    def of(cls, job: Job) -> Self:
        """What is shown of a job: all but who runs it."""
        return cls(**{name: getattr(job, name) for name in cls.model_fields})


class JobPage(BaseModel):
    """Some jobs, the newest first, and where the next ones begin; null where there are none."""

    items: list[JobAnswer]
    after: str | None


class LineAnswer(BaseModel):
    """A line that a job logged."""

    id: int
    at: datetime
    text: str


class LinePage(BaseModel):
    """Some lines, in order, and what to ask for to get those behind."""

    items: list[LineAnswer]
    after: int


class UploadAnswer(BaseModel):
    """A file that was sent; jobs name it by its id."""

    id: str
    size: int


class VolumeTraining(job_requests.Volume):
    """Learn the row counts of a table."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"table_id": "shop.orders", "training_days": 90}]},
    )
