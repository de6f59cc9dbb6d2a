"""Turn the results of a run into a page for people."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from anomaly_detection.errors import InputError, ParameterError, UnknownNameError
from anomaly_detection.reports.pages import WRITERS
from anomaly_detection.reports.report import report_of
from anomaly_detection.sinks.texts import check_place, write_text
from anomaly_detection.sources.results import read_results

ReportFormat = Literal["html", "md", "json"]

FORMATS: tuple[ReportFormat, ...] = get_args(ReportFormat)
"""The formats of a report."""

STANDARD = "-"
"""Standard input or output."""

_ENDINGS: dict[str, ReportFormat] = {
    ".html": "html",
    ".htm": "html",
    ".md": "md",
    ".markdown": "md",
    ".json": "json",
}


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report on.

    Parameters
    ----------
    results : JSON results of ``detection run``; ``-`` is standard input.
    output : the file to write, ``-`` for standard output; beside the results when not given.
    format : ``html``, ``md`` or ``json``; the output's name tells it when not given, else it is ``html``.
    top : how many anomalies are told in full.
    """

    results: str
    output: str | None = None
    format: str | None = None
    top: int = 50


@dataclass(frozen=True, slots=True)
class ReportOutcome:
    """What was written.

    Parameters
    ----------
    place : the file; ``-`` is standard output.
    format : of the report.
    lead : what was found, in one sentence.
    """

    place: str
    format: ReportFormat
    lead: str


def report_detection(request: ReportRequest) -> ReportOutcome:
    """Write a report on the results of a run.

    Raises
    ------
    InputError
        if the results cannot be read or have no rows, or the report cannot be written where it should; then nothing
        was written.
    SinkError
        if writing fails; what was there before is untouched.
    """
    if request.top < 0:
        raise ParameterError(f"--top {request.top}: how many anomalies are told in full is 0 or more.")
    format_ = _format(request)
    place = request.output or default_place(request.results, format_)
    if place != STANDARD:
        check_place(place, request.results, f"report.{format_}")
    report = report_of(read_results(request.results), request.top)
    text = WRITERS[format_](report)
    if place == STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    else:
        write_text(place, text)
    return ReportOutcome(place, format_, report.lead)


def default_place(results: str, format_: ReportFormat) -> str:
    """Where a report goes when nobody says: beside its results, under their name.

    >>> default_place("runs/orders.json", "html"), default_place("orders.json.gz", "json"), default_place("-", "md")
    ('runs/orders.html', 'orders.report.json', 'report.md')
    """
    if results == STANDARD:
        return f"report.{format_}"
    path = Path(results)
    stem = path.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".json")
    return str(path.with_name(f"{stem}.report.json" if format_ == "json" else f"{stem}.{format_}"))


def _format(request: ReportRequest) -> ReportFormat:
    if request.format is not None:
        named = _ENDINGS.get(f".{request.format.lower().lstrip('.')}")
        if named is None:
            raise UnknownNameError("report format", request.format, FORMATS)
        return named
    if request.output is None or request.output == STANDARD:
        return "html"
    ending = Path(request.output).suffix
    told = _ENDINGS.get(ending.lower())
    if told is None:
        raise InputError(
            f"The format of {request.output!r} cannot be told from its name. End it in .html, .md or .json, or name "
            "the format with --format."
        )
    return told
