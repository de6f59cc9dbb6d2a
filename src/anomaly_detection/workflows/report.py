"""Turn the results of a run into a page for people."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, get_args

from anomaly_detection.errors import InputError, ParameterError, UnknownNameError
from anomaly_detection.reports.log_pages import LOG_WRITERS
from anomaly_detection.reports.log_report import log_report_of
from anomaly_detection.reports.pages import WRITERS
from anomaly_detection.reports.report import report_of
from anomaly_detection.sinks.texts import check_place, write_text
from anomaly_detection.sources.results import read_results

if TYPE_CHECKING:
    from anomaly_detection.reports.document import Document

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
    results : JSON results of ``detection run`` or ``logs score``; ``-`` is standard input.
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
    format_ = _format(request.output, request.format)
    place = request.output or default_place(request.results, format_)
    if place != STANDARD:
        check_place(place, request.results, f"report.{format_}")
    lead, text = _page(read_results(request.results), format_, request.top)
    if place == STANDARD:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    else:
        write_text(place, text)
    return ReportOutcome(place, format_, lead)


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


@dataclass(frozen=True, slots=True)
class ReportPlace:
    """Where a report goes that is made with the results, known to be writable.

    Parameters
    ----------
    path : the file.
    format : of the report.
    """

    path: str
    format: ReportFormat

    @classmethod
    def of(cls, path: str, source: str, results: str | None = None) -> Self:
        """Check a place before any work is done.

        Parameters
        ----------
        path : the file.
        source : the data, which is never overwritten.
        results : where the results go, which is another place.

        Raises
        ------
        InputError, SinkError
            where a report cannot be written there, or its format cannot be told from its name.
        """
        if path == STANDARD:
            raise InputError("This report goes to a file. Name one, such as report.html.")
        if results is not None and Path(path).resolve() == Path(results).resolve():
            raise InputError(f"{path!r} would hold both the results and the report. Name two files.")
        format_ = _format(path, None)
        check_place(path, source, f"report.{format_}")
        return cls(path, format_)

    def write(self, document: Document, most: int = 50) -> None:
        """Write the report; raises SinkError if that fails, and what was there before is untouched."""
        write_text(self.path, _page(document, self.format, most)[1])


def _page(document: Document, format_: ReportFormat, most: int) -> tuple[str, str]:
    """What was found in one sentence, and the report."""
    found = document.summary.log if document.summary is not None else None
    if found is not None:
        log_report = log_report_of(found, document, most)
        return log_report.lead, LOG_WRITERS[format_](log_report)
    report = report_of(document, most)
    return report.lead, WRITERS[format_](report)


def _format(output: str | None, format_: str | None) -> ReportFormat:
    if format_ is not None:
        named = _ENDINGS.get(f".{format_.lower().lstrip('.')}")
        if named is None:
            raise UnknownNameError("report format", format_, FORMATS)
        return named
    if output is None or output == STANDARD:
        return "html"
    ending = Path(output).suffix
    told = _ENDINGS.get(ending.lower())
    if told is None:
        raise InputError(
            f"The format of {output!r} cannot be told from its name. End it in .html, .md or .json, or name "
            "the format with --format."
        )
    return told
