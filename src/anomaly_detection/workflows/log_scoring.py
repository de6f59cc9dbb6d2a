"""Verdicts on the lines, or on the sessions, of a log file."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import msgspec
import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.records import counted
from anomaly_detection.reports.document import Document
from anomaly_detection.workflows.line_tally import LineTally
from anomaly_detection.workflows.log_models import TrainedLog, load_log_model
from anomaly_detection.workflows.log_reading import explained, rows_of
from anomaly_detection.workflows.log_reasons import reasons_of_lines, reasons_of_sessions
from anomaly_detection.workflows.log_summary import MOST_ANOMALIES, LogSummary
from anomaly_detection.workflows.output import open_sink, signature
from anomaly_detection.workflows.report import ReportPlace
from anomaly_detection.workflows.whole_log import WholeLog

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from anomaly_detection.logs import LogResult
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.sources.logs.counts import LogCounts
    from anomaly_detection.workflows.log_reading import LogReading
    from anomaly_detection.workflows.output import VerdictSink

BLOCK_ROWS = 65_536
"""Lines that are judged and written at once."""

MOST_GROUPS = 10
"""So many anomalous templates and windows are told."""


@dataclass(frozen=True, slots=True)
class LogScoringRequest:
    """What to read, how to judge it, and where to write.

    Parameters
    ----------
    reading : the log.
    by_session : judge sessions instead of lines.
    train_rows : learn from the first rows and judge the others; learn from all and judge all when not given.
    contamination : the share of normal lines, or sessions, that may raise an alarm, or ``"auto"``.
    seed : of everything that is drawn.
    output, output_format : a file for all verdicts, or ``-``.
    top : how many anomalies to tell about.
    report : a file for a report on what was found, its format told from its name.
    model : a registered model to judge with, such as ``web@production``; it says what is judged, and how the log is
        read where ``reading`` does not.
    registry : the registry's folder; the default one when not given.
    """

    reading: LogReading
    by_session: bool = False
    train_rows: int | None = None
    contamination: float | str = "auto"
    seed: int = 0
    output: str | None = None
    output_format: str | None = None
    top: int = 10
    report: str | None = None
    model: str | None = None
    registry: Path | None = None


@dataclass(frozen=True, slots=True)
class LogScoringOutcome:
    """What was found.

    Parameters
    ----------
    unit : what was judged: ``"line"`` or ``"session"``.
    judged : how many of them.
    learned : how many rows were learned from.
    alpha : the p-value at and below which one is an anomaly.
    severities : how many have each severity.
    top : the most anomalous ones, with the columns of the output and their messages.
    templates, windows : those that are anomalous, the most anomalous first, at most so many.
    odd_templates, odd_windows : how many of each are anomalous.
    notes : what the user should know of how the file was read.
    """

    unit: str
    judged: int
    learned: int
    alpha: float
    severities: dict[str, int]
    top: tuple[dict[str, Any], ...]
    templates: tuple[dict[str, Any], ...]
    windows: tuple[dict[str, Any], ...]
    odd_templates: int
    odd_windows: int
    notes: tuple[str, ...]

    @property
    def anomaly_count(self) -> int:
        """How many are anomalies."""
        return self.judged - self.severities["normal"]


@dataclass(frozen=True, slots=True)
class _Scored:
    """What judged, what was found, and what became of the lines of the file."""

    trained: TrainedLog
    log: WholeLog | LineTally
    counts: LogCounts
    notes: tuple[str, ...]
    format: str
    fingerprint: str


def score_log(request: LogScoringRequest, progress: Progress) -> LogScoringOutcome:
    """Learn from a log file or take a trained model, give verdicts on lines or sessions, and write them.

    With a model of lines the log is read, judged and written block by block, so that memory is bounded. Sessions may
    begin and end anywhere, so their log is held in memory.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    InputError
        where the output or the report cannot be written, or there are too few lines or sessions.
    ParameterError
        where no line is left to judge, or no field says which session a line is of; where a model is given and told
        what to learn.
    RegistryError
        if the model cannot be loaded.
    """
    trained = None if request.model is None else _loaded(request, request.model)
    request = _as_trained(request, trained)
    data = request.reading.data
    sink = open_sink(request.output, request.output_format, data) if request.output else None
    report = ReportPlace.of(request.report, data, request.output) if request.report else None
    with sink or nullcontext() as opened:
        found = _scored(request, trained, opened, progress)
        progress("gathering what was found", 0, None)
        summary, made = LogSummary(found.log), _made(request, found)
        how = found.trained.lines, found.counts, found.format, found.notes
        told = summary.to_dict(*how) if sink or report else {}
        if opened is not None:
            opened.made(made)
            opened.summary(told)
    if report is not None:
        document = {"results": [], "summary": told, "made": made}
        report.write(msgspec.convert(document, Document))
    return _outcome(request, summary, found)


def check_sessions(frame: pl.DataFrame, pattern: str | None = None) -> None:
    """Refuse a log whose lines have no session, or none that looks like the pattern.

    Raises
    ------
    ParameterError
        naming the option that says which field it is.
    """
    if "session" not in frame.columns:
        raise ParameterError(
            "No field of this log says which session a line is of. Name it: --session NAME; or say what the names of "
            "sessions look like in the message: --session-pattern REGEX."
        )
    if pattern is not None and not frame["session"].count():
        raise ParameterError(f"--session-pattern {pattern!r} matches in no line. Give one that does.")


def _loaded(request: LogScoringRequest, model: str) -> TrainedLog:
    if request.train_rows is not None:
        raise ParameterError(
            f"--train-rows {request.train_rows} says what to learn from, and --model {model} has learned. Give one."
        )
    trained = load_log_model(model, request.registry)
    if request.by_session and not trained.by_session:
        raise ParameterError(
            f"{model} judges lines, and --session asks for sessions. Leave it out, or train a model of sessions: logs "
            "train FILE --session NAME."
        )
    return trained


def _as_trained(request: LogScoringRequest, trained: TrainedLog | None) -> LogScoringRequest:
    if trained is None:
        return request
    return replace(request, reading=request.reading.after(trained.reading), by_session=trained.by_session)


def _pipeline(request: LogScoringRequest) -> LogPipeline | SessionPipeline:
    kind = SessionPipeline if request.by_session else LogPipeline
    return kind(request.contamination, random_state=request.seed)


def _made(request: LogScoringRequest, found: _Scored) -> dict[str, Any]:
    """Everything needed to make the same results again."""
    trained, pipeline = found.trained, found.trained.pipeline
    return {
        "model": request.model,
        "algorithm": {
            "name": "log_sessions" if trained.by_session else "log_lines",
            "parameters": pipeline.parameters(),
        },
        "alpha": pipeline.alpha_,
        "trained_on_rows": trained.lines,
        "data": {"name": request.reading.data, "sha256": found.fingerprint},
        **signature(),
    }


def _split(frame: pl.DataFrame, request: LogScoringRequest) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What to learn from, and what to judge."""
    if request.by_session:
        check_sessions(frame, request.reading.session_pattern)
    if request.train_rows is None:
        return frame, frame
    if request.train_rows >= len(frame):
        raise ParameterError(
            f"--train-rows {request.train_rows} leaves nothing to judge: the log has {counted(len(frame), 'row')}."
        )
    return frame[: request.train_rows], frame[request.train_rows :]


