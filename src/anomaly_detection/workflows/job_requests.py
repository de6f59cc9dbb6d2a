"""What a job of each kind is to do, as it is asked for and kept; a request names uploads and models, never a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from anomaly_detection.errors import ParameterError
from anomaly_detection.thresholds import Budget
from anomaly_detection.workflows.series_wishes import OF_SERIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Whole = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True)]
Flag = Annotated[bool, Field(strict=True)]
"""Numbers and flags as JSON has them: ``true`` is no 1, and ``"1"`` neither."""

Name = Annotated[str, Field(min_length=1, max_length=120)]
Column = Annotated[str, Field(min_length=1, max_length=400)]
Columns = Annotated[tuple[Column, ...], Field(max_length=1_000)]
Contamination = Annotated[Number, Field(gt=0, le=0.5)] | Literal["auto"]
Seed = Annotated[Whole, Field(ge=0, lt=2**32)]


def _read(budget: str) -> str:
    """A budget that can be read; raises ParameterError."""
    Budget.of(budget)
    return budget


Alarms = Annotated[
    str,
    Field(max_length=60, description="How many alarms there may be: 5/week, 5/week/key, or a share of the rows."),
    AfterValidator(_read),
]


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
    per_key: Annotated[Flag, Field(description="A model for each key that is different; series have one anyway.")] = (
        False
    )
    min_rows: Annotated[Whole, Field(ge=20, description="From so many rows on a key has a model.")] | None = None
    budget: Alarms | None = None
    direction: Literal["both", "rise", "drop"] = "both"
    minimum_change: Annotated[Number, Field(ge=0, description="A value nearer to the expected one is no alarm.")] = 0.0
    minimum_share: Annotated[Number, Field(ge=0, description="The same, as a share of the expected value.")] = 0.0
    lower_bound: Annotated[Number, Field(description="A value of a series below is an alarm.")] | None = None
    upper_bound: Annotated[Number, Field(description="A value of a series above is an alarm.")] | None = None
    offline: Annotated[Flag, Field(description="A verdict on a row of a series may use later rows.")] = False
    zone: Annotated[str, Field(max_length=60, description="The time zone of days and weeks.")] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Refuse what means nothing together, before there is a job."""
        if self.per_key and not self.key:
            raise ParameterError("per_key needs a key: name the columns that say what a row is about.")
        if self.min_rows is not None and not self.per_key:
            raise ParameterError("min_rows says which key has a model of its own. Set per_key, too.")
        if self.budget is not None and (self.contamination != "auto" or self.threshold is not None):
            raise ParameterError("budget, contamination and threshold all set the alarm line. Give one.")
        if self.timestamp is None and (asked := self._asked(OF_SERIES)):
            raise ParameterError(f"{asked[0]} is about time series. Name the column of time: timestamp.")
        return self

    def _asked(self, names: Sequence[str]) -> list[str]:
        """Which of these fields say something."""
        return [name for name in names if getattr(self, name) != type(self).model_fields[name].default]


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

    @model_validator(mode="after")
    def _is_fitted(self) -> Self:
        """Refuse what would have to be fitted beside a model that is."""
        if self.model is not None and (asked := self._asked(("per_key", *OF_SERIES))):
            raise ParameterError(f"{self.model!r} is fitted already, so {asked[0]} has no meaning beside it.")
        return self


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
    per_key: Flag = False
    budget: Alarms | None = None


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
