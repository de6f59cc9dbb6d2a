"""What is unusual in a record's columns: high, low, rare or missing, against what the column holds elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.reports.words import plain, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.reports.document import Column, Row

RARE = 0.05
"""A word that fewer rows than this share have is rare."""

NAMED = 40
"""The most characters of a column's name or a value in the name of a mark."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One thing about a record: ``high total``, or a ``country`` that is ``'KP'``."""

    column: str
    how: str

    def words(self) -> str:
        """In words.

        >>> Mark("total", "high").words(), Mark("country", "= KP").words()
        ('high total', 'country KP')
        """
        value = self.how.removeprefix("= ")
        return f"{self.how} {self.name()}" if value == self.how else f"{self.name()} {value}"

    def name(self) -> str:
        """The column."""
        return plain(self.column, NAMED)


def mark_of(column: str, value: Any, known: Mapping[str, Column]) -> Mark:
    """What is unusual about a value that was named as a reason."""
    return outside(column, value, known) or Mark(column, "unusual")


def outside(column: str, value: Any, known: Mapping[str, Column]) -> Mark | None:
    """What is unusual about a value by itself; None where it lies within what is usual, or nothing is known."""
    profile = known.get(column)
    if profile is None:
        return None
    total = _rows(profile)
    if value is None:
        return Mark(column, "missing") if total and profile.missing / total < RARE else None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _beyond(column, value, profile)
    if profile.values and total:
        words = plain(shown(value), NAMED)
        count = next((one.rows for one in profile.values if one.value == shown(value)), None)
        return Mark(column, f"= {words}") if count is not None and count / total < RARE else None
    return None


def weights(row: Row, record: Mapping[str, Any], known: Mapping[str, Column]) -> dict[Mark, float]:
    """What makes a row an anomaly and how much each thing weighs, 1 in all; told from its record without reasons."""
    if row.explanation is not None and row.explanation.columns:
        found = [(mark_of(one.column, one.value, known), one.share or 0.0) for one in row.explanation.columns]
        if not any(weight > 0 for _, weight in found):
            sizes = [max(0.0, one.contribution or 0.0) for one in row.explanation.columns]
            found = [(mark, size) for (mark, _), size in zip(found, sizes, strict=True)]
    else:
        marks = [outside(name, value, known) for name, value in record.items()]
        found = [(mark, 1.0) for mark in marks if mark is not None]
    whole = sum(max(0.0, weight) for _, weight in found)
    return {mark: weight / whole for mark, weight in found if weight > 0} if whole > 0 else {}


def _beyond(column: str, value: float, profile: Column) -> Mark | None:
    if len(profile.usual) != 2 or profile.unit not in ("number", "seconds"):
        return None
    low, high = profile.usual
    return Mark(column, "high") if value > high else Mark(column, "low") if value < low else None


def _rows(profile: Column) -> int:
    counted = sum(profile.bins.rows) if profile.bins else sum(one.rows for one in profile.values) + profile.others.rows
    return counted + profile.missing