def _scored(
    request: LogScoringRequest, trained: TrainedLog | None, sink: VerdictSink | None, progress: Progress
) -> _Scored:
    """Read, learn where there is no model, judge, and write the verdicts."""
    reading = request.reading
    with reading.open() as source, explained(reading):
        if trained is not None and not trained.by_session:
            blocks = (batch.frame for batch in source.batches(BLOCK_ROWS))
            log: WholeLog | LineTally = _lines(request, trained, blocks, 0, sink, progress)
        else:
            frame = rows_of(source, progress)
            train, test = _split(frame, request)
            progress("learning", 0, None)
            trained = trained or TrainedLog.fit(_pipeline(request), train, reading)
            first = len(frame) - len(test)
            if trained.by_session:
                progress("judging", 0, None)
                log = _sessions(trained, test, first, sink)
            else:
                blocks = (test[at : at + BLOCK_ROWS] for at in range(0, len(test), BLOCK_ROWS))
                log = _lines(request, trained, blocks, first, sink, progress)
        told = source.counts, tuple(source.notes), str(source.format), source.fingerprint()
    return _Scored(trained, log, *told)


def _lines(
    request: LogScoringRequest,
    trained: TrainedLog,
    blocks: Iterable[pl.DataFrame],
    first: int,
    sink: VerdictSink | None,
    progress: Progress,
) -> LineTally:
    """The lines of blocks are judged and written as they come; ``first`` is the row of the first one."""
    pipeline = cast("LogPipeline", trained.pipeline)
    learned = pipeline.templates()
    tally = LineTally(learned, pipeline.alpha_, pipeline.minutes, max(MOST_ANOMALIES, request.top))
    names = np.array([*learned, None], dtype=object)
    for block in blocks:
        known = trained.known(block)
        result = pipeline.detect(known, first_row=first + tally.judged)
        table = known.select("line", "time", "service").hstack(_verdicts(result))
        template = pl.Series(names[result.templates].tolist(), dtype=pl.String)
        table = table.with_columns(template=template, reason=reasons_of_lines(result))
        if sink is not None:
            sink.write(table.select(pl.Series("row", result.rows), pl.all()))
        tally.add(known, table, result)
        progress(f"judging, {tally.judged:,} lines", tally.judged, None)
    if not tally.judged:
        raise InputError("The log has no line that could be judged.")
    return tally


