"""From frames and records of log lines to batches: templates, features, sessions and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.features.logs import Lines, LogFeatures
from anomaly_detection.features.logs._rows_kernels import hash_names
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.features.logs.lines import hash_name, values_of
from anomaly_detection.features.templates import TemplateMiner
from anomaly_detection.features.templates.columns import blocks
from anomaly_detection.logs._feature_kernels import keep_time
from anomaly_detection.logs.batch import LogBatch
from anomaly_detection.logs.tables import damaged
from anomaly_detection.scorer import under

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

NO_CLOCK = -np.inf

MOST_NAMES, LONGEST_NAME = 1_000, 200
"""The names of so many services are kept, those with the most lines, of names with at most so many characters."""

CALENDAR = {"hour_sin": 3, "hour_cos": 3, "day_sin": 21, "day_cos": 21}
"""Days that training has to span for parts of the calendar to be used: otherwise any other hour would be odd."""


class Intake:
    """What is made of lines before any method sees them, and what that needs to remember.

    Parameters
    ----------
    minutes : the length of the rolling windows.
    """

    def __init__(self, minutes: float = 5.0) -> None:
        self.minutes = minutes
        self.miner = TemplateMiner()
        self.features = LogFeatures(minutes=minutes)

    def learn_templates(self, frame: pl.DataFrame) -> Self:
        """Learn the templates alone, for :meth:`take_plain`."""
        self.miner.update(_messages(frame))
        return self

    def fit(self, frame: pl.DataFrame) -> Self:
        """Learn templates, services and words."""
        self.learn_templates(frame)
        self.features.fit(frame)
        self.days, self.services = days_of(frame), _services_of(frame)
        self.forget()
        return self

    def columns(self, *names: str) -> tuple[int, ...]:
        """Where the features are, by name."""
        every = self.features.features_.names
        return tuple(every.index(name) for name in names)

    def forget(self) -> None:
        """Begin with empty windows."""
        self.windows = self.features.windows()
        self._clock = np.array([NO_CLOCK, NO_CLOCK, 0.0])
        self._rolling = np.array(self.columns("logs_in_window", "rt_mean", "rt_std", "rt_median", "log_volume"))
        self._window = np.array(self.columns("error_rate", "log_volume"))
        self._unused = np.array(self.columns(*(name for name, days in CALENDAR.items() if self.days < days)), np.int64)

    def take(self, frame: pl.DataFrame) -> LogBatch:
        """The next lines."""
        lines = Lines.of(frame)
        sessions = hashed(frame["session"], lines.services) if "session" in frame.columns else lines.services
        return self._batch(lines, self._ids(lines), sessions)

    def take_one(self, record: Mapping[str, Any]) -> LogBatch:
        """The next line.

        Raises
        ------
        InputError
            for values of another type than the columns have.
        """
        session = record.get("session")
        try:
            lines = Lines.of_one(record)
            sessions = lines.services if session is None else np.array([hash_name(session)], np.uint64)
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(
                f"A log line has a time that is a datetime, level, service, message and session that are text, and "
                f"response_time and status_code that are numbers; got {dict(record)!r:.300}."
            ) from error
        return self._batch(lines, self._ids(lines), sessions)

    def take_records(self, records: Sequence[Mapping[str, Any]]) -> LogBatch:
        """The next lines, each a dict of values that :meth:`take_one` takes."""
        lines = Lines.of_records(records)
        sessions = lines.services
        named = values_of(records, "session")
        if named.count(None) < len(named):
            own = zip(named, sessions.tolist(), strict=True)
            sessions = np.array([other if name is None else hash_name(name) for name, other in own], np.uint64)
        return self._batch(lines, self._ids(lines), sessions)

    def take_plain(self, frame: pl.DataFrame, session: str) -> LogBatch:
        """Lines with templates and sessions, without features."""
        lines = Lines.of(frame)
        nothing = np.empty((len(frame), 0), np.float32)
        sessions = hashed(frame[session], lines.services)
        return LogBatch(lines, self._ids(lines), sessions, np.zeros(len(frame)), nothing, nothing)

    def knows(self, service: str) -> bool:
        """Whether a service wrote lines in training, or is in the memory."""
        return service in self.services or self.windows.knows(hash_name(service))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned and is remembered: plain values for JSON, and arrays by name."""
        spec, miner = self.miner.state()
        arrays = {f"miner/{name}": array for name, array in miner.items()}
        arrays |= {f"windows/{name}": array for name, array in self.windows.state().items()}
        told = {"features": self.features.state(), "days": self.days, "services": self.services}
        return {"miner": spec, **told}, {**arrays, "clock": self._clock.copy()}

    def restore(self, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back; raises ArtifactError if it is damaged."""
        self.miner = TemplateMiner.from_state(spec["miner"], under("miner/", arrays))
        self.features.restore(spec["features"])
        self.days, self.services = float(spec["days"]), [str(name) for name in spec["services"]]
        self.forget()
        self.windows.restore(under("windows/", arrays))
        clock = arrays.get("clock")
        if clock is None or clock.shape != (3,) or not (clock < np.inf).all() or not 0 <= clock[2] < 2**53:
            raise damaged("clock")
        self._clock = clock.astype(np.float64)
        return self

    def _ids(self, lines: Lines) -> NDArray[np.int32]:
        return self.miner.assign(lines.messages()).astype(np.int32)

    def _batch(self, lines: Lines, templates: NDArray[np.int32], sessions: NDArray[np.uint64]) -> LogBatch:
        features = self.features.transform_lines(lines, self.windows)
        clock, windows = np.empty(len(templates)), np.empty((len(templates), 2), np.float32)
        columns = self._rolling, self._unused, self._window
        keep_time(lines.times, 60.0 * self.minutes, self._clock, features, *columns, clock, windows)
        return LogBatch(lines, templates, sessions, clock, features, windows)


def hashed(names: pl.Series, otherwise: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(n,) hashes of names, and what to take where there is none."""
    out = np.empty(len(names), np.uint64)
    for first, data, offsets in blocks(names):
        hash_names(data, offsets, out[first : first + len(offsets) - 1])
    return np.where(names.is_not_null().to_numpy(), out, otherwise) if names.null_count() else out


def days_of(frame: pl.DataFrame) -> float:
    """How many days lie between the first and the last time."""
    times = frame["time"].drop_nulls() if "time" in frame.columns else pl.Series([], dtype=pl.Datetime("us"))
    return (times.max() - times.min()).total_seconds() / 86_400 if len(times) else 0.0  # type: ignore[operator,union-attr]


def seconds_of(times: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) seconds since 1970, NaN where there is no time."""
    return np.where(times == NO_TIME, np.nan, times / 1e6)


def _services_of(frame: pl.DataFrame) -> list[str]:
    if "service" not in frame.columns:
        return []
    counts = frame["service"].drop_nulls().value_counts(sort=True, name="lines")
    names = counts.sort(["lines", "service"], descending=[True, False])["service"]
    return names.filter(names.str.len_chars() <= LONGEST_NAME).head(MOST_NAMES).to_list()


def _messages(frame: pl.DataFrame) -> pl.Series:
    return frame["message"] if "message" in frame.columns else pl.Series([None] * len(frame), dtype=pl.String)
