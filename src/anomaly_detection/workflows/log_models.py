"""Trained pipelines of logs, with how their log was read: registered, saved, loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from anomaly_detection.errors import ArtifactError, InputError
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.registry.artifact import read_artifact, write_artifact
from anomaly_detection.registry.lineage import Lineage
from anomaly_detection.sources.logs import LogColumns, LogFormat
from anomaly_detection.workflows.fitting import command_line
from anomaly_detection.workflows.log_reading import LogReading
from anomaly_detection.workflows.model_kinds import kind_of, need_logs
from anomaly_detection.workflows.models import registry_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.registry.base import ModelVersion


@dataclass(frozen=True, slots=True)
class TrainedLog:
    """A fitted pipeline of logs, and how to read a log for it.

    Parameters
    ----------
    pipeline : of lines or of sessions.
    reading : how the training log was read.
    lines : how many lines were learned from.
    columns : what they had; nothing else of other lines is looked at.
    """

    pipeline: LogPipeline | SessionPipeline
    reading: LogReading
    lines: int
    columns: tuple[str, ...]

    @classmethod
    def fit(cls, pipeline: LogPipeline | SessionPipeline, frame: pl.DataFrame, reading: LogReading) -> Self:
        """Learn from a log frame; raises as the pipeline does."""
        columns = tuple(name for name in frame.columns if name != "line")
        return cls(pipeline.fit(frame), reading, len(frame), columns)

    @property
    def by_session(self) -> bool:
        """Whether sessions are judged, not lines."""
        return isinstance(self.pipeline, SessionPipeline)

    @property
    def fields(self) -> LogColumns:
        """The names under which records have what."""
        told = self.reading.format
        return told.innermost.columns if isinstance(told, LogFormat) else LogColumns.of(self.reading.columns)

    def known(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A log frame with what training had: a session that was never learned from would change every sequence."""
        return frame.select(name for name in frame.columns if name == "line" or name in self.columns)

    def state(self, *, memory: bool = False) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name; what lines left in the memory only if asked for."""
        pipeline = self.pipeline
        if isinstance(pipeline, LogPipeline) and not memory:
            pipeline = LogPipeline.from_state(*pipeline.state())
            pipeline.forget()
        spec, arrays = pipeline.state()
        told = {"reading": self.reading.to_dict(), "lines": self.lines, "columns": list(self.columns)}
        return {**spec, **told}, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`.

        Raises
        ------
        ArtifactError
            if something is damaged.
        """
        kind = LogPipeline if kind_of(spec) == "log_lines" else SessionPipeline
        try:
            told = LogReading.from_dict(spec["reading"]), int(spec["lines"]), tuple(map(str, spec["columns"]))
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"The model does not say how its log was read ({error!r}). Load it from an unchanged copy, or train it "
                "again."
            ) from error
        return cls(kind.from_state(spec, arrays), *told)

    def parameters(self) -> dict[str, Any]:
        """What it was made with, for its lineage."""
        told = {"algorithm": "log_sessions" if self.by_session else "log_lines", **self.pipeline.parameters()}
        return told if self.reading.format is None else {**told, "format": str(self.reading.format)}


def register_log(
    trained: TrainedLog,
    name: str,
    aliases: Iterable[str] = (),
    registry: Path | None = None,
    *,
    fingerprint: str | None = None,
    metrics: Mapping[str, float] | None = None,
) -> ModelVersion:
    """Keep a model as the next version of a name, without what its memory holds.

    Parameters
    ----------
    trained : the model.
    name : of the model.
    aliases : for the new version.
    registry : the registry's folder; the default one when not given.
    fingerprint : SHA-256 of the training data.
    metrics : what was measured.

    Raises
    ------
    InputError
        if a name or an alias breaks the rule.
    RegistryError
        if it cannot be written; then nothing was.
    """
    lineage = Lineage.gather(
        data_fingerprint=fingerprint,
        rows=trained.lines,
        columns=trained.columns,
        parameters=trained.parameters(),
        seed=trained.pipeline.random_state,
        command=command_line(),
    )
    found = {"rows": trained.lines, "alpha": trained.pipeline.alpha_, "templates": len(trained.pipeline.templates())}
    if trained.by_session:
        found["sessions"] = trained.pipeline.rows_
    store = registry_at(registry)
    return store.register(name, trained, metrics={**found, **(metrics or {})}, lineage=lineage, aliases=aliases)


def load_log_model(reference: str, registry: Path | None = None) -> TrainedLog:
    """A registered model of logs, such as ``web``, ``web@production`` or ``web@3``; its memory is empty.

    Raises
    ------
    ModelNotFoundError
        if there is none, with the nearest name.
    ArtifactError
        if it must not be loaded.
    ParameterError
        if it is a model of tables.
    """
    artifact = registry_at(registry).load(reference)
    need_logs(artifact.spec, reference)
    return TrainedLog.from_state(artifact.spec, artifact.arrays)


def save_log_model(trained: TrainedLog, folder: Path) -> Path:
    """Write a model and its memory into a folder of its own, in place of a model that was there."""
    write_artifact(folder, *trained.state(memory=True), overwrite=True)
    return folder


def read_log_model(folder: Path) -> TrainedLog:
    """Read what :func:`save_log_model` wrote; it goes on where the other was.

    Raises
    ------
    ArtifactError
        if it must not be loaded.
    ParameterError
        if it is a model of tables.
    """
    artifact = read_artifact(folder)
    need_logs(artifact.spec, str(folder))
    return TrainedLog.from_state(artifact.spec, artifact.arrays)
