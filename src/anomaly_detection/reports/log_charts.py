"""When the anomalies of a log came, by service, and when the lines of a template did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.reports import charts as c
from anomaly_detection.reports.scores import BINS, chart_of_counts
from anomaly_detection.reports.timeline import Timeline, alarm_chart, span, step_words, ticks
from anomaly_detection.reports.words import number
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from anomaly_detection.reports.log_document import LogFound, ServiceLine, Template


def timeline_of_log(found: LogFound) -> Timeline:
    """Where the buckets are."""
    where = found.timeline
    return Timeline(np.empty(0), where.start, where.step, where.buckets, where.timed, "line")


def score_chart_of_log(found: LogFound, alpha: float | None) -> c.Chart:
    """How the anomaly scores are spread."""
    counts = {(i, name): n for name, each in found.scores.items() for i, n in enumerate(each[:BINS])}
    return chart_of_counts(counts, alpha, found.unit)


def time_chart_of_log(found: LogFound, line: Timeline) -> c.Chart:
    """How many anomalies there were when, by severity."""
    nothing = [0] * line.buckets
    counts = np.array([found.severities.get(name, nothing) for name in SEVERITIES], dtype=np.int64).T
    return alarm_chart(line, counts, found.unit)


def service_chart(one: ServiceLine, line: Timeline, name: str, title: str, unit: str) -> c.Chart:
    """How many anomalies there were when in one service."""
    top, levels = c.even_levels(float(max(1, *one.anomalies)), whole=True)
    edges = line.edges()
    rows = enumerate(zip(one.judged, one.anomalies, strict=True))
    return c.Chart(
        name=name,
        title=title,
        about=f"How many {unit}s are anomalies in each {step_words(line)}.",
        shapes=(c.Shape("odd", c.bars(edges, [odd / top for odd in one.anomalies])),),
        ticks=ticks(line),
        levels=levels,
        edges=edges,
        header=("time" if line.timed else "lines", f"{unit}s", "anomalies"),
        cells=tuple((span(line, i), number(judged), number(odd)) for i, (judged, odd) in rows),
    )


def spark(template: Template, line: Timeline) -> str:
    """A path of bars: how many lines of a template each bucket has."""
    most = max(1, *template.counts)
    return c.bars(line.edges(), [count / most for count in template.counts])


def spark_cells(template: Template, line: Timeline) -> tuple[tuple[str, str], ...]:
    """The buckets in which a template comes, and how often."""
    return tuple((span(line, i), number(count)) for i, count in enumerate(template.counts) if count)
