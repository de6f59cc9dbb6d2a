"""A report as HTML, Markdown or JSON. Whatever a user's data holds is text in it, never markup or code."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from anomaly_detection.reports import words as w
from anomaly_detection.reports.making import how_made
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.reports.charts import Chart
    from anomaly_detection.reports.document import Explanation, Made, Row
    from anomaly_detection.reports.report import Report

_MEASURES = ("precision", "recall", "f1", "auroc", "average_precision", "false_positive_rate", "precision_at_n")
_WORDS = {"f1": "F1", "auroc": "AUROC"}
_SECTIONS = (
    ("summary", "Summary"),
    ("series", "Series"),
    ("scores", "Scores"),
    ("time", "Time"),
    ("groups", "Groups"),
    ("anomalies", "Most anomalous"),
    ("columns", "Columns"),
    ("data", "Data quality"),
    ("made", "How it was made"),
)
_LOADER = PackageLoader("anomaly_detection.reports")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~$&#]|^[-+=]|(?<=^\d)[.)](?=\s))")


def html(report: Report) -> str:
    """One page that needs nothing else: no file, no address."""
    return html_page("report.html.jinja", _shared(report))


def markdown(report: Report) -> str:
    """The same in words and tables, for a ticket or a wiki."""
    return markdown_page("report.md.jinja", _shared(report))


def json(report: Report) -> str:
    """The same as one JSON document."""
    plain = {name: getattr(report, name) for name in report.__slots__}
    plain["scores"] = report.scores.to_dict()
    plain["times"] = [chart.to_dict() for chart in report.times]
    if report.series is not None:
        plain["series"] = {
            "charts": [chart.to_dict() for chart in report.series.charts],
            "keys": [
                {"key": one.key, "rows": one.rows, "anomalies": one.anomalies, "worst": one.worst, "when": one.cells}
                for one in report.series.lanes
            ],
        }
    plain["columns"] = [
        {
            "name": view.name,
            "kind": view.kind,
            "facts": view.facts,
            "values": view.bars,
            "histogram": view.chart.to_dict() if view.chart else None,
        }
        for view in report.columns
    ]
    plain["groups"] = [{"name": group.name, "rows": [row.row for row in group.rows]} for group in report.groups]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


WRITERS: dict[str, Callable[[Report], str]] = {"html": html, "md": markdown, "json": json}
"""How a report is written, by the name of the format."""


def html_page(template: str, shared: Mapping[str, Any]) -> str:
    """A page from a template with the style and the script of all reports, and nothing else that can be loaded."""
    style, script = _source("report.css"), _source("report.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    return page.render(**shared, style=style, script=script, policy=policy, version=__version__)


def markdown_page(template: str, shared: Mapping[str, Any]) -> str:
    """Markdown from a template."""
    text = _markdown_environment().get_template(template).render(**shared)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def markdown_text(value: object) -> str:
    r"""Text that Markdown shows as it is.

    >>> markdown_text("a|b *c*")
    'a\\|b \\*c\\*'
    """
    return str(value) if isinstance(value, _Made) else _MARKDOWN.sub(r"\\\1", re.sub(r"\s+", " ", str(value)))


class _Made(str):
    """Markdown of our own."""

    __slots__ = ()


def _shared(report: Report) -> dict[str, Any]:
    """What every page needs beside the report."""
    drawn = report.series is not None and (report.series.charts or report.series.lanes)
    present = {"series": drawn, "groups": report.groups, "anomalies": report.anomalies, "columns": report.columns}
    timed = any(chart.header[0] == "time" for chart in report.times)
    names = {"time": "Time" if timed else "Order"}
    return {
        "report": report,
        "sections": [(name, names.get(name, words)) for name, words in _SECTIONS if present.get(name, True)],
        "timed": timed,
        "told": frozenset(one.row.row for one in report.anomalies),
        "measures": _measures(report),
        "how": how_made(report.made, report.alarm),
        "byline": byline(report.made),
        "ranked": report.made.model is None and report.made.trained_on_rows == report.rows,
        "summarised": bool(report.columns),
        "with_key": any(row.key is not None for row in report.further),
        "with_why": any(_why(row) for row in report.further),
        "with_time": any(row.time is not None for row in report.further),
    }


def _measures(report: Report) -> list[tuple[str, float | None, float | None, float | None]]:
    found = report.evaluation
    if found is None:
        return []
    spans = [found.intervals.get(name) or (None, None) for name in _MEASURES]
    names = (_WORDS.get(name, name.replace("_", " ")) for name in _MEASURES)
    values = (getattr(found, name) for name in _MEASURES)
    return [(name, value, *span) for name, value, span in zip(names, values, spans, strict=True)]


def byline(made: Made) -> str:
    """The model, the algorithm and the time in one line."""
    algorithm = w.plain(made.algorithm.name.replace("_", " "), 80)
    parts = [f"Model {w.plain(made.model, 80)}" if made.model else "", algorithm]
    if made.created:
        parts.append(w.plain(made.created.replace("T", " ").replace("Z", " UTC"), 40))
    return " · ".join(part for part in parts if part and part != "unknown")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=_LOADER,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters.update(
        number=w.number,
        percent=w.percent,
        plain=w.plain,
        shown=w.shown,
        joined=w.joined,
        when=_when,
        called=_called,
        judge=_judge,
        because=_because,
        why=_why,
    )
    return made


@cache
def _markdown_environment() -> Environment:
    made = _environment().overlay(autoescape=False, finalize=markdown_text)
    made.globals = {**made.globals, "table": _markdown_table}
    return made


def _markdown_table(chart: Chart, column: int) -> _Made:
    """The rows of a chart that count something in one of its columns."""
    filled = [cells for cells in chart.cells if cells[column] != "0"]
    header = f"| {' | '.join(chart.header)} |\n|{'---|' * len(chart.header)}\n"
    return _Made(header + "".join(f"| {' | '.join(map(markdown_text, cells))} |\n" for cells in filled))


def _when(value: object) -> str:
    return re.sub(r"(?<=\d)T(?=\d)", " ", w.plain(value, 40))


def _called(row: Row) -> str:
    """What a row is called: its key where it has one, else its number."""
    return f"row {row.row:,}" if row.key is None else w.joined(row.key, 60)


def _because(why: Explanation) -> str:
    """The reasons in one sentence; where no column stands out, what to do instead, which says so."""
    return w.plain(why.sentence if why.columns or not why.recommendation else why.recommendation)


def _why(row: Row) -> str:
    """Why a row is an anomaly, as far as the results say."""
    if row.explanation is not None and row.explanation.sentence:
        return _because(row.explanation)
    return w.plain(row.reason) if row.reason else ""


def _judge(level: str) -> str:
    """The model that judged a row, where there is one per key."""
    return "the model of all rows" if level == "all" else f"the model of its {w.plain(level, 80)}"


@cache
def _source(name: str) -> str:
    return _LOADER.get_source(_environment(), name)[0]


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
