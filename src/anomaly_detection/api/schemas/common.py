"""What several nouns share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Row = list[Any] | dict[str, Any]

Rows = Annotated[
    list[Row],
    Field(description="Rows of a table: each a list of values, or an object of named values.", min_length=1),
]


class Asked(BaseModel):
    """A request; a field that is not known is refused, so that no misspelt wish is lost."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Explanation(BaseModel):
    """Why a row is an anomaly."""

    model_config = ConfigDict(extra="allow")

    row: int
    sentence: str
    recommendation: str
    columns: list[dict[str, Any]]
    removed: float | None = None
    counterfactual: dict[str, Any] | None = None
    similar: list[int] = []
