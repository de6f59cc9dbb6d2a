"""Records of requests and streams, judged by a registered model of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.frames import as_frame
from anomaly_detection.logs import LogPipeline
from anomaly_detection.results import SEVERITIES
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.telemetry import SCORE_SECONDS
from anomaly_detection.workflows.live_logs import LiveLogs, micros_of, new_id
from anomaly_detection.workflows.log_entries import arrived
from anomaly_detection.workflows.log_models import TrainedLog
from anomaly_detection.workflows.verdict_records import VerdictRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from anomaly_detection.results import Result
    from anomaly_detection.workflows.serving import Loaded

MOST_RECORD_BYTES = 16_384
"""Of a record that is kept with its alarm."""


class RecordScoring:
    """Judges records with one loaded model.

    Parameters
    ----------
    loaded : a model of a table, of series or of log lines.
    goes_on : whether rows of a series go on where those before ended; log lines always do.

    Raises
    ------
    ParameterError
        for a model of sessions, which are whole only at their end.
    """

    def __init__(self, loaded: Loaded, *, goes_on: bool = False) -> None:
        if loaded.kind == "log_sessions":
            raise ParameterError(
                f"{loaded.version.reference} judges sessions, each with all of its lines. Use: anomaly-detection logs "
                "score, or a model of log lines."
            )
        self.loaded = loaded
        self.goes_on = goes_on
        self._logs = LiveLogs(loaded) if loaded.kind == "log_lines" else None

    def judge(self, records: Sequence[Any], ids: Sequence[str | None]) -> list[VerdictRecord]:
        """Verdicts on records in order, each a dict, or a list of the values of the model's columns.

        Raises
        ------
        InputError
            for a record that cannot be judged; none was then.
        """
        if not records:
            return []
        if self._logs is not None:
            return self._judge_logs(self._logs, records, ids)
        return self.judge_frame(self._frame(records), ids, records)

    def judge_each(self, records: Sequence[Any], ids: Sequence[str | None]) -> list[VerdictRecord | InputError]:
        """The same, with an error in the place of each record that cannot be judged."""
        try:
            return list(self.judge(records, ids))
        except InputError as error:
            if len(records) == 1:
                return [error]
        found: list[VerdictRecord | InputError] = []
        for record, own in zip(records, ids, strict=True):
            try:
                found += self.judge([record], [own])
            except InputError as error:
                found.append(error)
        return found

    def judge_frame(
        self, frame: pl.DataFrame, ids: Sequence[str | None], records: Sequence[Any] | None = None
    ) -> list[VerdictRecord]:
        """Verdicts on the rows of a table; ``records`` are the same rows, to be kept with alarms."""
        if self._logs is not None:
            return self._judge_logs(self._logs, frame.to_dicts(), ids)
        return self._kept(self._result(frame), ids, frame, records)

    def _result(self, frame: pl.DataFrame) -> Result:
        model = self.loaded.model
        if isinstance(model, TrainedLog):
            raise TypeError(model)
        with SCORE_SECONDS.labels(self.loaded.version.name).time():
            if isinstance(model, SeriesPipeline):
                with self.loaded.lock:
                    return model.update(frame) if self.goes_on else model.detect(frame)
            return model.detect(frame)

    def _frame(self, records: Sequence[Any]) -> pl.DataFrame:
        if all(isinstance(record, (list, tuple)) for record in records):
            model = self.loaded.model
            names = None if isinstance(model, (TrainedLog, LogPipeline)) else model.schema_.feature_names
            frame = as_frame(list(records))
            if names is not None and frame.width != len(names):
                raise InputError(f"A row has {frame.width} values; the model has the columns {', '.join(names)}.")
            return frame if names is None else frame.rename(dict(zip(frame.columns, names, strict=True)))
        for place, record in enumerate(records):
            if not isinstance(record, Mapping):
                raise InputError(f"Record {place} (counted from 0) is no JSON object: {record!r:.100}.")
        return as_frame(list(records))

    def _judge_logs(self, logs: LiveLogs, records: Sequence[Any], ids: Sequence[str | None]) -> list[VerdictRecord]:
        entries = []
        for place, (record, own) in enumerate(zip(records, ids, strict=True)):
            try:
                entry = logs.read.of(record)
            except InputError as error:
                raise InputError(f"Record {place} (counted from 0): {error}") from error
            entry.id = own or entry.id
            entries.append(entry)
        if self.goes_on:
            arrived(entries)
        return logs.detect(entries)[1]

    def _kept(
        self, result: Result, ids: Sequence[str | None], frame: pl.DataFrame, records: Sequence[Any] | None
    ) -> list[VerdictRecord]:
        now = micros_of(datetime.now(UTC))
        times = [now] * len(result) if result.time is None else [_moment(value, now) for value in result.time]
        keys = [""] * len(result) if result.key is None else ["" if key is None else str(key) for key in result.key]
        columns = zip(
            ids, keys, times, result.score.tolist(), result.p_value.tolist(), result.anomaly_score.tolist(),
            result.is_anomaly.tolist(), result.severity_code.tolist(), result.confidence.tolist(), strict=True,
        )  # fmt: skip
        found = []
        for place, (own, key, at, score, p_value, anomaly_score, flag, severity, confidence) in enumerate(columns):
            word = SEVERITIES[severity]
            record = VerdictRecord(own or new_id(), key, at, score, p_value, anomaly_score, flag, word, confidence)
            if flag:
                why = None if result.reason is None else result.reason[place]
                record.reason = str(why or f"as rare as p = {p_value:.1g} among normal records")
                record.record = _plain(frame.row(place, named=True) if records is None else records[place])
            found.append(record)
        return found


def _moment(value: Any, now: int) -> int:
    return micros_of(value) if isinstance(value, datetime) else now


def _plain(record: Any) -> dict[str, Any]:
    """A record as JSON keeps it, cut short if it is large."""
    text = msgspec.json.encode(record, enc_hook=str)
    if len(text) > MOST_RECORD_BYTES:
        return {"cut_short": text[:MOST_RECORD_BYTES].decode(errors="ignore")}
    value = msgspec.json.decode(text)
    return value if isinstance(value, dict) else {"values": value}
