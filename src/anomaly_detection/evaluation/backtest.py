"""History replayed as if it came now: what would have been alarms, and which known incidents they catch.

A pipeline learns from the first rows; the others go through it in order of time, each judged by rows before it, as they
would be live. It may be trained again a number of times on the way, on all rows up to there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.base import Range
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.axis import tracks_of
from anomaly_detection.features.series.clock import Clock, clock_of, read_microseconds
from anomaly_detection.records import counted
from anomaly_detection.results import Result
from anomaly_detection.thresholds.budget import PERIODS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.records import Schema
    from anomaly_detection.series import SeriesPipeline

WEEK = PERIODS["week"]
"""Microseconds."""

ROWS = 1_000
"""Where rows are only numbered, so many stand for a week."""

FEWEST_LEARNED = 20
"""The longest series has so many rows in the part that is learned from."""

SURE = 0.9
"""How probable the range is in which the next week's alarms will be."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How history is replayed.

    Parameters
    ----------
    train_share : the part of the time that is learned from before the first row is judged, in (0, 1).
    refits : how many times the model is trained again on the way, at equal distances.
    """

    train_share: float = 0.3
    refits: int = 0

    def check(self) -> None:
        """Refuse a plan that cannot be.

        Raises
        ------
        ParameterError
            naming the value and what has to hold.
        """
        rules = {
            "train_share": Range(0, 1, open_low=True, open_high=True),
            "refits": Range(0, 1_000, integer=True),
        }
        for name, rule in rules.items():
            if problem := rule.problem(getattr(self, name)):
                raise ParameterError(f"{name}={getattr(self, name)!r} {problem}.")


@dataclass(frozen=True, slots=True)
class History:
    """Rows in order of time.

    Parameters
    ----------
    frame : the rows.
    schema : which column is what.
    clock : how its time is read.
    time : (n,) microseconds since 1970, or row numbers.
    row : (n,) where each row stood in the input.
    cut : the first row that is judged.
    """

    frame: pl.DataFrame
    schema: Schema
    clock: Clock
    time: NDArray[np.int64]
    row: NDArray[np.int64]
    cut: int

    @classmethod
    def of(cls, frame: pl.DataFrame, schema: Schema, plan: Plan, zone: str | None = None) -> History:
        """Sort rows by time, and say which of them are learned from.

        Raises
        ------
        InputError
            if there are too few rows to learn from, with how many more it takes.
        """
        plan.check()
        clock = clock_of(frame[str(schema.timestamp)], zone)
        time = read_microseconds(frame[str(schema.timestamp)], clock)
        order = np.argsort(time, kind="stable")
        time = time[order]
        rows = frame[order]
        begin, end = (int(time[0]), int(time[-1])) if len(time) else (0, 0)
        cut = int(np.searchsorted(time, begin + plan.train_share * (end - begin), side="left"))
        history = cls(rows, schema, clock, time, order.astype(np.int64), cut)
        history._check(plan)
        return history

    @property
    def judged(self) -> pl.DataFrame:
        """The rows that are judged."""
        return self.frame[self.cut :]

    def tracks(self) -> list[Track]:
        """The judged rows of each key."""
        return tracks_of(self.judged, self.schema, self.clock)[0]

    @property
    def weeks(self) -> float:
        """How long the judged rows take: in weeks, or in thousands of rows."""
        if not self.clock.is_clock:
            return max(len(one.series) for one in self.tracks()) / ROWS
        steps = [one.series.step for one in self.tracks()]
        return (int(self.time[-1] - self.time[self.cut]) + int(np.median(steps))) / WEEK

    @property
    def unit(self) -> str:
        """What :attr:`weeks` counts."""
        return "week" if self.clock.is_clock else f"{ROWS:,} rows"

    def _check(self, plan: Plan) -> None:
        learned = tracks_of(self.frame[: self.cut], self.schema, self.clock)[0]
        longest = max((len(one.series) for one in learned), default=0)
        if longest < FEWEST_LEARNED or self.cut >= len(self.frame):
            every = tracks_of(self.frame, self.schema, self.clock)[0]
            there = max((len(one.series) for one in every), default=0)
            more = max(1, math.ceil(FEWEST_LEARNED / plan.train_share) - there)
            raise InputError(
                f"The history is too short to replay: {plan.train_share:.0%} of it is learned from first, which has to "
                f"be {FEWEST_LEARNED} rows of one series, and the longest has {counted(there, 'row')} in all. Give "
                f"about {more:,} more, or a larger share to learn from."
            )


@dataclass(frozen=True, slots=True)
class Alarm:
    """A run of flagged rows of one key.

    Parameters
    ----------
    key : the key, empty where there is none.
    start, end : the times of its first and its last row.
    row : the place of its worst row in the input.
    rows : how many rows it has.
    anomaly_score, severity, reason : of its worst row.
    """

    key: str
    start: int
    end: int
    row: int
    rows: int
    anomaly_score: float
    severity: str
    reason: str | None

    def meets(self, other: Alarm | Incident) -> bool:
        """Whether both are about the same key, and at the same time."""
        same = self.key == other.key or (isinstance(other, Incident) and other.key is None)
        return same and self.start <= other.end and other.start <= self.end


@dataclass(frozen=True, slots=True)
class Incident:
    """What is known to have happened.

    Parameters
    ----------
    start, end : its times.
    key : what it was about; None for anything.
    name : how it is called.
    """

    start: int
    end: int
    key: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Caught:
    """An incident, and how long after its start the first alarm about it was; None if there was none."""

    incident: Incident
    late: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a configuration would have said.

    Parameters
    ----------
    result : verdicts on the judged rows, in order of time.
    alarms : in order of time.
    weeks : how long it took, as :attr:`History.weeks` counts.
    fits : the row before which each training ended.
    notes : what the pipelines said.
    """

    result: Result
    alarms: tuple[Alarm, ...]
    weeks: float
    fits: tuple[int, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def rate(self) -> float:
        """Alarms a week."""
        return len(self.alarms) / self.weeks

    def expected(self) -> tuple[int, int]:
        """The range in which the number of alarms of the next week lies, with a probability of 90 %.

        Alarms are taken to come independently at a rate that is known from the ones there were.
        """
        shape, share = len(self.alarms) + 0.5, self.weeks / (self.weeks + 1.0)
        from scipy.stats import nbinom  # noqa: PLC0415 - heavy, and seldom needed

        low, high = nbinom.ppf([(1 - SURE) / 2, (1 + SURE) / 2], shape, share)
        return int(low), int(high)

    def caught(self, incidents: Sequence[Incident]) -> tuple[Caught, ...]:
        """Which of these there was an alarm about."""
        return tuple(Caught(one, self._late(one)) for one in incidents)

    def false(self, incidents: Sequence[Incident]) -> int:
        """How many alarms are about none of these."""
        return sum(not any(alarm.meets(one) for one in incidents) for alarm in self.alarms)

    def _late(self, incident: Incident) -> int | None:
        return min((max(0, one.start - incident.start) for one in self.alarms if one.meets(incident)), default=None)


@dataclass(frozen=True, slots=True)
class Difference:
    """Alarms of two configurations: those of the first that the second has, too, and those that only one has."""

    both: tuple[Alarm, ...]
    only_first: tuple[Alarm, ...]
    only_second: tuple[Alarm, ...]


def replay(pipeline: SeriesPipeline, history: History, plan: Plan, progress: Progress) -> Replayed:
    """Judge rows in order of time by what came before.

    Parameters
    ----------
    pipeline : is fitted; it is as of the last row afterwards.
    history : the rows.
    plan : how many times it is trained again. What was spent of a budget is kept.
    progress : is told how far it is.
    """
    n = len(history.frame)
    cuts = np.linspace(history.cut, n, plan.refits + 2).astype(int)
    starts = np.unique(cuts[:-1])
    parts: list[Result] = []
    notes: list[str] = []
    for place, (start, end) in enumerate(zip(starts, [*starts[1:], n], strict=True)):
        budgets = pipeline.budgets_ if parts else None
        pipeline.fit(history.frame[: int(start)], history.schema)
        if budgets is not None:
            pipeline.budgets_ = budgets
        parts.append(pipeline.update(history.frame[int(start) : int(end)]))
        said = pipeline.drift_notes_ if notes else [*pipeline.notes_, *pipeline.drift_notes_]
        notes += [each for each in said if each not in notes]
        progress("replaying", place + 1, len(starts))
    result = joined(parts)
    alarms = tuple(alarms_of(history, result))
    return Replayed(result, alarms, history.weeks, tuple(map(int, starts)), tuple(notes))


def joined(parts: Sequence[Result]) -> Result:
    """Results of rows that follow one another as one."""
    if len(parts) == 1:
        return parts[0]
    names = ("score", "p_value", "anomaly_score", "is_anomaly", "severity_code", "confidence")
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    reasons = pl.concat([part.reason for part in parts if part.reason is not None])
    return Result(**columns, alpha=parts[-1].alpha).with_(reason=reasons)


def alarms_of(history: History, result: Result) -> list[Alarm]:
    """Runs of flagged rows of each key, in order of time."""
    found = []
    for track in history.tracks():
        flags = result.is_anomaly[track.rows]
        edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
        for begin, end in edges.tolist():
            rows = track.rows[begin:end]
            worst = int(rows[np.argmax(result.anomaly_score[rows])])
            found.append(
                Alarm(
                    track.key,
                    int(track.series.time[begin]),
                    int(track.series.time[end - 1]),
                    int(history.row[history.cut + worst]),
                    end - begin,
                    float(result.anomaly_score[worst]),
                    str(result.severity[worst]),
                    None if result.reason is None else result.reason[worst],
                )
            )
    return sorted(found, key=lambda one: (one.start, one.key))


def incidents_of(history: History, labels: NDArray[np.bool_]) -> list[Incident]:
    """Runs of labelled rows of each key among those that are judged.

    Parameters
    ----------
    labels : (n,) of all rows, in order of the input.
    """
    known = labels[history.row][history.cut :]
    found = []
    for track in history.tracks():
        edges = np.flatnonzero(np.diff(known[track.rows].astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
        times = track.series.time
        found += [Incident(int(times[begin]), int(times[end - 1]), track.key) for begin, end in edges.tolist()]
    return sorted(found, key=lambda one: (one.start, one.key or ""))


def difference(first: Replayed, second: Replayed) -> Difference:
    """Hold the alarms of two configurations against each other."""
    met = [any(one.meets(other) for other in second.alarms) for one in first.alarms]
    return Difference(
        tuple(one for one, both in zip(first.alarms, met, strict=True) if both),
        tuple(one for one, both in zip(first.alarms, met, strict=True) if not both),
        tuple(one for one in second.alarms if not any(one.meets(other) for other in first.alarms)),
    )
