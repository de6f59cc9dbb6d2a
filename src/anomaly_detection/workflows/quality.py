"""Cells of tables wherever they are: read, judge, write what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import InputError, ParameterError, SourceError, UnknownNameError
from anomaly_detection.quality.cells import METHODS, score_cells
from anomaly_detection.quality.guilty_parts import GuiltyParts
from anomaly_detection.quality.pattern import TOLERANCE, PatternAnswer, check_pattern
from anomaly_detection.quality.profile import PatternProfile
from anomaly_detection.workflows.output import open_sink
from anomaly_detection.workflows.quality_history import MOST_RUNS, data_files, read_patterns, remember_run
from anomaly_detection.workflows.table_reading import aware, microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.quality.answer import Finding
    from anomaly_detection.workflows.cell_reading import TableReading
    from anomaly_detection.workflows.output import VerdictSink


@dataclass(frozen=True, slots=True)
class PatternRequest:
    """What to check and where to write.

    Parameters
    ----------
    reading : the table.
    key : columns that say what a row is about.
    history : earlier tables, the oldest first: files, directories of daily files, or a folder that remembers.
    tolerance : the share of a column's rows that may be wrong in one way.
    remember : whether to add what the cells look like to the folder that is the history.
    now : when the table is of; earlier tables that are later are left out.
    method : how cells are scored, one of :data:`METHODS`.
    segments : columns whose values part the table.
    cell_scores : a file for the score of every cell.
    output, output_format : a file for the findings, and its format when the name does not tell.
    """

    reading: TableReading
    key: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    remember: bool = False
    now: datetime | None = None
    method: str = "auto"
    segments: tuple[str, ...] = ()
    cell_scores: str | None = None
    output: str | None = None
    output_format: str | None = None

    def __post_init__(self) -> None:
        if self.remember and (len(self.history) != 1 or Path(self.history[0]).is_file()):
            raise ParameterError("--remember needs one --history FOLDER to keep the run in.")
        if self.method not in METHODS:
            raise UnknownNameError("method", self.method, METHODS)
        if self.output is not None and self.output == self.cell_scores:
            raise ParameterError(f"--output and --cell-scores are both {self.output}. Give each a place of its own.")
        if self.cell_scores is not None and self.reading.url is not None:
            raise ParameterError(
                "--cell-scores has a row for each row of the table, and of a table of a database only some are read. "
                "Export it first."
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at; empty for all."""
        return (*self.reading.columns, *self.key) if self.reading.columns else ()


def check_pattern_of(request: PatternRequest, progress: Progress) -> PatternAnswer:
    """Check the patterns of a table, wherever it is; the answer has notes on how it was read.

    Raises
    ------
    SourceError
        if a table cannot be read.
    SchemaError
        for a column that is not there.
    ParameterError
        for a tolerance out of range.
    InputError
        where a history has nothing to learn from, or an output cannot be written.
    """
    places = ((request.output, request.output_format), (request.cell_scores, None))
    read_from = str(request.reading.data)
    sinks = [open_sink(place, format_, read_from) if place else None for place, format_ in places]
    progress("reading", 0, None)
    found = request.reading.read((*request.key, *request.segments))
    past = earlier_pattern(request) if found.frame.width else None
    progress("looking at cells", 0, None)
    answer = _answer(request, found.frame, past, sinks[1])
    if sinks[0] is not None:
        with sinks[0] as opened:
            opened.write(findings_frame(answer.findings))
    notes = [*found.notes]
    if request.history and past is None and found.frame.width:
        notes.append("the first run that is remembered, so the table is its own norm")
    if request.remember:
        now = aware(request.now) if request.now is not None else datetime.now(UTC)
        remember_run(Path(request.history[0]), PatternProfile.fit([_chosen(request, found.frame)]), now)
    return replace(answer, notes=tuple(notes), of_rows=found.of_rows)


def _answer(
    request: PatternRequest, frame: pl.DataFrame, past: PatternProfile | None, sink: VerdictSink | None
) -> PatternAnswer:
    found = None
    if sink is not None or past is None:
        found = score_cells(frame, request.columns, request.key, request.method) if frame.width else score_cells(frame)
    if sink is not None and found is not None:
        with sink as opened:
            opened.write(found.to_frame())
    parts = GuiltyParts.of(frame, request.segments) if frame.width else ()
    if past is not None or found is None:
        chosen = _chosen(request, frame)
        return check_pattern(chosen, past, request.tolerance, method=request.method, segments=parts)
    return check_pattern(found, None, request.tolerance, frame, segments=parts)


def _chosen(request: PatternRequest, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select([name for name in request.columns or frame.columns if name in frame.columns])


def earlier_pattern(request: PatternRequest) -> PatternProfile | None:
    """What earlier tables looked like; None where there is no history, or it begins with this run.

    Raises
    ------
    SourceError
        for a history that is not there or cannot be read.
    InputError
        for one that remembers no run.
    """
    before = None if request.now is None else microseconds(request.now)
    parts = [one for each in request.history for one in _patterns_in(Path(each), request)]
    parts += [_pattern_of(request, one.path, one.time) for one in request.reading.earlier_files()]
    parts = [one for one in parts if before is None or one.time is None or one.time < before]
    parts = [one for one in parts if one.columns]
    if not parts and request.history and not request.remember:
        raise InputError(f"{request.history[0]} remembers no earlier run. Add one with --remember.")
    if not parts:
        return None
    merged = PatternProfile.merged(parts)
    wanted = request.columns or tuple(merged.columns)
    return replace(merged, columns={name: one for name, one in merged.columns.items() if name in wanted})


def _patterns_in(place: Path, request: PatternRequest) -> Sequence[PatternProfile]:
    if place.is_file():
        return [_pattern_of(request, place, None)]
    if not place.exists() and not request.remember:
        raise SourceError(f"There is no file or folder {str(place)!r}. Check the path.")
    if (runs := read_patterns(place)) or not place.exists():
        return runs
    own = Path(str(request.reading.data))
    files = [one for one in data_files(place) if not (own.is_file() and one.path.samefile(own))]
    return [_pattern_of(request, one.path, one.time) for one in files[-MOST_RUNS:]]


def _pattern_of(request: PatternRequest, path: Path, time: int | None) -> PatternProfile:
    """The profile of one file, which is read and let go."""
    frame = replace(request.reading, data=str(path), url=None, table=None).frame_of(path)
    return replace(PatternProfile.fit([_chosen(request, frame)]), time=time)


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
            "guilty": one.guilty,
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
    "guilty": pl.String,
    "example_row": pl.Int64,
    "example": pl.String,
    "expected": pl.String,
}
