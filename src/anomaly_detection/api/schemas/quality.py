"""Checks of tables."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.api.schemas.common import Asked

TableId = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["orders"])]
Time = Annotated[
    str | float,
    Field(description="ISO 8601, or seconds since 1970.", examples=["2026-03-29T06:30:00Z"]),
]
Alpha = Annotated[float, Field(ge=1e-9, lt=1, description="The share of normal runs that are called anomalous.")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Pair = Annotated[list[Time], Field(min_length=2, max_length=2, description="A time and a count.")]
Segments = Annotated[
    list[str],
    Field(
        max_length=5,
        default_factory=list,
        description="Columns whose values part the table, to say which part is guilty.",
    ),
]
Data = Annotated[
    list[dict[str, Any]] | dict[str, list[Any]],
    Field(description='Rows, `[{"price": 3.5}, …]`, or columns, `{"price": [3.5, …]}`.'),
]


class VolumeCheck(Asked):
    """Has the table as many rows as usual?"""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"table_id": "orders", "current_row_count": 430, "historical_data": [1000, 1010, 990, 1005, 995]}
            ]
        }
    )

    table_id: TableId
    current_row_count: Count
    historical_data: Annotated[
        list[Count | Pair | dict[str, Any]] | None,
        Field(
            max_length=100_000,
            description='Row counts of earlier runs: numbers, `[time, count]`, or `{"date": …, "row_count": …}`; '
            "what earlier requests said when not given.",
        ),
    ] = None
    timestamp: Time | None = None
    alpha: Alpha = 0.01
    direction: Literal["both", "rise", "drop"] = "both"
    minimum_relative: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    holidays: Annotated[list[str], Field(max_length=1_000, default_factory=list)]
    country: Annotated[str | None, Field(max_length=10)] = None
    zone: Annotated[str | None, Field(max_length=60)] = None


class DistributionCheck(Asked):
    """Have its columns other values than usual?"""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "table_id": "orders",
                    "current_data": {"status": ["paid", "paid", "open"]},
                    "historical_data": [{"status": ["paid", "open", "open"]}],
                }
            ]
        }
    )

    table_id: TableId
    current_data: Data
    historical_data: Annotated[
        list[Data] | None, Field(max_length=1_000, description="Earlier runs, or what earlier requests said.")
    ] = None
    timestamp: Time | None = None
    segments: Segments
    alpha: Alpha = 0.01


class PatternCheck(Asked):
    """Are its cells written as they should be?"""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"table_id": "codes", "current_data": {"code": ["A-1", "B-2", "b3"]}}]}
    )

    table_id: TableId
    current_data: Data
    historical_data: Annotated[
        list[Data] | None, Field(max_length=1_000, description="Earlier tables, or what earlier requests said.")
    ] = None
    timestamp: Time | None = None
    key: Annotated[list[str], Field(max_length=20, default_factory=list)]
    segments: Segments
    tolerance: Annotated[float, Field(ge=1e-9, lt=1)] = 0.002
    cell_scores: bool = False


class TimelinessCheck(Asked):
    """Is it there when it usually is?"""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "table_id": "orders",
                    "historical_data": ["2026-03-26T06:30:00Z", "2026-03-27T06:31:00Z", "2026-03-28T06:30:00Z"],
                    "now": "2026-03-29T09:00:00Z",
                }
            ]
        }
    )

    table_id: TableId
    historical_data: Annotated[
        list[Time | dict[str, Any]] | None,
        Field(max_length=100_000, description="When it came before; what earlier requests said when not given."),
    ] = None
    timestamp: Annotated[Time | None, Field(description="When it came now; it is remembered.")] = None
    now: Annotated[Time | None, Field(description="The present, where it is not that of the service.")] = None
    zone: Annotated[str | None, Field(max_length=60, examples=["Europe/Berlin"])] = None
    alpha: Alpha = 0.01


class CheckAnswer(BaseModel):
    """The answer of every check; what it has to add comes after these fields."""

    model_config = ConfigDict(extra="allow")

    is_anomaly: bool
    severity: Literal["normal", "low", "medium", "high", "critical"]
    confidence: Annotated[float, Field(ge=0, le=1)]
    expected_range: Annotated[
        list[float | str | None],
        Field(min_length=2, max_length=2, description="The lowest and the highest that is no anomaly; times are text."),
    ]
    message: str
    notes: list[str] = []
