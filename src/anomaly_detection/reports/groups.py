"""Anomalies that are alike: the same columns make them anomalies, in the same way."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.reports.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anomaly_detection.reports.document import Row
    from anomaly_detection.reports.marks import Mark

ALIKE = 0.8
"""The least cosine between an anomaly's reasons and those of the group it joins."""

MOST_GROUPS = 9
"""So many groups are named; the rest are the others."""

NAMES = 0.2
"""A reason that weighs less than this in a group is no part of its name."""


@dataclass(frozen=True, slots=True)
class Group:
    """Anomalies that are alike.

    Parameters
    ----------
    name : in words, such as ``high quantity and total``.
    rows : the verdicts, most anomalous first.
    """

    name: str
    rows: tuple[Row, ...]


@dataclass(slots=True)
class _Gathering:
    """A group while it grows: its rows and the sum of their reasons."""

    rows: list[Row] = field(default_factory=list)
    sums: Counter[Mark] = field(default_factory=Counter)

    def take(self, row: Row, weights: Mapping[Mark, float]) -> None:
        self.rows.append(row)
        for mark, weight in weights.items():
            self.sums[mark] += weight  # type: ignore[assignment]

    def likeness(self, weights: Mapping[Mark, float]) -> float:
        """The cosine between its reasons and those of a row."""
        both = sum(weight * self.sums[mark] for mark, weight in weights.items())
        return both / (_length(self.sums) * _length(weights))

    def name(self) -> str:
        """Its strongest reasons in words."""
        ranked = sorted(self.sums.items(), key=lambda one: (-one[1], one[0]))
        strong = [mark for mark, weight in ranked if weight >= NAMES * len(self.rows)][:3]
        return _phrase(strong or [mark for mark, _ in ranked[:1]])


def groups_of(anomalies: Iterable[tuple[Row, Mapping[Mark, float]]]) -> tuple[Group, ...]:
    """Gather anomalies, most anomalous first, by what makes them so; the largest group comes first.

    An anomaly joins the group it is most like, or begins a new one. Anomalies without a reason are left out.
    """
    found: list[_Gathering] = []
    for row, weights in anomalies:
        if not weights:
            continue
        best = max(found, key=lambda group: group.likeness(weights), default=None)
        if best is None or best.likeness(weights) < ALIKE:
            best = _Gathering()
            found.append(best)
        best.take(row, weights)
    return _named(found)


def _phrase(marks: list[Mark]) -> str:
    """Marks in words, those of one kind together: ``high quantity and total``."""
    kinds: dict[str, list[Mark]] = {}
    for mark in marks:
        kinds.setdefault(mark.how, []).append(mark)
    return listed([mark.words() if i == 0 else mark.name() for kind in kinds.values() for i, mark in enumerate(kind)])


def _named(found: list[_Gathering]) -> tuple[Group, ...]:
    """The groups by name and size, those of one name together, the small ones as the others."""
    rows: dict[str, list[Row]] = {}
    for group in found:
        rows.setdefault(group.name(), []).extend(group.rows)
    ranked = sorted(rows.items(), key=lambda one: (-len(one[1]), one[0]))
    kept, rest = (ranked, []) if len(ranked) <= MOST_GROUPS + 1 else (ranked[:MOST_GROUPS], ranked[MOST_GROUPS:])
    groups = [Group(name, _ordered(members)) for name, members in kept]
    others = [row for _, members in rest for row in members]
    return (*groups, Group(f"{len(rest)} smaller groups", _ordered(others))) if others else tuple(groups)


def _ordered(rows: list[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (-row.anomaly_score, row.row)))


def _length(weights: Mapping[Mark, float]) -> float:
    return math.sqrt(sum(weight * weight for weight in weights.values()))
