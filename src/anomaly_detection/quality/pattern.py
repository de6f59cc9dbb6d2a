"""Does a table look as it should: by itself, or against earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.quality.answer import Answer, Finding
from anomaly_detection.quality.cells import LINE, METHODS, CellScores, score_cells
from anomaly_detection.quality.findings import duplicates, findings_of
from anomaly_detection.quality.guilty_parts import GuiltyParts
from anomaly_detection.quality.profile import PatternProfile
from anomaly_detection.records import counted
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE = 0.002
"""The share of a column's rows that may be wrong in one way without an alarm."""


@dataclass(frozen=True, slots=True)
class PatternAnswer(Answer):
    """The answer on the patterns of a table; the expected range is of the rows with one problem, as a share.

    Parameters
    ----------
    findings : what is wrong, by column and kind, the most severe first; those with ``is_anomaly`` false are notes.
    rows, columns : the size of the table.
    wrong_cells : how many cells are called wrong.
    of_rows : how many rows there are of which ``rows`` were looked at; 0 where that is all of them.
    notes : how the table was read, and what is still needed.
    """

    findings: tuple[Finding, ...] = field(default=())
    rows: int = 0
    columns: int = 0
    wrong_cells: int = 0
    of_rows: int = 0
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return Answer.to_dict(self)


def check_pattern(
    current: pl.DataFrame | CellScores,
    history: PatternProfile | pl.DataFrame | Sequence[pl.DataFrame] | None = None,
    tolerance: float = TOLERANCE,
    frame: pl.DataFrame | None = None,
    method: str = "auto",
    segments: Sequence[str] | GuiltyParts = (),
) -> PatternAnswer:
    """Say whether a table looks as it should.

    Without a history the table is its own norm: cells that stand out from their column, or contradict their row, are
    wrong. With one, the earlier tables are the norm: new shapes and values, lost ones, numbers out of range, more
    missing values, and columns that were added, lost or changed.

    Parameters
    ----------
    current : the table, or the scores of its cells if they were made before.
    history : a profile of earlier tables, or such tables, the oldest first.
    tolerance : in [0, 1), the share that may be wrong without an alarm.
    frame : the table, where ``current`` is the scores of its cells.
    method : how cells are scored without a history, as :func:`~anomaly_detection.quality.score_cells` has it.
    segments : columns whose values part the table, to name the part that most of the rows with a problem are in; or the
        parts if they were made before.

    Raises
    ------
    ParameterError
        for a tolerance out of range, or a method where there is a history.
    SchemaError
        for a segment that is no column.

    >>> earlier = pl.DataFrame({"code": ["A-1", "B-2", "C-3"] * 100})
    >>> answer = check_pattern(pl.DataFrame({"code": ["A-1", "b2", "C-3", "B-2"] * 50}), earlier)
    >>> answer.is_anomaly, answer.findings[0].kind
    (True, 'new shape')
    """
    if not 0 <= tolerance < 1:
        raise ParameterError(f"tolerance is {tolerance}; it is a share, at least 0 and below 1.")
    table = current if isinstance(current, pl.DataFrame) else frame
    parts = _parts(table, segments)
    if history is not None:
        if table is None:
            raise ParameterError("A history is held against a table, and only scores were given. Give frame too.")
        if method != METHODS[0]:
            raise ParameterError(f"method {method!r} looks at a table by itself, and this one has earlier ones.")
        return against(table, history, tolerance, parts)
    found = score_cells(current, method=method) if isinstance(current, pl.DataFrame) else current
    findings = findings_of(found, tolerance, parts)
    if table is not None:
        findings += duplicates(table, tolerance)
    return by_itself(found, tuple(findings), tolerance)


def by_itself(found: CellScores, findings: tuple[Finding, ...], tolerance: float) -> PatternAnswer:
    """The answer of a table that is its own norm."""
    rows, columns = found.odds.shape
    wrong = int((found.scores >= LINE).sum())
    alarms = [one for one in findings if one.is_anomaly]
    doubt = max((one.share for one in findings if one.expected_range[1] < 1.0), default=0.0)
    sure = max((one.confidence for one in alarms), default=1.0 - doubt)
    message = f"{counted(wrong, 'cell')} of {counted(rows, 'row')} and {counted(columns, 'column')} look wrong"
    message += f": {counted(len(alarms), 'finding')}. Most of all {alarms[0].message}" if alarms else "."
    range_ = (0.0, tolerance)
    return PatternAnswer(bool(alarms), worst(alarms), sure, range_, message, findings, rows, columns, wrong)


def worst(alarms: Sequence[Finding]) -> str:
    """The highest severity."""
    return max((one.severity for one in alarms), key=SEVERITIES.index, default=SEVERITIES[0])


def against(
    table: pl.DataFrame,
    history: PatternProfile | pl.DataFrame | Sequence[pl.DataFrame],
    tolerance: float,
    parts: GuiltyParts | None = None,
) -> PatternAnswer:
    """The answer of a table that is held against earlier ones."""
    profile = history if isinstance(history, PatternProfile) else PatternProfile.fit(_tables(history))
    findings = tuple(profile.check(table, tolerance, parts))
    alarms = [one for one in findings if one.is_anomaly]
    sure = max((one.confidence for one in alarms), default=1.0 - tolerance)
    past = counted(profile.tables, "earlier table")
    message = (
        f"{counted(len(alarms), 'finding')} against {past}: {alarms[0].message}"
        if alarms
        else f"The table looks like {past}."
    )
    wrong = sum(one.rows for one in alarms)
    return PatternAnswer(bool(alarms), worst(alarms), sure, (0.0, tolerance), message, findings, *table.shape, wrong)


def _parts(table: pl.DataFrame | None, segments: Sequence[str] | GuiltyParts) -> GuiltyParts | None:
    if isinstance(segments, GuiltyParts):
        return segments
    return GuiltyParts.of(table, segments) if segments and table is not None else None


def _tables(history: pl.DataFrame | Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    return [history] if isinstance(history, pl.DataFrame) else list(history)
