"""Verdicts on the lines, or on the sessions, of a log file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.records import counted
from anomaly_detection.results import SEVERITIES
from anomaly_detection.workflows.log_reasons import reasons_of_lines, reasons_of_sessions
from anomaly_detection.workflows.output import open_sink

if TYPE_CHECKING:
    from anomaly_detection.logs import LogResult
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.log_reading import LogReading

SHOWN_MESSAGE = 400
"""Characters of a message that are shown."""


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
    """

    reading: LogReading
    by_session: bool = False
    train_rows: int | None = None
    contamination: float | str = "auto"
    seed: int = 0
    output: str | None = None
    output_format: str | None = None
    top: int = 10


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
    notes : what the user should know of how the file was read.
    """

    unit: str
    judged: int
    learned: int
    alpha: float
    severities: dict[str, int]
    top: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def anomaly_count(self) -> int:
        """How many are anomalies."""
        return self.judged - self.severities["normal"]


def score_log(request: LogScoringRequest, progress: Progress) -> LogScoringOutcome:
    """Learn from a log file, give verdicts on its lines or sessions, and write them.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    InputError
        where the output cannot be written, or there are too few lines or sessions.
    ParameterError
        where no line is left to judge, or no field says which session a line is of.
    """
    reading = request.reading
    sink = open_sink(request.output, request.output_format, reading.data) if request.output else None
    frame, notes = _read(reading, progress)
    train, test = _split(frame, request)
    progress("learning", 0, None)
    if request.by_session:
        table, result = _sessions(request, train, test)
    else:
        table, result = _lines(request, train, test)
    if sink is not None:
        with sink as opened:
            opened.made({"command": "logs score", "alpha": result.alpha, "learned_from": len(train)})
            opened.write(table)
    return _outcome(request, table, result, len(train), notes)


def _read(reading: LogReading, progress: Progress) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """All rows of the log, and what became of its lines."""
    parts, rows = [], 0
    with reading.open() as source:
        for batch in source.batches():
            parts.append(batch.frame)
            rows += len(batch.frame)
            progress("reading", rows, None)
        return pl.concat(parts, how="diagonal"), tuple(source.notes)


def _split(frame: pl.DataFrame, request: LogScoringRequest) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What to learn from, and what to judge."""
    if request.by_session and "session" not in frame.columns:
        raise ParameterError("No field of this log says which session a line is of. Name it: --session NAME.")
    if request.train_rows is None:
        return frame, frame
    if request.train_rows >= len(frame):
        raise ParameterError(
            f"--train-rows {request.train_rows} leaves nothing to judge: the log has {counted(len(frame), 'row')}."
        )
    return frame[: request.train_rows], frame[request.train_rows :]


def _lines(request: LogScoringRequest, train: pl.DataFrame, test: pl.DataFrame) -> tuple[pl.DataFrame, LogResult]:
    pipeline = LogPipeline(request.contamination, random_state=request.seed).fit(train)
    result = pipeline.detect(test)
    described = test.select("line", pl.col("time"), "service")
    names = np.array([*pipeline.templates(), None], dtype=object)
    told = {
        "template": pl.Series(names[result.templates].tolist(), dtype=pl.String),
        "reason": reasons_of_lines(result),
    }
    return described.hstack(_verdicts(result)).with_columns(**told), result


def _sessions(request: LogScoringRequest, train: pl.DataFrame, test: pl.DataFrame) -> tuple[pl.DataFrame, LogResult]:
    pipeline = SessionPipeline(request.contamination, random_state=request.seed).fit(train)
    result = pipeline.detect(test)
    if not len(result):
        raise InputError("No line after the training rows belongs to a session.")
    first, worst = test[result.rows], test[np.asarray(result.worst)]
    described = pl.DataFrame({"session": result.key, "line": first["line"], "time": first["time"]})
    told = {"worst_line": worst["line"], "reason": reasons_of_sessions(result, worst["message"])}
    return described.hstack(_verdicts(result)).with_columns(**told), result


def _verdicts(result: LogResult) -> pl.DataFrame:
    """The columns of the verdict, and the p-value of each method."""
    frame = result.to_polars()
    frame = frame.drop([name for name in ("row", "key", "time", "level") if name in frame.columns])
    return frame.with_columns(**{f"p_{name}": pl.Series(p_values) for name, p_values in result.parts.items()})


def _outcome(
    request: LogScoringRequest, table: pl.DataFrame, result: LogResult, learned: int, notes: tuple[str, ...]
) -> LogScoringOutcome:
    counts = np.bincount(result.severity_code, minlength=len(SEVERITIES)).tolist()
    found = [place for place in result.top(request.top).tolist() if result.is_anomaly[place]]
    return LogScoringOutcome(
        unit="session" if request.by_session else "line",
        judged=len(result),
        learned=learned,
        alpha=result.alpha,
        severities=dict(zip(SEVERITIES, counts, strict=True)),
        top=tuple(table[found].to_dicts()),
        notes=notes,
    )
