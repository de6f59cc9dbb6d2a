"""Verdicts on the lines, or on the sessions, of a log file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.records import counted
from anomaly_detection.reports.document import Document
from anomaly_detection.results import SEVERITIES
from anomaly_detection.workflows.judged_log import JudgedLog
from anomaly_detection.workflows.log_models import TrainedLog, load_log_model
from anomaly_detection.workflows.log_reading import read_log
from anomaly_detection.workflows.log_reasons import reasons_of_lines, reasons_of_sessions
from anomaly_detection.workflows.log_summary import LogSummary
from anomaly_detection.workflows.output import open_sink, signature
from anomaly_detection.workflows.report import ReportPlace

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.logs import LogResult
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.log_reading import LogReading

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


def score_log(request: LogScoringRequest, progress: Progress) -> LogScoringOutcome:
    """Learn from a log file or take a trained model, give verdicts on lines or sessions, and write them.

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
    reading = request.reading
    sink = open_sink(request.output, request.output_format, reading.data) if request.output else None
    report = ReportPlace.of(request.report, reading.data, request.output) if request.report else None
    read = read_log(reading, progress)
    train, test = _split(read.frame, request)
    if trained is None:
        progress("learning", 0, None)
        trained = TrainedLog.fit(_pipeline(request), train, reading)
    progress("judging", 0, None)
    known = trained.known(test)
    table, result = judged(trained.pipeline, known)
    progress("gathering what was found", 0, None)
    summary = LogSummary(_judged_log(trained.pipeline, known, table, result))
    made = _made(request, trained, read.fingerprint)
    told = summary.to_dict(trained.lines, read.counts, read.format, read.notes) if sink or report else {}
    if sink is not None:
        with sink as opened:
            opened.made(made)
            opened.summary(told)
            rows = summary.log.rows + len(read.frame) - len(test)
            opened.write(table.select(pl.Series("row", rows), pl.all()))
    if report is not None:
        document = {"results": [], "summary": told, "made": made}
        report.write(msgspec.convert(document, Document))
    return _outcome(request, summary, trained.lines, read.notes)


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


def _made(request: LogScoringRequest, trained: TrainedLog, fingerprint: str) -> dict[str, Any]:
    """Everything needed to make the same results again."""
    pipeline = trained.pipeline
    return {
        "model": request.model,
        "algorithm": {
            "name": "log_sessions" if trained.by_session else "log_lines",
            "parameters": pipeline.parameters(),
        },
        "alpha": pipeline.alpha_,
        "trained_on_rows": trained.lines,
        "data": {"name": request.reading.data, "sha256": fingerprint},
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


def judged(pipeline: LogPipeline | SessionPipeline, frame: pl.DataFrame) -> tuple[pl.DataFrame, LogResult]:
    """The verdicts on the lines or sessions of a log frame: as a table with what they are about, and as they are.

    Raises
    ------
    InputError
        where sessions are judged and no line has one.
    """
    return _sessions(pipeline, frame) if isinstance(pipeline, SessionPipeline) else _lines(pipeline, frame)


def _lines(pipeline: LogPipeline, test: pl.DataFrame) -> tuple[pl.DataFrame, LogResult]:
    result = pipeline.detect(test)
    described = test.select("line", pl.col("time"), "service")
    names = np.array([*pipeline.templates(), None], dtype=object)
    told = {
        "template": pl.Series(names[result.templates].tolist(), dtype=pl.String),
        "reason": reasons_of_lines(result),
    }
    return described.hstack(_verdicts(result)).with_columns(**told), result


def _sessions(pipeline: SessionPipeline, test: pl.DataFrame) -> tuple[pl.DataFrame, LogResult]:
    result = pipeline.detect(test)
    if not len(result):
        raise InputError("No line that is to be judged belongs to a session.")
    first, worst = test[result.rows], test[np.asarray(result.worst)]
    described = pl.DataFrame({"session": result.key, "line": first["line"], "time": first["time"]})
    told = {"worst_line": worst["line"], "reason": reasons_of_sessions(result, worst["message"])}
    return described.hstack(_verdicts(result)).with_columns(**told), result


def _judged_log(
    pipeline: LogPipeline | SessionPipeline, frame: pl.DataFrame, table: pl.DataFrame, result: LogResult
) -> JudgedLog:
    if isinstance(pipeline, SessionPipeline):
        return JudgedLog("session", frame, table, result, pipeline.templates())
    return JudgedLog("line", frame, table, result, pipeline.templates(), pipeline.minutes)


def _verdicts(result: LogResult) -> pl.DataFrame:
    """The columns of the verdict, and the p-value of each method."""
    frame = result.to_polars()
    frame = frame.drop([name for name in ("row", "key", "time", "level") if name in frame.columns])
    return frame.with_columns(**{f"p_{name}": pl.Series(p_values) for name, p_values in result.parts.items()})


def _outcome(
    request: LogScoringRequest, summary: LogSummary, learned: int, notes: tuple[str, ...]
) -> LogScoringOutcome:
    result, table = summary.log.result, summary.log.table
    counts = np.bincount(result.severity_code, minlength=len(SEVERITIES)).tolist()
    found = [place for place in result.top(request.top).tolist() if result.is_anomaly[place]]
    templates, windows = (summary.odd(each, MOST_GROUPS) for each in (summary.templates, summary.windows))
    return LogScoringOutcome(
        unit=summary.log.unit,
        judged=len(result),
        learned=learned,
        alpha=result.alpha,
        severities=dict(zip(SEVERITIES, counts, strict=True)),
        top=tuple(table[found].to_dicts()),
        templates=templates,
        windows=windows,
        odd_templates=summary.odd_count(summary.templates),
        odd_windows=summary.odd_count(summary.windows),
        notes=notes,
    )
