"""A report on a log as HTML, Markdown or JSON; whatever the log holds is text in it, never markup or code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.reports.making import how_made
from anomaly_detection.reports.pages import byline, html_page, markdown_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.reports.log_document import LogAnomaly
    from anomaly_detection.reports.log_report import LogReport

_SECTIONS = (
    ("summary", "Summary"),
    ("scores", "Scores"),
    ("time", "Time"),
    ("templates", "Templates"),
    ("windows", "Windows"),
    ("anomalies", "Most anomalous"),
    ("reading", "How it was read"),
    ("made", "How it was made"),
)


def html(report: LogReport) -> str:
    """One page that needs nothing else: no file, no address."""
    return html_page("log.html.jinja", _shared(report))


def markdown(report: LogReport) -> str:
    """The same in words and tables, for a ticket or a wiki."""
    return markdown_page("log.md.jinja", _shared(report))


def json(report: LogReport) -> str:
    """The same as one JSON document."""
    plain = {name: getattr(report, name) for name in report.__slots__}
    plain |= {"scores": report.scores.to_dict(), "time": report.time.to_dict()}
    plain["services"] = [
        {
            "service": one.name,
            "judged": one.judged,
            "anomalies": one.anomalies,
            "timeline": one.chart.to_dict() if one.chart else None,
        }
        for one in report.services
    ]
    plain["templates"] = [{**msgspec.to_builtins(one.found), "timeline": one.cells} for one in report.templates]
    plain["reading"] = dict(report.reading)
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


LOG_WRITERS: dict[str, Callable[[LogReport], str]] = {"html": html, "md": markdown, "json": json}
"""How a report on a log is written, by the name of the format."""


def _shared(report: LogReport) -> dict[str, Any]:
    """What every page needs beside the report."""
    present = {"templates": report.templates, "windows": report.windows, "anomalies": report.anomalies}
    timed = report.time.header[0] == "time"
    names = {"time": "Time" if timed else "Order"}
    return {
        "report": report,
        "sections": [(name, names.get(name, words)) for name, words in _SECTIONS if present.get(name, True)],
        "timed": timed,
        "how": how_made(report.made, report.alarm),
        "byline": byline(report.made),
        "methods": [(one, _methods(one)) for one in report.anomalies],
    }


def _methods(anomaly: LogAnomaly) -> list[tuple[str, float]]:
    """What each method says of an anomaly, the most surprised first."""
    ranked = sorted(anomaly.methods.items(), key=lambda one: (one[1], one[0]))
    return [(name.replace("_", " "), p_value) for name, p_value in ranked]
