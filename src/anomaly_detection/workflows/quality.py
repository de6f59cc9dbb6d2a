"""Checks of tables in files: read, judge, write what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.quality.cells import score_cells
from anomaly_detection.quality.pattern import TOLERANCE, PatternAnswer, check_pattern
from anomaly_detection.sources.files import open_source
from anomaly_detection.workflows.output import open_sink
from anomaly_detection.workflows.reading import check_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.quality.answer import Finding
    from anomaly_detection.workflows.output import VerdictSink

DELIMITED = ("csv", "tsv")


@dataclass(frozen=True, slots=True)
class TableReading:
    """How to read a table as it is written.

    Parameters
    ----------
    data : a file, or ``-`` for standard input.
    format, encoding, delimiter : how the file is written.
    columns : the columns to read; all when empty.
    """

    data: str
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: tuple[str, ...] = ()

    def read(self) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """The table, and notes on how it was read; delimited text stays text, so that 007 and 7.0 remain what they are.

        Raises
        ------
        SourceError
            if the file cannot be read as records.
        SchemaError
            for a column that is not there, with the nearest ones that are.
        """
        with open_source(self.data, format=self.format, encoding=self.encoding, delimiter=self.delimiter) as source:
            check_columns(self.columns, source)
            if source.format.split(".")[0] in DELIMITED:
                source.with_dtypes(dict.fromkeys(source.columns, pl.String))
            return source.read(), tuple(source.notes)


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """What to check and where to write.

    Parameters
    ----------
    reading : the table.
    key : columns that say what a row is about.
    history : files with earlier tables, the oldest first.
    tolerance : the share of a column's rows that may be wrong in one way.
    cell_scores : a file for the score of every cell.
    output, output_format : a file for the findings, and its format when the name does not tell.
    """

    reading: TableReading
    key: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    cell_scores: str | None = None
    output: str | None = None
    output_format: str | None = None


def check_pattern_of_file(request: PatternRequest, progress: Progress) -> tuple[PatternAnswer, tuple[str, ...]]:
    """Check the patterns of a table in a file; returns the answer, and notes on how the file was read.

    Raises
    ------
    SourceError
        if a file cannot be read as records.
    SchemaError
        for a column that is not there.
    ParameterError
        for a tolerance out of range, or two outputs in one place.
    InputError
        where an output cannot be written.
    """
    reading = request.reading
    if request.output is not None and request.output == request.cell_scores:
        raise ParameterError(f"--output and --cell-scores are both {request.output}. Give each a place of its own.")
    sinks = [open_sink(place, format_, reading.data) if place else None for place, format_ in _places(request)]
    progress("reading", 0, None)
    frame, notes = reading.read()
    progress("looking at cells", 0, None)
    answer = _answer(request, frame, sinks[1])
    if sinks[0] is not None:
        with sinks[0] as opened:
            opened.write(findings_frame(answer.findings))
    return answer, notes


def _places(request: PatternRequest) -> Sequence[tuple[str | None, str | None]]:
    return ((request.output, request.output_format), (request.cell_scores, None))


def _answer(request: PatternRequest, frame: pl.DataFrame, sink: VerdictSink | None) -> PatternAnswer:
    columns = (*request.reading.columns, *request.key) if request.reading.columns else ()
    found = None
    if sink is not None or not request.history:
        found = score_cells(frame, columns, request.key)
    if sink is not None and found is not None:
        with sink as opened:
            opened.write(found.to_frame())
    if request.history or found is None:
        chosen = frame.select(columns) if columns else frame
        return check_pattern(chosen, _earlier(request), request.tolerance)
    return check_pattern(found, None, request.tolerance, frame)


def _earlier(request: PatternRequest) -> list[pl.DataFrame]:
    reading = request.reading
    columns = (*reading.columns, *request.key) if reading.columns else ()
    read = (
        TableReading(path, reading.format, reading.encoding, reading.delimiter).read()[0] for path in request.history
    )
    return [frame.select([name for name in columns or frame.columns if name in frame.columns]) for frame in read]


def findings_frame(findings: Sequence[Finding]) -> pl.DataFrame:
    """The findings as rows, the examples in a column each."""
    rows = [
        {
            "column": one.column,
            "kind": one.kind,
            "is_anomaly": one.is_anomaly,
            "severity": one.severity,
            "confidence": one.confidence,
            "rows": one.rows,
            "share": one.share,
            "message": one.message,
            "example_row": one.examples[0].row if one.examples else None,
            "example": one.examples[0].value if one.examples else None,
            "expected": one.examples[0].expected if one.examples else None,
        }
        for one in findings
    ]
    return pl.DataFrame(rows, schema=FINDING_COLUMNS)


FINDING_COLUMNS = {
    "column": pl.String,
    "kind": pl.String,
    "is_anomaly": pl.Boolean,
    "severity": pl.String,
    "confidence": pl.Float64,
    "rows": pl.Int64,
    "share": pl.Float64,
    "message": pl.String,
    "example_row": pl.Int64,
    "example": pl.String,
    "expected": pl.String,
}
