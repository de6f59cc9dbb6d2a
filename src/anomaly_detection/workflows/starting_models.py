"""The models that judge log entries on a service's first day: learned from a generated log, until real ones come."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, ModelNotFoundError, RegistryError
from anomaly_detection.features.logs.features import LEVEL_SCORES, SMALL_SET
from anomaly_detection.features.logs.lines import LEVELS
from anomaly_detection.jobs.apart import do_apart
from anomaly_detection.logs import LogPipeline
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.registry.lineage import Lineage
from anomaly_detection.sources.logs.generated import generate_logs
from anomaly_detection.workflows.log_models import TrainedLog, register_log
from anomaly_detection.workflows.log_reading import LogReading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from threading import Event

    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.workflows.serving import Models

LINES = 4_000
"""Generated lines to learn from."""

CONTAMINATION = 0.005

FEWEST_ROWS = 256
"""The small model learns from at least so many rows; where fewer are given, generated ones are added."""

GENERATED = "a generated log, until a model of real logs is registered under this name"
"""What the lineage of a starting model says it learned from."""

COLUMNS = ("time", "level", "service", "message", "response_time", "status_code")


def small_name(log_model: str) -> str:
    """The name of the small model beside a model of logs."""
    return f"{log_model}-small"


def prepare_logs(models: Models, log_model: str) -> None:
    """Have the models of log entries ready: made if there are none, then loaded."""
    try:
        ensure_starting_models(models.registry.root, log_model, models.ends)
        if models.ends.is_set():
            return
        for name in (log_model, small_name(log_model)):
            models.get(name)
    except RegistryError:
        logging.getLogger(__name__).exception("The models of log entries are not ready")


def ensure_starting_models(folder: Path, log_model: str, ends: Event) -> None:
    """Register the two starting models where no model has their names, in a process that takes its memory with it.

    Parameters
    ----------
    folder, log_model : where, and the name of the first.
    ends : set when nobody needs them any more.
    """
    registry = LocalRegistry(folder)
    if all(_is_there(registry, name) for name in (log_model, small_name(log_model))):
        return
    do_apart(register_starting_models, folder, log_model, ends=ends)


def register_starting_models(folder: Path, log_model: str) -> None:
    """Learn from a generated log, and register what is not there."""
    registry, frame = LocalRegistry(folder), None
    if not _is_there(registry, log_model):
        frame = generated()
        trained = TrainedLog.fit(LogPipeline(CONTAMINATION), frame, LogReading(GENERATED))
        register_log(trained, log_model, registry=folder, fingerprint=_fingerprint(GENERATED))
    if not _is_there(registry, small_name(log_model)):
        train_small(registry, log_model, ())


def is_starting(version: ModelVersion) -> bool:
    """Whether a model is one that a service starts with."""
    return version.lineage is not None and version.lineage.data_fingerprint == _fingerprint(GENERATED)


def generated() -> pl.DataFrame:
    """A log without incidents."""
    return generate_logs(LINES, anomaly_share=0.0, seed=1).select(COLUMNS)


def train_small(registry: LocalRegistry, log_model: str, rows: Sequence[Sequence[float]]) -> tuple[ModelVersion, int]:
    """Learn from rows of a latency in milliseconds and a level score (0 fine, 1 warning, 2 error), and register it.

    Returns
    -------
    The version, and how many generated rows were added because too few were given.

    Raises
    ------
    InputError
        for a row that is not two finite numbers; nothing was registered.
    """
    given = _matrix(rows)
    spare = max(0, FEWEST_ROWS - len(given))
    matrix = np.vstack([given, _generated_rows(spare)]) if spare else given
    frame = pl.DataFrame(matrix, schema=list(SMALL_SET))
    pipeline = Pipeline("isolation_forest", CONTAMINATION).fit(frame)
    lineage = Lineage.gather(
        data_fingerprint=hashlib.sha256(matrix.tobytes()).hexdigest(),
        rows=len(matrix),
        columns=SMALL_SET,
        parameters={"algorithm": "isolation_forest", "rows_given": len(given), "rows_generated": spare},
        seed=0,
    )
    metrics = {"rows": float(len(matrix)), "alpha": pipeline.alpha_}
    return registry.register(small_name(log_model), pipeline, metrics=metrics, lineage=lineage), spare


def level_score(level: str | None) -> float | None:
    """The score of a level: 0 fine, 1 warning, 2 error.

    >>> level_score("WARN"), level_score("CRITICAL"), level_score(None)
    (1.0, 2.0, None)
    """
    return LEVEL_SCORES[LEVELS.index(level)] if level in LEVELS else None


def _matrix(rows: Sequence[Sequence[float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    for place, row in enumerate(rows):
        if len(row) != len(SMALL_SET) or not np.isfinite(row).all():
            raise InputError(
                f"Row {place} (counted from 0) has to be a latency in milliseconds and a level score, two finite "
                f"numbers such as [150, 0]; got {list(row)!r:.100}."
            )
    return np.array(rows, dtype=np.float64).reshape(-1, len(SMALL_SET))


def _generated_rows(count: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    frame = generated().drop_nulls("response_time").head(count)
    scores = [level_score(level) or 0.0 for level in frame["level"]]
    return np.column_stack([frame["response_time"].to_numpy(), scores])


def _is_there(registry: LocalRegistry, name: str) -> bool:
    try:
        registry.versions(name)
    except ModelNotFoundError:
        return False
    return True


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
