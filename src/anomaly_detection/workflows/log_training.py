"""Learn from a log file, and register what was learned."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.pipeline import silent
from anomaly_detection.workflows.log_models import TrainedLog, register_log
from anomaly_detection.workflows.log_reading import rows_of
from anomaly_detection.workflows.log_scoring import check_sessions
from anomaly_detection.workflows.models import check_registrable, registry_at

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.workflows.log_reading import LogReading


@dataclass(frozen=True, slots=True)
class LogTrainRequest:
    """What to learn from, and the name to register it under.

    Parameters
    ----------
    reading : the log.
    name : of the model.
    by_session : judge sessions instead of lines.
    contamination : the share of normal lines, or sessions, that may raise an alarm, or ``"auto"``.
    seed : of everything that is drawn.
    aliases : for the new version.
    registry : the registry's folder; the default one when not given.
    """

    reading: LogReading
    name: str
    by_session: bool = False
    contamination: float | str = "auto"
    seed: int = 0
    aliases: tuple[str, ...] = ()
    registry: Path | None = None


@dataclass(frozen=True, slots=True)
class LogTrainOutcome:
    """The registered version, the model, and what the user should know of how the file was read."""

    version: ModelVersion
    trained: TrainedLog
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: those of the version, and how it came about."""
        return {
            **asdict(self.version),
            "unit": "session" if self.trained.by_session else "line",
            "alpha": self.trained.pipeline.alpha_,
            "reading": self.trained.reading.to_dict(),
            "notes": list(self.notes),
        }


def train_log(request: LogTrainRequest, progress: Progress = silent) -> LogTrainOutcome:
    """Learn what is normal from a log file, and register a new version.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    InputError
        if the name or a parameter is off, or there are too few lines or sessions; then nothing was registered.
    RegistryError
        if the registry cannot be written.
    """
    began = time.perf_counter()
    check_registrable(request.name, request.aliases, registry_at(request.registry))
    kind = SessionPipeline if request.by_session else LogPipeline
    pipeline = kind(request.contamination, random_state=request.seed)
    pipeline.validate()
    with request.reading.open() as source:
        frame, fingerprint = rows_of(source, progress), source.fingerprint()
        reading, notes = request.reading.told(source.format), tuple(source.notes)
    if request.by_session:
        check_sessions(frame, request.reading.session_pattern)
    progress("learning", 0, None)
    trained = TrainedLog.fit(pipeline, frame, reading)
    version = register_log(
        trained,
        request.name,
        request.aliases,
        request.registry,
        fingerprint=fingerprint,
        metrics={"training_seconds": round(time.perf_counter() - began, 3)},
    )
    return LogTrainOutcome(version, trained, notes)
