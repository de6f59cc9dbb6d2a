"""The first model of a service's own log entries, in place of the one it started with."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.jobs.apart import do_apart
from anomaly_detection.logs import LogPipeline
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.sources.logs import LogColumns
from anomaly_detection.sources.logs.records import frame_of
from anomaly_detection.workflows.log_models import TrainedLog, register_log
from anomaly_detection.workflows.log_reading import LogReading
from anomaly_detection.workflows.starting_models import CONTAMINATION, is_starting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from anomaly_detection.registry.base import ModelVersion

OWN = "the first entries that this service was sent"
"""What the lineage of such a model says it learned from."""


class OwnLogs:
    """Gathers the entries that a starting model judges, and learns from them once there are enough.

    A starting model knows a generated log only, so nearly all that others write is odd to it. The model that is learned
    here is the next version of the same name, which the service follows; a model that anybody else registered under
    that name is left alone.

    Parameters
    ----------
    registry : the registry's folder.
    log_model : the name of the models.
    enough : so many entries; never where 0.
    learn : what learns and registers, in a process of its own unless given.
    """

    def __init__(
        self,
        registry: Path,
        log_model: str,
        enough: int,
        learn: Callable[[Path, str, list[dict[str, Any]]], None] | None = None,
    ) -> None:
        self._registry = registry
        self._log_model = log_model
        self._enough = enough
        self._learn = learn or _learn_apart
        self._lines: list[dict[str, Any]] = []
        self._learning: threading.Thread | None = None

    def add(self, version: ModelVersion, lines: Iterable[dict[str, Any]]) -> None:
        """Take in what a version has judged."""
        if not self._enough or self._learning is not None or not is_starting(version):
            return
        self._lines.extend(lines)
        if len(self._lines) >= self._enough:
            taken, self._lines = self._lines, []
            given = (self._registry, self._log_model, taken)
            self._learning = threading.Thread(target=self._learn, args=given, name="own logs", daemon=True)
            self._learning.start()


def _learn_apart(registry: Path, log_model: str, lines: list[dict[str, Any]]) -> None:
    do_apart(register_own, registry, log_model, lines)


def register_own(registry: Path, log_model: str, lines: list[dict[str, Any]]) -> None:
    """Learn from entries, and register it where the starting model is still the newest version.

    Raises
    ------
    InputError
        for too few entries, or none with anything to learn from.
    """
    if not is_starting(LocalRegistry(registry).versions(log_model)[-1]):
        return
    trained = TrainedLog.fit(LogPipeline(CONTAMINATION), frame_of(lines, LogColumns()), LogReading(OWN))
    fingerprint = hashlib.sha256(msgspec.json.encode(lines)).hexdigest()
    register_log(trained, log_model, registry=registry, fingerprint=fingerprint)
