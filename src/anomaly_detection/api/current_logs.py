"""The model of log entries that is used at this moment, and what waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.api.bare import Gathered
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.errors import ModelNotFoundError
from anomaly_detection.telemetry import ALARMS, RECORDS
from anomaly_detection.workflows.live_logs import LiveLogs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.workflows.live_logs import Detection
    from anomaly_detection.workflows.log_entries import Entry
    from anomaly_detection.workflows.serving import Models


class CurrentLogs:
    """Judges the entries of requests in the order in which they came, those of one moment together.

    Parameters
    ----------
    models : the models of the service.
    reference : of the model of log lines.
    """

    def __init__(self, models: Models, reference: str) -> None:
        self.models = models
        self.reference = reference
        self._live: LiveLogs | None = None
        self._gathered = Gathered(self._detect)

    def now(self) -> LiveLogs | None:
        """The model, if it is loaded."""
        loaded = self.models.peek(self.reference)
        if loaded is None:
            return None
        if self._live is None or self._live.loaded is not loaded:
            self._live = LiveLogs(loaded)
        return self._live

    def get(self) -> LiveLogs:
        """The model, loaded now if need be.

        Raises
        ------
        ProblemError
            503 while the starting model is being made.
        ArtifactError, ParameterError
            for a model that cannot be used.
        """
        try:
            return LiveLogs(self.models.get(self.reference))
        except ModelNotFoundError as error:
            raise ProblemError(
                503,
                f"There is no model of log lines named {self.reference!r} yet. A starting one is made when the service "
                "starts for the first time: ask again in a few seconds.",
                {"Retry-After": "2"},
            ) from error

    async def detect(self, entry: Entry) -> Detection:
        """The verdict on an entry."""
        return await self._gathered.put(entry)

    async def detect_several(self, live: LiveLogs, entries: Sequence[Entry]) -> list[Detection]:
        """The verdicts on entries that came together."""
        return self._judged(live, entries)

    async def score(self, live: LiveLogs, entry: Entry) -> dict[str, Any]:
        """The verdict on an entry, with what each method says."""
        told, record = live.score(entry)
        RECORDS.labels(live.version.name).inc()
        if record.is_anomaly:
            ALARMS.labels(live.version.name, record.severity).inc()
        return told

    def _detect(self, entries: Sequence[Entry]) -> list[Detection]:
        return self._judged(self.now() or self.get(), entries)

    def _judged(self, live: LiveLogs, entries: Sequence[Entry]) -> list[Detection]:
        detections, records = live.detect(entries)
        RECORDS.labels(live.version.name).inc(len(records))
        for record in records:
            if record.is_anomaly:
                ALARMS.labels(live.version.name, record.severity).inc()
        return detections
