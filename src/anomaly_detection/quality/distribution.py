"""Do the columns of a table have the values that they usually have?

A run is held against all earlier ones together. What a test says of sampling is not enough where tables are large: runs
of one table always differ a little. So a distance also has to be larger than earlier runs have from one another, and
large enough to matter. All tests of all columns share one rate of false discoveries (Benjamini and Hochberg).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.quality.answer import Answer
from anomaly_detection.quality.changes import Change, column_changes
from anomaly_detection.quality.moved import moved_rows, moved_words
from anomaly_detection.quality.segments import guilty
from anomaly_detection.quality.table_profile import TableProfile, merge_profiles, profile_table
from anomaly_detection.records import counted, quoted
from anomaly_detection.results import SEVERITIES
from anomaly_detection.verdicts import judge_one

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.01
"""The share of the changes that are called anomalous which may be none."""

LONGEST = 60
"""How many of the latest runs are learned from."""

ENOUGH = 8
"""Runs that say well how much runs differ."""


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """What one test says of one column.

    Parameters
    ----------
    column : its name.
    test : ``missing``, ``distinct``, ``mean``, ``distribution``, ``new values``, ``lost values``, or about the schema
        ``lost column``, ``added column``, ``changed type``.
    is_anomaly, severity, confidence, message : as in :class:`Answer`.
    p_value : adjusted for all the tests that were made.
    effect : how large the change is, in the unit of the test (docs/how-to/check-tables.md).
    before, now : what was measured.
    expected_range : what would have been no anomaly.
    rows : numbers of the rows that moved a mean, from 0; where the table itself was given.
    guilty : the part of the table that the change comes from, in words.
    """

    column: str
    test: str
    is_anomaly: bool
    severity: str
    confidence: float
    message: str
    p_value: float
    effect: float
    before: float
    now: float
    expected_range: tuple[float, float]
    rows: tuple[int, ...] = ()
    guilty: str = ""


@dataclass(frozen=True, slots=True)
class DistributionAnswer(Answer):
    """The answer on the values of a table; the expected range is of how many columns have changed.

    Parameters
    ----------
    changes : all tests, anomalies first, the least probable first.
    rows : of the run that is judged.
    runs : how many were learned from.
    notes : what is still needed.
    """

    changes: tuple[ColumnChange, ...] = field(default=())
    rows: int = 0
    runs: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return Answer.to_dict(self)


def check_distribution(
    current: pl.DataFrame | TableProfile,
    history: Sequence[pl.DataFrame | TableProfile] | pl.DataFrame | TableProfile,
    segments: Sequence[str] = (),
    alpha: float = ALPHA,
    table: str = "The table",
) -> DistributionAnswer:
    """Say which columns of a table have other values than in earlier runs.

    Parameters
    ----------
    current : the table, or its profile; the table itself lets the rows be named that moved a mean.
    history : earlier runs, or their profiles, the oldest first. One is enough for a comparison; eight say how much runs
        differ.
    segments : columns whose values part the table, to find the part that a change comes from.
    alpha : the share of false discoveries.
    table : its name, for the message.

    Raises
    ------
    InputError
        for no earlier run, or an empty run.
    ParameterError
        for alpha out of range.

    >>> rng = np.random.default_rng(0)
    >>> runs = [pl.DataFrame({"price": rng.normal(10, 1, 500)}) for _ in range(10)]
    >>> answer = check_distribution(runs[0].with_columns(pl.col("price") * 1.5), runs[1:])
    >>> answer.is_anomaly, answer.changes[0].column
    (True, 'price')
    """
    if not 0 < alpha < 0.5:
        raise ParameterError(f"alpha is {alpha}; it must be above 0 and below 0.5, such as {ALPHA}.")
    now = current if isinstance(current, TableProfile) else profile_table(current, segments=segments)
    past = [one for one in _profiles(history, segments) if one.rows][-LONGEST:]
    if not past:
        raise InputError("There is no earlier run with rows to learn from. Give at least one; 8 are good.")
    if not now.rows:
        return _empty(past, table)
    return _answer(now, past, current if isinstance(current, pl.DataFrame) else None, alpha, table)


def _profiles(history: Any, segments: Sequence[str]) -> list[TableProfile]:
    runs = [history] if isinstance(history, pl.DataFrame | TableProfile) else list(history)
    return [
        one if isinstance(one, TableProfile) else profile_table(one, segments=[s for s in segments if s in one.columns])
        for one in runs
    ]


def _empty(past: Sequence[TableProfile], table: str) -> DistributionAnswer:
    words = f"{table} is empty: there are no values to compare with {counted(len(past), 'earlier run')}."
    return DistributionAnswer(
        is_anomaly=True, severity="critical", confidence=1.0, expected_range=(0.0, 0.0), message=words, runs=len(past)
    )


def _answer(
    now: TableProfile, past: list[TableProfile], frame: pl.DataFrame | None, alpha: float, table: str
) -> DistributionAnswer:
    together = merge_profiles(past)
    names = [name for name, each in now.columns.items() if _comparable(name, each.type, together)]
    found = [
        change
        for name in names
        for change in column_changes(
            name,
            now.columns[name],
            [
                one.columns[name]
                for one in past
                if name in one.columns and one.columns[name].type == now.columns[name].type
            ],
        )
    ]
    adjusted = benjamini_hochberg(np.array([one.p for one in found]))
    changes = schema_changes(now, together)
    changes += [
        _judged(one, float(p), now, together, frame, alpha, len(past)) for one, p in zip(found, adjusted, strict=True)
    ]
    changes.sort(key=lambda one: (not one.is_anomaly, -SEVERITIES.index(one.severity), one.p_value, -one.effect))
    alarms = [one for one in changes if one.is_anomaly]
    notes = []
    if len(past) < ENOUGH:
        notes.append(
            f"learned from {counted(len(past), 'run')}; {ENOUGH - len(past)} more say how much runs usually differ"
        )
    uncounted = [name for name, one in now.columns.items() if one.filled and not one.distinct and one.type != "nested"]
    if uncounted:
        notes.append(f"different values not counted of {quoted(uncounted)}: a large table, and values hardly repeat")
    return DistributionAnswer(
        is_anomaly=bool(alarms),
        severity=max((one.severity for one in alarms), key=SEVERITIES.index, default=SEVERITIES[0]),
        confidence=max(
            (one.confidence for one in alarms), default=min((one.confidence for one in changes), default=1.0)
        ),
        expected_range=(0.0, 0.0),
        message=_message(alarms, table, len(past)),
        changes=tuple(changes),
        rows=now.rows,
        runs=len(past),
        notes=tuple(notes),
    )


def _comparable(name: str, kind: str, together: TableProfile) -> bool:
    return name in together.columns and together.columns[name].type == kind and bool(together.columns[name].rows)


def benjamini_hochberg(p: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(n,) p-values adjusted so that those at most α are false in a share of at most α.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p)[::-1]
    ranks = len(p) / np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(p[order] * ranks), 1.0)
    return adjusted


def schema_changes(now: TableProfile, before: TableProfile) -> list[ColumnChange]:
    """Columns that were lost, added, or hold something else."""
    made = [
        _of_schema(name, "lost column", "critical", "is gone") for name in before.columns if name not in now.columns
    ]
    made += [_of_schema(name, "added column", "low", "is new") for name in now.columns if name not in before.columns]
    for name, column in now.columns.items():
        old = before.columns.get(name)
        if old is not None and old.type != column.type and column.filled and old.filled:
            made.append(_of_schema(name, "changed type", "high", f"holds {column.type}, and held {old.type}"))
    return made


def _of_schema(name: str, test: str, severity: str, words: str) -> ColumnChange:
    return ColumnChange(
        name, test, True, severity, 1.0, f"The column {name!r} {words}.", 0.0, 1.0, 0.0, 1.0, (0.0, 0.0)
    )


def _judged(
    change: Change,
    p: float,
    now: TableProfile,
    before: TableProfile,
    frame: pl.DataFrame | None,
    alpha: float,
    runs: int,
) -> ColumnChange:
    matters = change.effect >= change.least
    flagged = matters and p <= alpha
    shown = max(min(p, alpha), 1e-300) if flagged else max(p, alpha * (1 + 1e-9))
    verdict = judge_one(change.effect, min(shown, 1.0), alpha, max(runs, 1))
    rows: tuple[int, ...] = ()
    words, why = change.message, ""
    if flagged:
        part = guilty(now.segments, before.segments, change.column, change.test)
        why = part.words() if part is not None and change.test in ("mean", "missing") else ""
        if change.test == "mean" and frame is not None:
            rows = moved_rows(frame[change.column], change.expected_range)
            words += moved_words(rows, now.rows)
        words += f"; {why}" if why else ""
    return ColumnChange(
        column=change.column,
        test=change.test,
        is_anomaly=flagged,
        severity=verdict.severity,
        confidence=verdict.confidence,
        message=words + ".",
        p_value=shown,
        effect=change.effect,
        before=change.before,
        now=change.now,
        expected_range=change.expected_range,
        rows=rows,
        guilty=why,
    )


def _message(alarms: Sequence[ColumnChange], table: str, runs: int) -> str:
    past = counted(runs, "earlier run")
    if not alarms:
        return f"{table} has the values it usually has, held against {past}."
    columns = list(dict.fromkeys(one.column for one in alarms))
    return f"{table} differs from {past} in {counted(len(columns), 'column')} ({quoted(columns)}). {alarms[0].message}"
