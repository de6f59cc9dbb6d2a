"""From frames and records of log lines to batches: templates, features, sessions and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from anomaly_detection.features.logs import Lines, LogFeatures
from anomaly_detection.features.logs._rows_kernels import hash_names
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.features.logs.lines import hash_name
from anomaly_detection.features.templates.columns import as_column, blocks
from anomaly_detection.features.templates.miner import TemplateMiner
from anomaly_detection.logs.batch import LogBatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Intake:
    """What is made of lines before any method sees them."""

    def __init__(self, minutes: float = 5.0) -> None:
        self.minutes = minutes

    def fit(self, frame: pl.DataFrame) -> Self:
        self.miner = TemplateMiner()
        self.miner.update(_messages(frame))
        self.features = LogFeatures(minutes=self.minutes).fit(frame)
        names = self.features.features_.names
        self.window_columns = names.index("error_rate"), names.index("log_volume")
        self.reset()
        return self

    def reset(self) -> None:
        self.windows = self.features.windows()
        self._latest, self._lines = -np.inf, 0

    def take(self, frame: pl.DataFrame) -> LogBatch:
        lines = Lines.of(frame)
        templates = self.miner.assign(_messages(frame)).astype(np.int32)
        sessions = hashed(frame["session"], lines.services) if "session" in frame.columns else lines.services
        return self._batch(lines, templates, sessions)

    def take_one(self, record: Mapping[str, Any]) -> LogBatch:
        lines = Lines.of_one(record)
        templates = self.miner.assign([record.get("message") or ""]).astype(np.int32)
        session = record.get("session")
        sessions = lines.services if session is None else np.array([hash_name(session)], np.uint64)
        return self._batch(lines, templates, sessions)

    def _batch(self, lines: Lines, templates: NDArray[np.int32], sessions: NDArray[np.uint64]) -> LogBatch:
        features = self.features.transform_lines(lines, self.windows)
        return LogBatch(lines, templates, sessions, self._clock(lines.times), features)

    def _clock(self, times: NDArray[np.int64]) -> NDArray[np.float64]:
        seconds = np.where(times == NO_TIME, -np.inf, times / 1e6)
        if len(seconds):
            seconds[0] = max(seconds[0], self._latest)
        clock = np.maximum.accumulate(seconds)
        self._latest = float(clock[-1]) if len(clock) else self._latest
        numbers = np.arange(self._lines, self._lines + len(clock), dtype=np.float64)
        self._lines += len(clock)
        return np.where(np.isfinite(clock), clock, numbers)


def hashed(names: pl.Series, otherwise: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n,) hashes of names, and what to take where there is none."""
    there = names.is_not_null().to_numpy()
    series, out = as_column(names), np.empty(len(names), np.uint64)
    for first, data, offsets in blocks(series):
        hash_names(data, offsets, out[first : first + len(offsets) - 1])
    return np.where(there, out, otherwise)


def _messages(frame: pl.DataFrame) -> Any:
    return frame["message"] if "message" in frame.columns else pl.Series([None] * len(frame), dtype=pl.String)
