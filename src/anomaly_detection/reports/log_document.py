"""What the results of ``logs score --output results.json`` say about a log as a whole."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from anomaly_detection.reports.bounds import Count, Severity, Share  # noqa: TC001  read by msgspec
from anomaly_detection.results import SEVERITIES

Amount = Annotated[float, Meta(ge=0)]
MOST_BUCKETS = 10_000


class Reading(Struct, frozen=True):
    """How the file was read: its format, and what became of its lines."""

    format: str = ""
    lines: Count = 0
    decoded: Count = 0
    joined: Count = 0
    blank: Count = 0
    aside: Count = 0


class Buckets(Struct, frozen=True):
    """Where the buckets of all timelines lie: seconds since 1970, or line numbers."""

    start: float
    step: Annotated[float, Meta(gt=0)]
    buckets: Annotated[int, Meta(ge=1, le=MOST_BUCKETS)]
    timed: bool = True


class ServiceLine(Struct, frozen=True):
    """What was judged of one service, or of so many together, in each bucket."""

    service: str | None
    judged: list[Count]
    anomalies: list[Count]
    services: Count = 1

    def __post_init__(self) -> None:
        if len(self.judged) != len(self.anomalies):
            raise ValueError("a timeline has as many counts of anomalies as of all")
        if any(part > whole for whole, part in zip(self.judged, self.anomalies, strict=True)):
            raise ValueError("there cannot be more anomalies than lines")


class Template(Struct, frozen=True):
    """A template, its verdict, and how many of its lines are in each bucket."""

    template: str
    lines: Count
    counts: list[Count]
    anomalies: Count = 0
    new: bool = False
    first: str | None = None
    last: str | None = None
    first_line: Count | None = None
    last_line: Count | None = None
    example: str | None = None
    p_value: Share | None = None
    anomaly_score: Share = 0.0
    severity: Severity = "normal"
    is_anomaly: bool = False
    reason: str | None = None


class Window(Struct, frozen=True):
    """What a service said in one window, and what is usual for it."""

    start: str
    lines: Count
    service: str | None = None
    end: str | None = None
    errors: Count = 0
    error_rate: Share = 0.0
    latency: Amount | None = None
    usual_lines: Amount | None = None
    usual_error_rate: Share | None = None
    usual_latency: Amount | None = None
    anomalies: Count = 0
    p_value: Share | None = None
    anomaly_score: Share = 0.0
    severity: Severity = "normal"
    is_anomaly: bool = False
    reason: str | None = None


class SessionLine(Struct, frozen=True):
    """One line of a session; ``oddness`` is a share of that of its oddest line."""

    line: Count
    message: str | None = None
    time: str | None = None
    service: str | None = None
    level: str | None = None
    oddness: Share | None = None
    lines: Count = 0


class LogAnomaly(Struct, frozen=True):
    """An anomalous line, or session with its oddest lines; ``methods`` are p-values by name."""

    line: Count
    anomaly_score: Share
    severity: Severity
    p_value: Share | None = None
    confidence: float | None = None
    score: float | None = None
    session: str | None = None
    time: str | None = None
    service: str | None = None
    level: str | None = None
    message: str | None = None
    template: str | None = None
    reason: str | None = None
    methods: dict[str, Share] = {}
    lines: list[SessionLine] = []


class LogFound(Struct, frozen=True):
    """What was found in a log; see ``anomaly_detection.workflows.log_summary``."""

    judged: Count
    timeline: Buckets
    scores: dict[str, list[Count]]
    severities: dict[str, list[Count]]
    services: list[ServiceLine] = []
    unit: Literal["line", "session"] = "line"
    learned: Count | None = None
    reading: Reading = Reading()
    templates: list[Template] = []
    templates_in_all: Count = 0
    new_templates: Count = 0
    odd_templates: Count = 0
    windows: list[Window] = []
    windows_in_all: Count = 0
    odd_windows: Count = 0
    window_minutes: Amount = 5.0
    anomalies: list[LogAnomaly] = []

    def __post_init__(self) -> None:
        if not self.judged:
            raise ValueError("nothing was judged")
        if not {*self.scores, *self.severities} <= {*SEVERITIES}:
            raise ValueError(f"the severities are {', '.join(SEVERITIES)}")
        size = self.timeline.buckets
        lines = [*self.severities.values(), *(one.judged for one in self.services)]
        if any(len(counts) != size for counts in [*lines, *(one.counts for one in self.templates)]):
            raise ValueError(f"every timeline has {size} buckets")
        if sum(sum(counts) for counts in self.scores.values()) != self.judged:
            raise ValueError(f"the scores are not those of {self.judged} {self.unit}s")