def _sessions(trained: TrainedLog, frame: pl.DataFrame, first: int, sink: VerdictSink | None) -> WholeLog:
    test, pipeline = trained.known(frame), cast("SessionPipeline", trained.pipeline)
    result = pipeline.detect(test)
    if not len(result):
        raise InputError("No line that is to be judged belongs to a session.")
    begin, worst = test[result.rows], test[np.asarray(result.worst)]
    described = pl.DataFrame({"session": result.key, "line": begin["line"], "time": begin["time"]})
    told = {"worst_line": worst["line"], "reason": reasons_of_sessions(result, worst["message"])}
    table = described.hstack(_verdicts(result)).with_columns(**told)
    if sink is not None:
        sink.write(table.select(pl.Series("row", result.rows + first), pl.all()))
    return WholeLog("session", test, table, result, pipeline.templates())


def _verdicts(result: LogResult) -> pl.DataFrame:
    """The columns of the verdict, and the p-value of each method."""
    frame = result.to_polars()
    frame = frame.drop([name for name in ("row", "key", "time", "level") if name in frame.columns])
    return frame.with_columns(**{f"p_{name}": pl.Series(p_values) for name, p_values in result.parts.items()})


def _outcome(request: LogScoringRequest, summary: LogSummary, found: _Scored) -> LogScoringOutcome:
    templates, windows = (summary.odd(each, MOST_GROUPS) for each in (summary.templates, summary.windows))
    return LogScoringOutcome(
        unit=summary.log.unit,
        judged=summary.log.judged,
        learned=found.trained.lines,
        alpha=summary.log.alpha,
        severities=summary.severities,
        top=tuple(summary.log.top(request.top)),
        templates=templates,
        windows=windows,
        odd_templates=summary.odd_count(summary.templates),
        odd_windows=summary.odd_count(summary.windows),
        notes=found.notes,
    )
