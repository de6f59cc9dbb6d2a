"""Detection on rows that come with the request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from anomaly_detection.api.schemas.common import Asked, Explanation, Rows

EXAMPLE: dict[str, Any] = {
    "data": [[1.0, 10.2], [1.1, 9.8], [0.9, 10.1], [1.0, 9.9], [1.2, 10.0], [1.1, 10.3], [0.8, 9.7], [9.0, 90.0]],
    "algorithm": "isolation_forest",
    "contamination": 0.1,
    "explain": True,
}


class DetectionRequest(Asked):
    """Rows to judge, and how."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    data: Rows
    algorithm: Annotated[str, Field(max_length=120, description="A name of GET /api/v1/algorithms.")] = "auto"
    contamination: Annotated[
        Annotated[float, Field(gt=0, le=0.5)] | None, Field(description="The share of rows called anomalous.")
    ] = None
    parameters: Annotated[
        dict[str, Any], Field(description="The algorithm's own parameters.", max_length=100, default_factory=dict)
    ]
    feature_names: Annotated[list[str] | None, Field(max_length=10_000)] = None
    explain: Annotated[bool, Field(description="Add the reasons for each anomaly.")] = False
    random_state: Annotated[int, Field(ge=0, lt=2**32)] = 0


class DetectionAnswer(BaseModel):
    """Verdicts in columns, in the order of the rows."""

    algorithm: str
    feature_names: list[str]
    anomaly_count: int
    alpha: Annotated[float | None, Field(description="The p-value at and below which a row is an anomaly.")]
    predictions: Annotated[list[int], Field(description="1 for an anomaly, 0 for a normal row.")]
    scores: Annotated[list[float], Field(description="What the algorithm says; higher is more anomalous.")]
    anomaly_scores: Annotated[list[float], Field(description="From 0 to 1; the alarm line is at 0.6.")]
    p_values: Annotated[list[float], Field(description="How probable such a score is for a normal row.")]
    severities: Annotated[list[str], Field(description="normal, low, medium, high or critical.")]
    confidence: Annotated[list[float], Field(description="How probable it is that the flag would be the same.")]
    explanations: Annotated[list[Explanation], Field(description="Of the anomalies, if asked for.")] = []
    notes: list[str]
