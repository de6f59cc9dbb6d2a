"""The kinds of jobs there are, imported by the process that does them."""

from __future__ import annotations

import os
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import AnomalyDetectionError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.jobs.task import Task
    from anomaly_detection.settings import Settings

PLACES = {
    "train": "anomaly_detection.workflows.job_models:train",
    "tune": "anomaly_detection.workflows.job_models:tune",
    "detect": "anomaly_detection.workflows.job_tables:detect",
    "page": "anomaly_detection.workflows.job_tables:page",
    "backtest": "anomaly_detection.workflows.job_tables:backtest",
    "volume": "anomaly_detection.workflows.job_tables:volume",
    "retain": "anomaly_detection.workflows.retention:retain",
}
"""Where the function of a kind is; it takes the settings and the task."""


def kinds_of_jobs(settings: Settings) -> Mapping[str, Callable[[Task], Mapping[str, Any]]]:
    """What to call for a job of each kind; nothing heavy is imported before."""
    return {kind: partial(_call, place, settings) for kind, place in PLACES.items()}


def _call(place: str, settings: Settings, task: Task) -> Mapping[str, Any]:
    """Do a job; what goes wrong is said without where things lie on this machine."""
    module, _, name = place.partition(":")
    try:
        found: Mapping[str, Any] = getattr(import_module(module), name)(settings, task)
    except AnomalyDetectionError as error:
        kind = InputError if isinstance(error, InputError) else AnomalyDetectionError
        raise kind(str(error).replace(f"{settings.home / 'uploads'}{os.sep}", "")) from error
    return found
