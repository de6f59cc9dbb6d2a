"""The results a report is made of, as ``detection run`` and ``logs score --output results.json`` write them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from anomaly_detection.records import named_columns
from anomaly_detection.reports.bounds import Count, Severity, Share  # noqa: TC001  read by msgspec
from anomaly_detection.reports.log_document import LogFound  # noqa: TC001  read by msgspec
from anomaly_detection.reports.series_document import SeriesFound  # noqa: TC001  read by msgspec


def _check_parts(rows: list[int], anomalies: list[int]) -> None:
    if any(part > whole for whole, part in zip(rows, anomalies, strict=True)):
        raise ValueError("there cannot be more anomalies than rows")


class Reason(Struct, frozen=True):
    """One column's part in one verdict; see ``anomaly_detection.explain``."""

    column: str
    value: Any = None
    contribution: float | None = None
    share: float | None = None
    normal: str | None = None


class Change(Struct, frozen=True):
    """One value that would have to be another."""

    column: str
    old: Any = field(default=None, name="from")
    new: Any = field(default=None, name="to")


class Counterfactual(Struct, frozen=True):
    """The smallest change that would make the record normal."""

    changes: list[Change] = []
    p_value: float | None = None
    sentence: str = ""


class Explanation(Struct, frozen=True):
    """Why one record is an anomaly."""

    sentence: str = ""
    recommendation: str = ""
    columns: list[Reason] = []
    removed: float | None = None
    counterfactual: Counterfactual | None = None
    similar: list[Count] = []


class Row(Struct, frozen=True):
    """The verdict on one record."""

    row: Count
    anomaly_score: Share
    is_anomaly: bool
    severity: Severity
    score: float | None = None
    p_value: Share | None = None
    confidence: float | None = None
    key: Any = None
    time: Any = None
    level: str | None = None
    reason: str | None = None
    explanation: Explanation | None = None


class Bins(Struct, frozen=True):
    """A histogram: the counts below the first edge, between the edges, and from the last edge on."""

    edges: list[float]
    rows: list[Count]
    anomalies: list[Count]

    def __post_init__(self) -> None:
        if len(self.edges) < 2 or any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError("the edges of a histogram are two or more rising numbers")
        if not len(self.rows) == len(self.anomalies) == len(self.edges) + 1:
            raise ValueError("a histogram has one count more than edges")
        _check_parts(self.rows, self.anomalies)


class Value(Struct, frozen=True):
    """How often one word comes."""

    value: str
    rows: Count
    anomalies: Count

    def __post_init__(self) -> None:
        _check_parts([self.rows], [self.anomalies])


class Others(Struct, frozen=True):
    """How often the words come that are not named."""

    rows: Count = 0
    anomalies: Count = 0

    def __post_init__(self) -> None:
        _check_parts([self.rows], [self.anomalies])


class Column(Struct, frozen=True):
    """What one column holds, in all rows and in the anomalies."""

    name: str
    kind: str
    difference: float = 0.0
    unit: str = "number"
    missing: Count = 0
    missing_anomalies: Count = 0
    lowest: float | None = None
    highest: float | None = None
    usual: list[float] = []
    bins: Bins | None = None
    different: Count = 0
    values: list[Value] = []
    others: Others = Others()

    def __post_init__(self) -> None:
        _check_parts([self.missing], [self.missing_anomalies])


class Record(Struct, frozen=True):
    """The values of one anomaly's columns."""

    row: Count
    record: dict[str, Any]


class Evaluation(Struct, frozen=True):
    """How well verdicts agree with labels; see ``anomaly_detection.evaluation``."""

    rows: Count = 0
    anomalies: Count = 0
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    auroc: float | None = None
    average_precision: float | None = None
    false_positive_rate: float | None = None
    precision_at_n: float | None = None
    intervals: dict[str, tuple[float, float] | None] = {}


class Summary(Struct, frozen=True):
    """What the rows have in common; see ``anomaly_detection.workflows.summary``. Logs and series have theirs."""

    alpha: float | None = None
    evaluation: Evaluation | None = None
    notes: list[str] = []
    repeated_rows: Count = 0
    repeated_among: Count = 0
    columns: list[Column] = []
    columns_in_all: Count = 0
    anomalies: list[Record] = []
    log: LogFound | None = None
    series: SeriesFound | None = None


class SetAside(Struct, frozen=True):
    """A column that was not used, and why."""

    name: str
    reason: str


class Schema(Struct, frozen=True):
    """Which column is what."""

    timestamp: str | None = None
    key: str | list[str] | None = None
    label: str | None = None
    set_aside: list[SetAside] = []

    @property
    def key_columns(self) -> tuple[str, ...]:
        """The columns of the key, from the coarsest to the finest."""
        return named_columns(self.key)


class Algorithm(Struct, frozen=True):
    """The detector."""

    name: str = "unknown"
    parameters: dict[str, Any] = {}


class Data(Struct, frozen=True):
    """The file the records came from."""

    name: str = ""
    sha256: str = ""


class Levels(Struct, frozen=True):
    """How many keys there are, and how many have a model of their own."""

    own_models: Count = 0
    keys: Count = 0


class Made(Struct, frozen=True):
    """How the results were made."""

    model: str | None = None
    algorithm: Algorithm = Algorithm()
    evidence: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    alpha: float | None = None
    fdr: float | None = None
    trained_on_rows: Count | None = None
    calibration_rows: Count | None = None
    schema: Schema = Schema()
    levels: Levels | None = None
    data: Data = Data()
    versions: dict[str, str] = {}
    command: str | None = None
    created: str | None = None


class Document(Struct, frozen=True):
    """A whole results file; only ``results`` has to be there."""

    results: list[Row]
    summary: Summary | None = None
    made: Made | None = None
