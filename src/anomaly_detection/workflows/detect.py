"""Find the anomalies in a table: fit on it or use a trained model, score, explain, write."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.detectors.spec import to_spec
from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.pipeline import silent
from anomaly_detection.registry.lineage import library_versions, stamp, utc_now
from anomaly_detection.sinks.files import FileSink
from anomaly_detection.version import __version__
from anomaly_detection.workflows.fitting import BATCH, WHOLE, Fitting, blank_pipeline, command_line, read_for_fitting
from anomaly_detection.workflows.models import load_pipeline
from anomaly_detection.workflows.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.results import Result
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.reading import Reading


@dataclass(frozen=True, slots=True)
class DetectRequest:
    """What to do.

    Parameters
    ----------
    reading : the records.
    fitting : how to fit, when no model is given.
    model : a registered model to score with instead, such as ``orders@production``.
    registry : the registry's folder; the default one when not given.
    train_column : rows where this column is true are fitted on, the others scored.
    train_rows : the first so many rows are fitted on, the others scored.
    fdr : control the share of false alarms among the alarms instead of the rate among normal records.
    output, output_format : a file for the verdicts.
    explain : write the reasons for each anomaly.
    top : how many anomalies to keep for showing.
    """

    reading: Reading
    fitting: Fitting = field(default_factory=Fitting)
    model: str | None = None
    registry: Path | None = None
    train_column: str | None = None
    train_rows: int | None = None
    fdr: float | None = None
    output: Path | None = None
    output_format: str | None = None
    explain: bool = False
    top: int = 10


@dataclass(frozen=True, slots=True)
class DetectOutcome:
    """What was found."""

    rows: int
    anomaly_count: int
    severities: Mapping[str, int]
    alpha: float
    top: list[dict[str, Any]]
    pipeline: Pipeline
    made: Mapping[str, Any]
    evaluation: Evaluation | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "rows": self.rows,
            "anomaly_count": self.anomaly_count,
            "severities": dict(self.severities),
            "alpha": self.alpha,
            "anomalies": [one for one in self.top if one["is_anomaly"]],
            "evaluation": self.evaluation.to_dict() if self.evaluation else None,
            "notes": list(self.notes),
            "made": dict(self.made),
        }


def detect_file(request: DetectRequest, progress: Progress = silent) -> DetectOutcome:
    """Give verdicts on the records of a file.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off; then nothing was written.
    RegistryError
        if the model cannot be loaded.
    SinkError
        if the verdicts cannot be written; what was there before is untouched.
    """
    with ExitStack() as stack:
        source = stack.enter_context(request.reading.open())
        sink = _sink(request)
        run = _Run(request, source, progress)
        verdicts = run.verdicts()
        first = next(verdicts, None)
        tally = Tally(run.pipeline, request.top, request.reading.label)
        made = how_made(run.pipeline, request, source.fingerprint())
        if sink is not None:
            stack.enter_context(sink).made(made)
        while first is not None:
            result, frame = first
            tally.add(result, frame)
            if sink is not None:
                sink.write(written(result, frame, run.pipeline, explain=request.explain))
            first = next(verdicts, None)
    return DetectOutcome(
        rows=tally.rows,
        anomaly_count=tally.anomaly_count,
        severities=tally.severity_counts(),
        alpha=tally.alpha,
        top=tally.top(),
        pipeline=run.pipeline,
        made=made,
        evaluation=tally.evaluation(),
        notes=tuple(source.notes),
    )


class _Run:
    """The verdicts of one request, batch by batch; ``pipeline`` is set once the first one is out."""

    pipeline: Pipeline

    def __init__(self, request: DetectRequest, source: FileSource, progress: Progress) -> None:
        self.request = request
        self.source = source
        self.progress = progress

    def verdicts(self) -> Iterator[tuple[Result, pl.DataFrame]]:
        """Results and the rows they are about, in input order."""
        request = self.request
        if request.model is not None:
            self.pipeline = load_pipeline(request.model, request.registry)
            return self._stream(None)
        if request.train_column is not None:
            return self._fit_on_column(request.train_column)
        if request.train_rows is not None:
            return self._fit_on_first(request.train_rows)
        return self._fit_on_all()

    def _fit_on_all(self) -> Iterator[tuple[Result, pl.DataFrame]]:
        frame = read_for_fitting(self.source, self.request.fitting.random_state, self.progress)
        if self.source.size > WHOLE or self.request.fdr is not None:
            self._fit(frame)
            yield from self._stream(None)
            return
        pipeline = blank_pipeline(self.request.fitting)
        schema = self.request.reading.schema(frame)
        result = pipeline.fit_detect(frame, schema, self.progress)
        self.pipeline = pipeline
        yield result, frame

    def _fit_on_first(self, n: int) -> Iterator[tuple[Result, pl.DataFrame]]:
        self._fit(self.source.read(n))
        yield from self._stream(None, skip=n)

    def _fit_on_column(self, column: str) -> Iterator[tuple[Result, pl.DataFrame]]:
        parts = [batch.filter(_truth(batch, column)) for batch in self.source.batches(BATCH)]
        train = pl.concat(parts)
        if train.is_empty():
            raise InputError(f"--train-column {column}: no row of {self.request.reading.data} is true in it.")
        self._fit(train, column)
        yield from self._stream(column)

    def _fit(self, frame: pl.DataFrame, *also_ignore: str) -> None:
        schema = self.request.reading.schema(frame, *also_ignore)
        self.pipeline = blank_pipeline(self.request.fitting).fit(frame, schema, self.progress)

    def _stream(self, train_column: str | None, skip: int = 0) -> Iterator[tuple[Result, pl.DataFrame]]:
        row = 0
        scored = 0
        for batch in self.source.batches(BATCH):
            rows = np.arange(row, row + len(batch), dtype=np.int64)
            row += len(batch)
            wanted = rows >= skip if train_column is None else ~_truth(batch, train_column).to_numpy()
            part = batch if wanted.all() else batch.filter(pl.Series(wanted))
            scored += len(part)
            if len(part):
                yield self.pipeline.detect(part, fdr=self.request.fdr).with_(row=rows[wanted]), part
            self.progress("scoring", row, None)
        if not scored:
            raise InputError(f"No row of {self.request.reading.data} is left to score.")


def written(result: Result, frame: pl.DataFrame, pipeline: Pipeline, *, explain: bool) -> pl.DataFrame:
    """The columns that go to a file; with ``explain`` one sentence of reasons for each anomaly."""
    columns = result.to_polars()
    if not explain:
        return columns
    flagged = np.flatnonzero(result.is_anomaly)
    words: list[str | None] = [None] * len(result)
    for i, why in zip(flagged, pipeline.explain(frame, flagged.tolist()), strict=True):
        words[i] = "; ".join(reason.sentence() for reason in why)
    return columns.with_columns(pl.Series("explanation", words, dtype=pl.String))


def how_made(pipeline: Pipeline, request: DetectRequest, fingerprint: str) -> dict[str, Any]:
    """Everything needed to make the same result again; ``fingerprint`` is the SHA-256 of the data."""
    return {
        "model": request.model,
        "algorithm": to_spec(pipeline.scorer_.detector),
        "parameters": {name: value for name, value in pipeline.parameters().items() if name != "detector"},
        "alpha": pipeline.alpha_,
        "trained_on_rows": pipeline.rows_,
        "calibration_rows": pipeline.calibrator_.n_,
        "schema": pipeline.schema_.to_dict(),
        "data": {"name": request.reading.data, "sha256": fingerprint},
        "versions": {"anomaly-detection": __version__, **library_versions()},
        "command": command_line(),
        "created": stamp(utc_now()),
    }


def _sink(request: DetectRequest) -> FileSink | None:
    if request.output is None:
        return None
    return FileSink(request.output, request.output_format, source=request.reading.data)


def _truth(frame: pl.DataFrame, column: str) -> pl.Series:
    if column not in frame.columns:
        raise SchemaError(f"--train-column: there is no column {column!r}; the data has {', '.join(frame.columns)}.")
    values = frame[column]
    if values.dtype == pl.Boolean or values.dtype.is_numeric():
        return values.cast(pl.Boolean).fill_null(value=False)
    return values.cast(pl.String).str.to_lowercase().is_in(["true", "yes", "1", "t", "y"]).fill_null(value=False)
