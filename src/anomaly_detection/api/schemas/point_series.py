"""Series of points, in the shapes of Azure's Anomaly Detector."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.workflows.point_gaps import Fill  # noqa: TC001 - Pydantic reads it

Granularity = Literal["yearly", "monthly", "weekly", "daily", "hourly", "minutely", "secondly", "microsecond", "none"]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]

POINTS: list[Any] = [{"timestamp": f"2026-03-{day:02}T00:00:00Z", "value": 30.0 + day % 3} for day in range(1, 14)]


class Point(BaseModel):
    """A value at a time."""

    model_config = ConfigDict(strict=True)

    timestamp: Annotated[str | None, Field(max_length=60)] = None
    value: Finite


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [{"series": POINTS, "granularity": "daily"}]})

    series: Annotated[list[Point], Field(description="12 to 8,640 points in order of time.")]
    granularity: Granularity = "none"
    customInterval: Annotated[int | None, Field(ge=1, le=1_000_000)] = None  # noqa: N815 - Azure's name
    period: Annotated[int | None, Field(ge=0, le=8640)] = None


class DetectionRequest(_Request):
    """A series to judge."""

    maxAnomalyRatio: Annotated[float | None, Field(gt=0, lt=0.5)] = None  # noqa: N815
    sensitivity: Annotated[int | None, Field(ge=0, le=99)] = None
    imputeMode: Fill | None = None  # noqa: N815
    imputeFixedValue: Finite | None = None  # noqa: N815


class ChangeRequest(_Request):
    """A series to find change points in."""

    granularity: Granularity
    stableTrendWindow: Annotated[int | None, Field(ge=1, le=8640)] = None  # noqa: N815
    threshold: Annotated[float | None, Field(ge=0, le=1)] = None


class EntireAnswer(BaseModel):
    """The verdict on every point."""

    period: int
    expectedValues: list[float]  # noqa: N815
    upperMargins: list[float]  # noqa: N815
    lowerMargins: list[float]  # noqa: N815
    isAnomaly: list[bool]  # noqa: N815
    isPositiveAnomaly: list[bool]  # noqa: N815
    isNegativeAnomaly: list[bool]  # noqa: N815
    severity: list[float]


class LastAnswer(BaseModel):
    """The verdict on the last point."""

    period: int
    suggestedWindow: int  # noqa: N815
    expectedValue: float  # noqa: N815
    upperMargin: float  # noqa: N815
    lowerMargin: float  # noqa: N815
    isAnomaly: bool  # noqa: N815
    isPositiveAnomaly: bool  # noqa: N815
    isNegativeAnomaly: bool  # noqa: N815
    severity: float


class ChangeAnswer(BaseModel):
    """The change points."""

    period: int
    isChangePoint: list[bool]  # noqa: N815
    confidenceScores: list[float]  # noqa: N815


class SeriesError(BaseModel):
    """Why a series cannot be judged."""

    code: Annotated[str, Field(examples=["InvalidSeries"])]
    message: str
