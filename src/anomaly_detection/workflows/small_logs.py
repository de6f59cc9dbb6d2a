"""The small model of a service's logs: a latency and a level, and nothing remembered."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import InputError
from anomaly_detection.sources.logs.single import level_of
from anomaly_detection.workflows.starting_models import level_score, small_name, train_small

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.workflows.serving import Models


def judge_small(models: Models, log_model: str, latency_ms: float | None, level: str | None) -> dict[str, Any]:
    """The verdict on a latency and a level.

    Raises
    ------
    InputError
        if neither is given.
    ModelNotFoundError
        if there is no small model yet.
    """
    if latency_ms is None and level is None:
        raise InputError("Neither latency_ms nor level is given; at least one is needed.")
    loaded = models.get(small_name(log_model))
    pipeline: Pipeline = loaded.model  # type: ignore[assignment]
    known = None if level is None else level_score(level_of(level, 0))
    verdict = pipeline.detect_one({"latency_ms": latency_ms, "level_score": known})
    return {**asdict(verdict), "model": loaded.version.reference}


def train_small_model(models: Models, log_model: str, rows: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Learn from rows of a latency and a level score; the new version is registered and used from now on.

    Raises
    ------
    InputError
        for a row that is not two finite numbers.
    RegistryError
        if it cannot be registered.
    """
    version, generated = train_small(models.registry, log_model, rows)
    models.follow()
    told = {"model": version.name, "version": version.version}
    return {"status": "trained", **told, "rows": len(rows), "generated_rows": generated}
