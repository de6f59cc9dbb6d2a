"""The model of log entries that is used at this moment, and what waits for it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from anomaly_detection.api.bare import Gathered
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.errors import ModelNotFoundError
from anomaly_detection.workflows.live_logs import LiveLogs
from anomaly_detection.workflows.log_entries import arrived

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from anomaly_detection.workflows.live_logs import Detection
    from anomaly_detection.workflows.log_entries import Entry
    from anomaly_detection.workflows.own_logs import OwnLogs
    from anomaly_detection.workflows.recording import Recorder
    from anomaly_detection.workflows.serving import Models
    from anomaly_detection.workflows.verdict_records import VerdictRecord


@contextmanager
def made_soon() -> Iterator[None]:
    """Answer 503 where a model of log entries is not there yet, for a service makes those it starts with."""
    try:
        yield
    except ModelNotFoundError as error:
        detail = "The models of log entries that a service starts with are being made: ask again in a few seconds."
        raise ProblemError(503, detail, {"Retry-After": "2"}) from error


class CurrentLogs:
    """Judges the entries of requests in the order in which they came, those of one moment together.

    Parameters
    ----------
    models : the models of the service.
    reference : of the model of log lines.
    recorder : keeps what was judged.
    own : learns from what a starting model judges.
    """

    def __init__(self, models: Models, reference: str, recorder: Recorder, own: OwnLogs) -> None:
        self.models = models
        self.reference = reference
        self.recorder = recorder
        self.own = own
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
        with made_soon():
            return LiveLogs(self.models.get(self.reference))

    async def detect(self, entry: Entry) -> Detection:
        """The verdict on an entry, once it is kept."""
        detection, kept = await self._gathered.put(entry)
        if kept is not None and detection.is_anomaly:
            await asyncio.wrap_future(kept)
        return detection

    async def detect_several(self, live: LiveLogs, entries: Sequence[Entry]) -> list[Detection]:
        """The verdicts on entries that came together, once they are kept."""
        arrived(entries)
        detections, records = live.detect(entries)
        self.own.add(live.version, (entry.line for entry in entries))
        await self._kept(live, records)
        return detections

    async def score(self, live: LiveLogs, entry: Entry) -> dict[str, Any]:
        """The verdict on an entry, with what each method says, once it is kept."""
        arrived((entry,))
        told, record = live.score(entry)
        self.own.add(live.version, (entry.line,))
        await self._kept(live, [record])
        return told

    async def _kept(self, live: LiveLogs, records: list[VerdictRecord]) -> None:
        kept = self.recorder.keep(live.version, records)
        if kept is not None:
            await asyncio.wrap_future(kept)

    def _detect(self, entries: Sequence[Entry]) -> list[tuple[Detection, Future[None] | None]]:
        live = self.now() or self.get()
        arrived(entries)
        detections, records = live.detect(entries)
        self.own.add(live.version, (entry.line for entry in entries))
        kept = self.recorder.keep(live.version, records)
        return [(detection, kept) for detection in detections]
