"""Log entries as they come, judged by the model of the moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

import msgspec
import numpy as np
import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.logs.methods import WEIGHTS
from anomaly_detection.results import SEVERITIES
from anomaly_detection.telemetry import SCORE_SECONDS
from anomaly_detection.workflows.log_entries import EntryReader
from anomaly_detection.workflows.log_models import TrainedLog
from anomaly_detection.workflows.model_kinds import WORDS
from anomaly_detection.workflows.verdict_records import VerdictRecord, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anomaly_detection.logs import LogPipeline, LogResult
    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.results import Verdict
    from anomaly_detection.workflows.log_entries import Entry
    from anomaly_detection.workflows.serving import Loaded

CHUNK = 1_000
"""Entries that are judged in one go: other requests wait for no more."""


FEW = 24
"""Up to so many entries the verdicts are made one by one; of more, all at once, as arrays."""


class Detection(msgspec.Struct, gc=False):
    """What ``POST /detect`` says of an entry.

    Parameters
    ----------
    is_anomaly, anomaly_score, severity, confidence : the verdict.
    prediction : -1 for an anomaly, 1 otherwise, as scikit-learn says it.
    log_id : the caller's, or a new one; feedback names it.
    detection_method : the method that found the entry oddest.
    timestamp : the entry's time, or when it was judged.
    """

    is_anomaly: bool
    anomaly_score: float
    severity: str
    confidence: float
    prediction: int
    log_id: str
    detection_method: str
    timestamp: str


class LiveLogs:
    """Judges entries with one loaded model, which remembers them.

    Parameters
    ----------
    loaded : a model of log lines.

    Raises
    ------
    ParameterError
        for a model that judges something else.
    """

    METHODS: ClassVar[tuple[str, ...]] = tuple(WEIGHTS)

    def __init__(self, loaded: Loaded) -> None:
        trained = loaded.model
        if loaded.kind != "log_lines" or not isinstance(trained, TrainedLog):
            raise ParameterError(
                f"{loaded.version.reference} is a model of {WORDS[loaded.kind]}, and log entries need one of log "
                "lines. Name another with ANOMALY_DETECTION_LOG_MODEL, or make one with: anomaly-detection logs train."
            )
        self.loaded = loaded
        self.read = EntryReader(trained)
        self._pipeline: LogPipeline = trained.pipeline  # type: ignore[assignment]
        self._seconds = SCORE_SECONDS.labels(loaded.version.name)

    @property
    def version(self) -> ModelVersion:
        """Which model it is."""
        return self.loaded.version

    def detect(self, entries: Sequence[Entry]) -> tuple[list[Detection], list[VerdictRecord]]:
        """Verdicts on the next entries, and the same to be kept; the bits do not depend on how they are cut."""
        began, lines = time.perf_counter(), [entry.line for entry in entries]
        if len(entries) <= FEW:
            with self.loaded.lock:
                found = self._pipeline.detect_few(lines)
            told = self._told_each(entries, found)
        else:
            with self.loaded.lock:
                result = self._pipeline.detect_records(lines)
            told = self._told(entries, result)
        self._seconds.observe(time.perf_counter() - began)
        return told

    def score(self, entry: Entry) -> tuple[dict[str, Any], VerdictRecord]:
        """The verdict on the next entry with what each method says, and the same to be kept."""
        began = time.perf_counter()
        with self.loaded.lock:
            verdict = self._pipeline.detect_one(entry.line)
        self._seconds.observe(time.perf_counter() - began)
        record = self._recorded(entry, verdict, (verdict.methods[name].p_value for name in self.METHODS))
        return {**verdict.to_dict(), "log_id": record.id, "model": self.version.reference}, record

    def _told_each(
        self, entries: Sequence[Entry], found: Sequence[tuple[Verdict, list[float]]]
    ) -> tuple[list[Detection], list[VerdictRecord]]:
        detections, records = [], []
        for entry, (verdict, p_values) in zip(entries, found, strict=True):
            record = self._recorded(entry, verdict, p_values)
            oddest = self.METHODS[p_values.index(min(p_values))]
            records.append(record)
            detections.append(_detection(record, oddest, entry.stamp or _stamp(entry.time)))
        return detections, records

    def _recorded(self, entry: Entry, verdict: Verdict, p_values: Iterable[float]) -> VerdictRecord:
        record = VerdictRecord(
            entry.id or new_id(), entry.line.get("service") or "", micros_of(entry.time), verdict.score,
            verdict.p_value, verdict.anomaly_score, verdict.is_anomaly, verdict.severity, verdict.confidence,
        )  # fmt: skip
        if verdict.is_anomaly:
            record.reason, record.record = reason_of(self.METHODS, p_values), _shown(entry)
        return record

    def stats(self, service: str) -> dict[str, str | float | int | None]:
        """What the window of a service holds."""
        with self.loaded.lock:
            return self._pipeline.stats(service)

    def _told(self, entries: Sequence[Entry], result: LogResult) -> tuple[list[Detection], list[VerdictRecord]]:
        counted = np.vstack([result.parts[name] for name in self.METHODS])
        times = [None] * len(entries) if result.time is None else result.time.cast(pl.Int64).to_list()
        columns = zip(
            entries, times, result.score.tolist(), result.p_value.tolist(), result.anomaly_score.tolist(),
            result.is_anomaly.tolist(), result.severity_code.tolist(), result.confidence.tolist(), strict=True,
        )  # fmt: skip
        records = [
            VerdictRecord(
                entry.id or new_id(), entry.line.get("service") or "", micros_of(entry.time) if at is None else at,
                score, p_value, anomaly_score, flag, SEVERITIES[severity], confidence,
            )
            for entry, at, score, p_value, anomaly_score, flag, severity, confidence in columns
        ]  # fmt: skip
        for place in np.flatnonzero(result.is_anomaly).tolist():
            records[place].reason = reason_of(self.METHODS, counted[:, place].tolist())
            records[place].record = _shown(entries[place])
        stamp = _stamp(None)
        stamps = [entry.stamp or (stamp if entry.time is None else _stamp(entry.time)) for entry in entries]
        oddest = [self.METHODS[k] for k in np.argmin(counted, axis=0).tolist()]
        return [_detection(*each) for each in zip(records, oddest, stamps, strict=True)], records


def _detection(record: VerdictRecord, oddest: str, stamp: str) -> Detection:
    flag = record.is_anomaly
    return Detection(
        flag, record.anomaly_score, record.severity, record.confidence, -1 if flag else 1, record.id, oddest, stamp
    )  # fmt: skip


def _stamp(time: datetime | None) -> str:
    return (datetime.now(UTC) if time is None else time).isoformat()


def new_id() -> str:
    """An id that no other record has.

    >>> len(new_id()), new_id() == new_id()
    (24, False)
    """
    _IDS.number += 1
    return f"{_IDS.beginning}{_IDS.number:08x}"


class _Ids:
    """A random beginning for each process, and a number."""

    beginning = uuid4().hex[:16]
    number = 0


_IDS = _Ids()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(time: datetime | None) -> int:
    """Microseconds since 1970 in UTC, of now for None; a time without a zone counts as UTC."""
    gap = (datetime.now(UTC) if time is None else time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def _shown(entry: Entry) -> dict[str, Any]:
    line = {name: value for name, value in entry.line.items() if value is not None}
    return line | ({"time": entry.time.isoformat()} if entry.time is not None else {})
