"""What a report on a log says, before anything is drawn or written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from anomaly_detection.records import counted
from anomaly_detection.reports.document import Made, Summary
from anomaly_detection.reports.log_charts import (
    score_chart_of_log,
    service_chart,
    spark,
    spark_cells,
    time_chart_of_log,
    timeline_of_log,
)
from anomaly_detection.reports.making import alarm_line
from anomaly_detection.reports.words import listed, number, percent, plain
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from anomaly_detection.reports.charts import Chart
    from anomaly_detection.reports.document import Document
    from anomaly_detection.reports.log_document import LogAnomaly, LogFound, ServiceLine, Template, Window

MOST_TEMPLATES = 30
"""So many templates are shown, the oddest."""

MOST_WINDOWS = 20
"""So many windows are shown, the oddest."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """What was judged of one service, and when its anomalies came; there is no chart without anomalies."""

    name: str
    judged: int
    anomalies: int
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template, when its lines came as a path of bars, and the numbers of the bars that are not empty."""

    found: Template
    spark: str
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LogReport:
    """Everything a page on a log shows.

    Parameters
    ----------
    title, lead : what it is about, and what was found, in a few sentences.
    unit, judged, learned : what was judged, how many, and how many lines were learned from.
    severities, alpha, alarm : the counts and the alarm line, also in words.
    scores, time : charts.
    services : those with the most anomalies first.
    templates, templates_in_all, new_templates : the oddest ones, how many there are, how many training did not have.
    windows, windows_in_all, window_minutes : the oddest ones, how many there are, how long each is.
    anomalies, left_out : told in full, and how many are not.
    reading, notes : how the file was read.
    made : how the results were made.
    """

    title: str
    lead: str
    unit: str
    judged: int
    learned: int | None
    severities: dict[str, int]
    alpha: float | None
    alarm: str
    scores: Chart
    time: Chart
    services: tuple[ServiceView, ...]
    templates: tuple[TemplateView, ...]
    templates_in_all: int
    new_templates: int
    windows: tuple[Window, ...]
    windows_in_all: int
    window_minutes: float
    anomalies: tuple[LogAnomaly, ...]
    left_out: int
    reading: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    made: Made

    @property
    def anomaly_count(self) -> int:
        """How many are anomalies."""
        return self.judged - self.severities["normal"]


def log_report_of(found: LogFound, document: Document, most: int = 50) -> LogReport:
    """Gather what a report on a log says.

    Parameters
    ----------
    found : what was found in the log.
    document : the results it is part of.
    most : how many anomalies are told in full.
    """
    summary, made = document.summary or Summary(), document.made or Made()
    line = timeline_of_log(found)
    alpha = summary.alpha if summary.alpha is not None else made.alpha
    severities = Counter({name: sum(counts) for name, counts in found.scores.items()})
    odd = found.judged - severities["normal"]
    told = found.anomalies[:most]
    views = (TemplateView(one, spark(one, line), spark_cells(one, line)) for one in found.templates[:MOST_TEMPLATES])
    return LogReport(
        title=_title(made, found),
        lead=_lead(found, severities),
        unit=found.unit,
        judged=found.judged,
        learned=found.learned,
        severities={name: severities[name] for name in SEVERITIES},
        alpha=alpha,
        alarm=alarm_line(made, alpha, ()),
        scores=score_chart_of_log(found, alpha),
        time=time_chart_of_log(found, line),
        services=tuple(_service(one, found, f"service-{i}") for i, one in enumerate(found.services)),
        templates=tuple(views),
        templates_in_all=max(found.templates_in_all, len(found.templates)),
        new_templates=found.new_templates,
        windows=tuple(found.windows[:MOST_WINDOWS]),
        windows_in_all=max(found.windows_in_all, len(found.windows)),
        window_minutes=found.window_minutes,
        anomalies=tuple(told),
        left_out=max(0, odd - len(told)),
        reading=_reading(found),
        notes=tuple(plain(note, 400) for note in summary.notes),
        made=made,
    )


def _title(made: Made, found: LogFound) -> str:
    what = "Anomalous sessions" if found.unit == "session" else "Anomalies"
    name = made.data.name
    return what if not name or name == "-" else f"{what} in {plain(PurePath(name).name, 80)}"


def _lead(found: LogFound, severities: Counter[str]) -> str:
    odd = found.judged - severities["normal"]
    if not odd:
        return f"None of {counted(found.judged, found.unit)} is an anomaly."
    kinds = [f"{severities[name]:,} {name}" for name in reversed(SEVERITIES[1:]) if severities[name]]
    are = "is an anomaly" if odd == 1 else "are anomalies"
    lead = f"{odd:,} of {counted(found.judged, found.unit)} ({percent(odd / found.judged)}) {are}: {listed(kinds, 4)}."
    groups = [(found.odd_templates, "template"), (found.odd_windows, "window")]
    stand_out = [counted(count, what) for count, what in groups if count]
    if stand_out:
        verb = "stands" if len(stand_out) == 1 and stand_out[0].startswith("1 ") else "stand"
        lead += f" {listed(stand_out)} {verb} out."
    if found.new_templates:
        verb = "is" if found.new_templates == 1 else "are"
        lead += f" {counted(found.new_templates, 'template')} {verb} new since training."
    return lead


def _service(one: ServiceLine, found: LogFound, name: str) -> ServiceView:
    called = plain(one.service, 80) if one.service else "no service"
    called = f"{number(one.services)} other services" if one.services > 1 else called
    judged, odd = sum(one.judged), sum(one.anomalies)
    title = f"Anomalies of {called} over time"
    return ServiceView(
        called, judged, odd, service_chart(one, timeline_of_log(found), name, title, found.unit) if odd else None
    )


def _reading(found: LogFound) -> tuple[tuple[str, str], ...]:
    read = found.reading
    told = [
        ("Format", plain(read.format, 400)),
        ("Lines of the file", number(read.lines)),
        ("Decoded", number(read.decoded)),
        ("Joined to the line before, such as stack traces", number(read.joined)),
        ("Blank", number(read.blank)),
        ("Could not be decoded", number(read.aside)),
    ]
    return tuple((name, value) for name, value in told if value)
