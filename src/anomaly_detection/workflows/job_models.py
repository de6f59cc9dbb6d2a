"""Jobs that make models; begun twice, a job still registers one version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ModelNotFoundError
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.job_reading import fitting_of, reading_of, told
from anomaly_detection.workflows.job_requests import Train, Tune
from anomaly_detection.workflows.models import TrainRequest, registry_at, train_model
from anomaly_detection.workflows.tune import TuneRequest
from anomaly_detection.workflows.tune import tune as tune_model
from anomaly_detection.workflows.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.jobs.task import Task
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.settings import Settings


def train(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Fit a model on an upload and register it.

    Raises
    ------
    InputError
        if the data, the name or a parameter is off; then nothing was registered.
    Cancelled
        if the job is to end.
    """
    asked = Train.model_validate(task.payload)
    if earlier := registered_by(task.id, asked.name, settings.registry_folder):
        return _found(earlier, None, ["registered by an earlier attempt"])
    request = TrainRequest(
        reading=reading_of(asked, Uploads.of(settings)),
        name=asked.name,
        fitting=fitting_of(asked),
        aliases=asked.aliases,
        registry=settings.registry_folder,
        job=task.id,
    )
    outcome = train_model(request, told(task))
    return _found(outcome.version, outcome.evaluation, outcome.notes)


def tune(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Search for parameters on an upload and register the best model; trials of earlier attempts count.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off; then nothing was registered.
    MissingDependencyError
        if Optuna is not installed.
    Cancelled
        if the job is to end.
    """
    asked = Tune.model_validate(task.payload)
    if earlier := registered_by(task.id, asked.name, settings.registry_folder):
        return _found(earlier, None, ["registered by an earlier attempt"])
    request = TuneRequest(
        reading=reading_of(asked, Uploads.of(settings)),
        name=asked.name,
        aliases=asked.aliases,
        registry=settings.registry_folder,
        algorithms=asked.algorithms,
        fitting=Fitting(random_state=asked.random_state),
        measure=asked.measure,
        kinds=asked.kinds,
        max_alarms=asked.max_alarms,
        trials=asked.trials,
        timeout_seconds=asked.timeout_seconds,
        study=settings.home / "studies" / f"{task.id}.jsonl",
        job=task.id,
    )
    outcome = tune_model(request, told(task))
    more = {"improved": outcome.improved, "trials": len(outcome.trials), "objective": outcome.objective}
    return {**_found(outcome.version, outcome.evaluation, outcome.notes), **more}


def registered_by(job: str, name: str, registry: Path) -> ModelVersion | None:
    """The version that a job has registered, if it has."""
    try:
        versions = registry_at(registry).versions(name)
    except ModelNotFoundError:
        return None
    return next((one for one in reversed(versions) if one.lineage is not None and one.lineage.job == job), None)


def _found(version: ModelVersion, evaluation: Evaluation | None, notes: Iterable[str]) -> dict[str, Any]:
    return {
        "reference": version.reference,
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "metrics": dict(version.metrics),
        "evaluation": evaluation.to_dict() if evaluation else None,
        "notes": list(notes),
    }
