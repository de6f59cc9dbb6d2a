"""Models and their versions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.api.schemas.common import Asked, Rows

Reference = Annotated[
    str, Field(min_length=1, max_length=200, description="A model such as `orders`, `orders@production` or `orders@3`.")
]
Label = Annotated[str, Field(max_length=1_000, description="The column that says which rows are anomalies.")]


class Algorithm(BaseModel):
    """An algorithm that can be named."""

    name: str
    aliases: list[str]
    labels: list[str]
    extra: str | None
    summary: str


class Version(BaseModel):
    """One version of a model; it never changes."""

    name: str
    version: int
    created: str
    digest: str
    size: int
    metrics: dict[str, float]
    lineage: dict[str, Any] | None
    aliases: list[str]
    imported_from: str | None
    problem: str | None


class Versions(BaseModel):
    """The versions of a model, the oldest first."""

    items: list[Version]


class Model(BaseModel):
    """A model: its versions, its aliases, its newest version."""

    name: str
    versions: list[int]
    aliases: dict[str, int]
    latest: Version


class ModelPage(BaseModel):
    """Some of the models, by name."""

    items: list[Model]
    after: Annotated[str | None, Field(description="Send it as `after` for those that follow; null at the end.")]


class AliasChange(BaseModel):
    """One move of an alias."""

    alias: str
    version: int | None
    previous: int | None
    action: str
    at: str


class History(BaseModel):
    """The moves of the aliases of a model, the oldest first."""

    items: list[AliasChange]


class Promotion(Asked):
    """Where an alias is to point."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"version": 3, "replacing": 2}]})

    version: Annotated[int, Field(ge=1, le=2**53)]
    replacing: Annotated[
        int | None,
        Field(
            ge=0,
            le=2**53,
            description="The version that it points at until now, 0 for a new alias: 409 if somebody else was first.",
        ),
    ] = None


class Deleted(BaseModel):
    """The versions that were deleted; their numbers never come back."""

    deleted: list[int]


class DroppedAlias(BaseModel):
    """An alias that is gone, and the version it pointed at."""

    alias: str
    version: int


class ExplainRequest(Asked):
    """Rows to explain."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"data": [{"amount": 9000.0, "country": "XX"}]}]})

    data: Annotated[Rows, Field(max_length=200)]
    most: Annotated[int, Field(ge=1, le=50, description="The most columns that are named.")] = 3
    actionable: Annotated[
        list[str] | None, Field(max_length=1_000, description="The columns that a change may touch; all if not given.")
    ] = None


class Explained(BaseModel):
    """A verdict and why."""

    model_config = ConfigDict(extra="allow")

    row: int
    score: float
    p_value: float
    anomaly_score: float
    is_anomaly: bool
    severity: str
    confidence: float
    explanation: dict[str, Any]


class ExplainAnswer(BaseModel):
    """Verdicts and reasons, in the order of the rows."""

    items: list[Explained]


class CounterfactualRequest(Asked):
    """A record that should have been normal."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"record": {"amount": 9000.0, "country": "NL"}, "actionable": ["amount"]}]}
    )

    record: Annotated[dict[str, Any], Field(min_length=1, max_length=10_000)]
    actionable: Annotated[list[str] | None, Field(max_length=1_000)] = None


class CounterfactualAnswer(BaseModel):
    """The smallest change that makes it normal, or why there is none."""

    verdict: dict[str, Any]
    counterfactual: dict[str, Any] | None
    why_not: str | None


class EvaluateRequest(Asked):
    """Rows with labels."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"data": [{"amount": 9000.0, "fraud": True}], "label": "fraud"}]}
    )

    data: Rows
    label: Label


class Evaluation(BaseModel):
    """How good the verdicts are; a measure that is undefined is null."""

    model_config = ConfigDict(extra="allow")

    rows: int
    anomalies: int
    precision: float | None
    recall: float | None
    f1: float | None
    auroc: float | None
    average_precision: float | None
    false_positive_rate: float | None


class CompareRequest(Asked):
    """Two versions, and labelled rows to judge with both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"a": "orders@1", "b": "orders@2"}]})

    a: Reference
    b: Reference
    data: Rows | None = None
    label: Label | None = None


class Compared(BaseModel):
    """The metrics of both when they were registered, and the differences on the same rows."""

    stored: list[dict[str, Any]]
    paired: dict[str, dict[str, Any]]
