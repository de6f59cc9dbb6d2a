"""What a job of each kind is to do, as it is asked for and kept; a request names uploads and models, never a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
"""Numbers and flags as JSON has them: ``true`` is no 1, and ``"1"`` neither."""

Name = Annotated[str, Field(min_length=1, max_length=120)]
Column = Annotated[str, Field(min_length=1, max_length=400)]
Columns = Annotated[tuple[Column, ...], Field(max_length=1_000)]
Contamination = Annotated[Number, Field(gt=0, le=0.5)] | Literal["auto"]
Seed = Annotated[Whole, Field(ge=0, lt=2**32)]


class Asked(BaseModel):
    """What is asked for; a word that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Table(Asked):
    """An uploaded table, and which column is what; everything but the upload is inferred when not given."""

    upload: Annotated[str, Field(min_length=32, max_length=48, description="The id of an upload.")]
    format: Literal["csv", "tsv", "json", "jsonl", "parquet"] | None = None
    encoding: Annotated[str, Field(max_length=40)] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    columns: Columns = ()
    categorical: Columns = ()
    timestamp: Column | None = None
    key: Columns = ()
    label: Column | None = None
    ignore: Columns = ()


class FittedTable(Table):
    """A table, and what is fitted on it."""

    algorithm: Name = "auto"
    parameters: dict[str, Any] = Field(default_factory=dict)
    contamination: Contamination = "auto"
    threshold: Name | None = None
    transforms: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    random_state: Seed = 0


class Train(FittedTable):
    """Fit a model and register it as a new version."""

    name: Name
    aliases: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


class Tune(Table):
    """Search for the parameters and the alarm line that suit a table, and register the model that has them."""

    name: Name
    aliases: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    algorithms: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    measure: Literal["average_precision", "auroc"] | None = None
    kinds: Annotated[tuple[Name, ...], Field(max_length=20)] = ()
    max_alarms: Annotated[Number, Field(gt=0, le=0.5)] | None = None
    trials: Annotated[Whole, Field(ge=1, le=10_000)] = 50
    timeout_seconds: Annotated[Number, Field(gt=0)] | None = None
    random_state: Seed = 0


class Detect(FittedTable):
    """Judge the rows of a table with a model, or with what is fitted on the table itself."""

    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    train_column: Column | None = None
    train_rows: Annotated[Whole, Field(ge=8)] | None = None
    fdr: Annotated[Number, Field(gt=0, lt=1)] | None = None
    explain: Flag = False
    output_format: Literal["csv", "tsv", "json", "jsonl", "parquet"] = "jsonl"


class Page(Asked):
    """Judge the rows of a table for a page of the dashboard."""

    upload: Annotated[str, Field(min_length=32, max_length=48)]
    asked_by: Name
    name: Annotated[str, Field(max_length=120, description="What the sender calls the table.")]
    algorithm: Name = "auto"
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    key: Columns = ()
    timestamp: Column | None = None
    label: Column | None = None
    contamination: Annotated[Number, Field(gt=0, le=0.5)] | None = None


class Backtest(FittedTable):
    """Replay a history: how many alarms a week, and what they catch."""

    timestamp: Column
    train_share: Annotated[Number, Field(gt=0, lt=1)] = 0.3
    refits: Annotated[Whole, Field(ge=0, le=1_000)] = 0
    output_format: Literal["html", "md", "json"] = "html"


class Retain(Asked):
    """Delete what is older than the service is to keep."""

    days: Annotated[Number, Field(gt=0, description="Instead of what the service was set to.")] | None = None


class Volume(Asked):
    """Learn how many rows a table has, from the runs of it that were judged."""

    table_id: Annotated[str, Field(min_length=1, max_length=200)]
    training_days: Annotated[Whole, Field(ge=1, le=3_650)] = 90


REQUESTS: Mapping[str, type[Asked]] = {
    "train": Train,
    "tune": Tune,
    "detect": Detect,
    "page": Page,
    "backtest": Backtest,
    "retain": Retain,
    "volume": Volume,
}
"""What a job of a kind takes."""
