"""Find the anomalies in a table: fit on it or use a trained model, score, explain, write."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from anomaly_detection.pipeline import Pipeline, silent
from anomaly_detection.records import named_columns
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.workflows.explaining import Explaining
from anomaly_detection.workflows.output import how_made, open_sink, written
from anomaly_detection.workflows.request import DetectRequest, check
from anomaly_detection.workflows.scoring import Scoring, prepared
from anomaly_detection.workflows.series_scoring import series_verdicts
from anomaly_detection.workflows.series_way import decided, future_notes
from anomaly_detection.workflows.summary import Summary
from anomaly_detection.workflows.tally import Tally

__all__ = ["DetectOutcome", "DetectRequest", "detect_file"]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.results import Result
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.reading import Reading


@dataclass(frozen=True, slots=True)
class DetectOutcome:
    """What was found."""

    rows: int
    anomaly_count: int
    severities: Mapping[str, int]
    alpha: float
    top: list[dict[str, Any]]
    pipeline: Pipeline | SeriesPipeline
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
            "anomalies": self.top,
            "evaluation": self.evaluation.to_dict() if self.evaluation else None,
            "notes": list(self.notes),
            "schema": self.pipeline.schema_.to_dict(),
            "made": dict(self.made),
        }


def _verdicts(
    request: DetectRequest, pipeline: Pipeline | SeriesPipeline, source: FileSource, progress: Progress
) -> Iterator[tuple[Result, pl.DataFrame]]:
    if isinstance(pipeline, SeriesPipeline):
        return series_verdicts(request, pipeline, source, progress)
    return Scoring(request, pipeline, source, progress).verdicts()


def _hidden(reading: Reading) -> tuple[str, ...]:
    """Columns that stand apart from a record: those left out, and the key and the time, which a verdict shows."""
    return (*reading.ignore, *named_columns(reading.key), *filter(None, [reading.timestamp]))


def detect_file(request: DetectRequest, progress: Progress = silent) -> DetectOutcome:
    """Give verdicts on the records of a file.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off; then nothing was written.
    RegistryError
        if the model cannot be loaded.
    NotFittedError
        if reasons are asked of a model that was saved by a version that kept no normal rows.
    SinkError
        if the verdicts cannot be written; what was there before is untouched.
    """
    check(request)
    pipeline = prepared(request)
    if request.explain and pipeline.is_fitted and isinstance(pipeline, Pipeline):
        pipeline.background  # noqa: B018  a model that cannot explain says so before anything is read
    with ExitStack() as stack:
        sink = open_sink(request.output, request.output_format, request.reading.data) if request.output else None
        source = stack.enter_context(request.reading.open(request.train_column))
        said: list[str] = []
        if isinstance(pipeline, Pipeline) and request.model is None and request.fdr is None:
            pipeline, said = decided(pipeline, request.fitting, request.reading, source, request.train_column)
        verdicts = _verdicts(request, pipeline, source, progress)
        first = next(verdicts)
        made = how_made(pipeline, request, source.fingerprint())
        if sink is not None:
            stack.enter_context(sink).made(made)
        tally = Tally(pipeline, request.top, request.reading.label, explain=request.explain)
        explaining = Explaining(pipeline, progress) if request.explain else None
        summary = Summary(pipeline, _hidden(request.reading)) if sink and sink.format.kind == "json" else None
        if isinstance(pipeline, SeriesPipeline):
            said += [*pipeline.notes_, *future_notes(first[1], pipeline)]
        for result, frame in chain([first], verdicts):
            tally.add(result, frame)
            if sink is not None:
                sink.write(written(result, frame, sink.format.kind, explaining))
            if summary is not None:
                summary.add(result, frame)
        evaluation = tally.evaluation()
        if sink is not None and summary is not None:
            sink.summary(summary.to_dict(tally, evaluation, source.notes))
        return DetectOutcome(
            rows=tally.rows,
            anomaly_count=tally.anomaly_count,
            severities=tally.severity_counts(),
            alpha=tally.alpha,
            top=tally.top(),
            pipeline=pipeline,
            made=made,
            evaluation=evaluation,
            notes=(*source.notes, *said, *_late_notes(pipeline)),
        )


def _late_notes(pipeline: Pipeline | SeriesPipeline) -> list[str]:
    """What is only known once the rows of series are judged."""
    return [*pipeline.budget_notes_, *pipeline.drift_notes_] if isinstance(pipeline, SeriesPipeline) else []
