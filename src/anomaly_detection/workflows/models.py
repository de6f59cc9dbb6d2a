"""Train models, keep them in the registry, and look after them."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.catalog import DETECTORS, SERIES_DETECTORS
from anomaly_detection.detectors.labels import labels_of, need_saved, need_streaming
from anomaly_detection.detectors.series.base import series_labels
from anomaly_detection.errors import InputError, RegistryError
from anomaly_detection.evaluation.compare import compare
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, evaluate
from anomaly_detection.features.inference import check_finite
from anomaly_detection.keyed import KeyedPipeline, restored
from anomaly_detection.pipeline import silent
from anomaly_detection.registry.artifact import read_artifact, write_artifact
from anomaly_detection.registry.lineage import Lineage
from anomaly_detection.registry.local import LocalRegistry
from anomaly_detection.registry.names import check_alias, check_name
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.settings import Settings
from anomaly_detection.workflows.fitting import Fitting, blank_pipeline, command_line, read_for_fitting
from anomaly_detection.workflows.model_kinds import need_table
from anomaly_detection.workflows.series_evaluation import evaluated_series
from anomaly_detection.workflows.series_way import (
    blank_series,
    decided,
    described,
    future_notes,
    must_be_series,
    schema_of_series,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from anomaly_detection.entries import Entry
    from anomaly_detection.evaluation.compare import Difference
    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.registry.artifact import Artifact
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.reading import Reading


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train, and the name to register it under; ``job`` is the job of the service that does it."""

    reading: Reading
    name: str
    fitting: Fitting = field(default_factory=Fitting)
    aliases: tuple[str, ...] = ()
    registry: Path | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class TrainOutcome:
    """The registered version, the pipeline, and how good it is where labels tell."""

    version: ModelVersion
    pipeline: Pipeline | SeriesPipeline
    evaluation: Evaluation | None
    notes: tuple[str, ...]

    @property
    def levels(self) -> dict[str, Any] | None:
        """How it is made up, if there is a model per key."""
        return self.pipeline.evidence() if isinstance(self.pipeline, KeyedPipeline) else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: those of the version, and how it came about."""
        return {
            **asdict(self.version),
            "alpha": self.pipeline.alpha_,
            "schema": self.pipeline.schema_.to_dict(),
            "levels": self.levels,
            "evaluation": self.evaluation.to_dict() if self.evaluation else None,
            "notes": list(self.notes),
        }


def registry_at(folder: Path | None) -> LocalRegistry:
    """The registry in a folder, or the default one.

    Raises
    ------
    RegistryError
        if something else than a folder is there.
    """
    root = folder or Settings().registry_folder
    if root.exists() and not root.is_dir():
        raise RegistryError(f"{root} is not a folder, and a registry is one. Name another with --registry.")
    return LocalRegistry(root)


def train_model(request: TrainRequest, progress: Progress = silent) -> TrainOutcome:
    """Fit, evaluate on rows that were held out while fitting, and register a new version.

    Raises
    ------
    InputError
        if the data, the name or a parameter is off; then nothing was registered.
    RegistryError
        if the registry cannot be written.
    """
    began = time.perf_counter()
    registry = registry_at(request.registry)
    check_registrable(request.name, request.aliases, registry)
    pipeline = _blank(request)
    with request.reading.open() as source:
        pipeline, said = _decided(request, pipeline, source)
        if isinstance(pipeline, SeriesPipeline):
            frame = source.read()
            labels = None if request.reading.label is None else parse_labels(frame[request.reading.label])
            pipeline.fit(frame, schema_of_series(frame, request.reading), progress)
            evaluation, why = (None, []) if labels is None else evaluated_series(pipeline, frame, labels)
            said = [*said, *pipeline.notes_, *future_notes(frame, pipeline), *why]
        else:
            frame = read_for_fitting(source, request.fitting.random_state, progress)
            labels = None if request.reading.label is None else parse_labels(frame[request.reading.label])
            pipeline.fit(frame, request.reading.schema(frame), progress)
            evaluation = evaluated(pipeline, labels)
        lineage = _lineage(pipeline, source.fingerprint(), request.fitting, request.job)
        notes = (*source.notes, *said)
    metrics = metrics_of(pipeline, evaluation) | {"training_seconds": round(time.perf_counter() - began, 3)}
    version = registry.register(request.name, pipeline, metrics=metrics, lineage=lineage, aliases=request.aliases)
    return TrainOutcome(version, pipeline, evaluation, notes)


def _blank(request: TrainRequest) -> Pipeline | SeriesPipeline:
    if must_be_series(request.fitting, request.reading):
        return blank_series(request.fitting)
    pipeline = blank_pipeline(request.fitting)
    for need in (need_streaming, need_saved):
        need(pipeline.detector, "Training a model for the registry")
    return pipeline


def _decided(
    request: TrainRequest, pipeline: Pipeline | SeriesPipeline, source: FileSource
) -> tuple[Pipeline | SeriesPipeline, list[str]]:
    if isinstance(pipeline, SeriesPipeline):
        return pipeline, []
    return decided(pipeline, request.fitting, request.reading, source)


def algorithm_rows() -> list[dict[str, Any]]:
    """Name, aliases, labels, the extra it needs and a sentence, for every algorithm, installed or not."""
    return [
        {
            "name": entry.name,
            "aliases": list(entry.aliases),
            "labels": list(_labels(entry)),
            "extra": entry.extra,
            "summary": entry.summary,
        }
        for catalog in (DETECTORS, SERIES_DETECTORS)
        for entry in catalog.entries()
    ]


def _labels(entry: Entry) -> tuple[str, ...]:
    """What an algorithm promises; those for time series say so first."""
    if DETECTORS.knows(entry):
        return labels_of(entry)
    return entry.labels or series_labels(entry.load().tags)


def load_any(reference: str, registry: Path | None = None) -> Pipeline | SeriesPipeline:
    """The pipeline of a registered model, such as ``orders``, ``orders@production`` or ``orders@3``.

    Raises
    ------
    ModelNotFoundError
        if there is none, with the nearest name.
    ArtifactError
        if it must not be loaded.
    ParameterError
        if it is a model of logs.
    """
    artifact = registry_at(registry).load(reference)
    need_table(artifact.spec, reference)
    return restored_pipeline(artifact)


def load_pipeline(reference: str, registry: Path | None = None) -> Pipeline:
    """The same for doors that judge tables row by row; raises as :func:`load_any` does.

    Raises
    ------
    InputError
        for a model of time series.
    """
    pipeline = load_any(reference, registry)
    if isinstance(pipeline, SeriesPipeline):
        raise InputError(
            f"{reference} is a model of time series, and this takes a model of a table. Score with it by detection run "
            "--model, or AnomalyDetector.from_registry in Python."
        )
    return pipeline


def save_model(pipeline: Pipeline | SeriesPipeline, folder: Path, extra: Mapping[str, Any]) -> Path:
    """Write a fitted pipeline into a folder of its own, in place of a model that was there."""
    write_artifact(folder, *pipeline.state(), extra, overwrite=True)
    return folder


def load_model(folder: Path) -> tuple[Pipeline | SeriesPipeline, Mapping[str, Any]]:
    """Read what :func:`save_model` wrote: the pipeline and the extra.

    Raises
    ------
    ArtifactError
        if it must not be loaded.
    ParameterError
        if it is a model of logs.
    """
    artifact = read_artifact(folder)
    need_table(artifact.spec, str(folder))
    return restored_pipeline(artifact), artifact.manifest.extra


def restored_pipeline(artifact: Artifact) -> Pipeline | SeriesPipeline:
    """The pipeline of an artifact of tables; raises ArtifactError if it is damaged."""
    if "series" in artifact.spec:
        return SeriesPipeline.from_state(artifact.spec, artifact.arrays)
    return restored(artifact.spec, artifact.arrays)


@dataclass(frozen=True, slots=True)
class Comparing:
    """Two versions, their stored metrics, and the paired differences on labelled data if there was some."""

    stored: list[dict[str, Any]]
    paired: Mapping[str, Difference]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"stored": self.stored, "paired": {name: one.to_dict() for name, one in self.paired.items()}}


def compare_models(a: str, b: str, reading: Reading | None = None, registry: Path | None = None) -> Comparing:
    """Put two versions side by side; with labelled data, score the same rows with both.

    Raises
    ------
    InputError
        if data was given without a label.
    """
    found = registry_at(registry).compare(a, b)
    stored = [
        {"metric": pair.metric, found.a.reference: pair.a, found.b.reference: pair.b, "difference": pair.difference}
        for pair in found.metrics
    ]
    return Comparing(stored, {} if reading is None else _paired(a, b, reading, registry))


def _paired(a: str, b: str, reading: Reading, registry: Path | None) -> Mapping[str, Difference]:
    if reading.label is None:
        raise InputError("Comparing on data needs to know the anomalies: name the column with --label.")
    with reading.open() as source:
        frame = source.read()
    pipelines = [load_pipeline(reference, registry) for reference in (a, b)]
    for pipeline in pipelines:
        pipeline.schema_.check_names(frame.columns)
        check_finite(frame, pipeline.schema_)
    first, second = (pipeline.detect(frame) for pipeline in pipelines)
    return compare(frame[reading.label], first, second)


def check_registrable(name: str, aliases: Iterable[str], registry: LocalRegistry) -> None:
    """Refuse what could not be registered in the end, before the work is done.

    Raises
    ------
    InputError
        if the name or an alias breaks the rule.
    RegistryError
        if the registry cannot be written.
    """
    check_name(name)
    for alias in aliases:
        check_alias(alias)
    place = next(folder for folder in (registry.root.absolute(), *registry.root.absolute().parents) if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        problem = "may not be written by this user" if place.is_dir() else "is not a folder"
        raise RegistryError(
            f"No model can be registered in {registry.root}: {place} {problem}. Name another folder with --registry."
        )


def evaluated(pipeline: Pipeline, labels: NDArray[np.bool_] | None) -> Evaluation | None:
    """How good the verdicts are on rows that were held out while fitting."""
    if labels is None:
        return None
    held_out = ~np.isnan(pipeline.held_out_)
    scores = pipeline.held_out_[held_out]
    flags = pipeline.calibrator_.p_value(scores) <= pipeline.alpha_
    return evaluate(labels[held_out], scores, flags)


def metrics_of(pipeline: Pipeline | SeriesPipeline, evaluation: Evaluation | None) -> dict[str, float]:
    """What is registered with a pipeline: how it was fitted, and how good it is where labels tell."""
    found = {"rows": float(pipeline.rows_), "alpha": pipeline.alpha_}
    if evaluation is not None:
        values = {name: getattr(evaluation, name) for name in METRICS}
        found |= {name: float(value) for name, value in values.items() if value is not None}
    return found


def _parameters(pipeline: Pipeline | SeriesPipeline) -> dict[str, Any]:
    return described(pipeline) if isinstance(pipeline, SeriesPipeline) else pipeline.scorer_.detector.parameters()


def _lineage(
    pipeline: Pipeline | SeriesPipeline, fingerprint: str, fitting: Fitting, job: str | None = None
) -> Lineage:
    return Lineage.gather(
        data_fingerprint=fingerprint,
        rows=pipeline.rows_,
        columns=pipeline.schema_.feature_names,
        parameters={
            "algorithm": fitting.algorithm,
            "transforms": list(fitting.transforms),
            **({"key": list(fitting.key), "min_rows": fitting.min_rows} if fitting.key else {}),
            **_parameters(pipeline),
        },
        seed=fitting.random_state,
        command=command_line(),
        job=job,
    )
