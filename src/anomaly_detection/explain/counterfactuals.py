"""The smallest change that makes a record normal: few columns, and values that normal records have.

Fewest columns first; then each number is moved back towards the record's own value as far as normal values allow
(Wachter, Mittelstadt & Russell 2018 name the idea; Keane & Smyth 2020 the advantage of real rows over made-up ones).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.explain.background import differ, spread
from anomaly_detection.explain.reasons import listed, shown
from anomaly_detection.explain.repairs import Repair

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background, Score

    IsNormal = Callable[[NDArray[np.float64]], NDArray[np.bool_]]
    """Which scores raise no alarm."""


@dataclass(frozen=True, slots=True)
class Change:
    """One column's new value."""

    column: str
    old: Any
    new: Any

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"column": self.column, "from": self.old, "to": self.new}


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The smallest change found that makes a record normal.

    Parameters
    ----------
    changes : the columns that change, each with its old and its new value.
    p_value : the changed record's; None where it would have to be judged again to know.
    """

    changes: tuple[Change, ...]
    p_value: float | None

    def sentence(self) -> str:
        """One plain sentence.

        >>> Counterfactual((Change("amount", 9000.0, 120.0),), 0.21).sentence()
        'With amount 120 instead of 9000 it would be normal (p = 0.21).'
        """
        changes = [f"{one.column} {shown(one.new)} instead of {shown(one.old)}" for one in self.changes]
        if self.p_value is None:
            return f"With {listed(changes)} it would lie inside its band."
        return f"With {listed(changes)} it would be normal (p = {self.p_value:.2g})."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        changes = [change.to_dict() for change in self.changes]
        return {"changes": changes, "p_value": self.p_value, "sentence": self.sentence()}


def smallest(
    score: Score,
    is_normal: IsNormal,
    start: Repair,
    repairs: list[Repair],
    background: Background,
    order: list[int],
) -> Repair | None:
    """The repair with the fewest columns that raises no alarm, its numbers as near to the row's own as can be.

    Parameters
    ----------
    score : scores (m, d) native matrices.
    is_normal : which scores raise no alarm.
    start : the row as it is.
    repairs : the best repairs with one column, with two, and so on.
    background : where normal values come from.
    order : the columns that may be changed, those that add most to the score first.

    Returns
    -------
    None where changing all of these columns to those of a normal row is not enough.
    """
    found = next((one for one in repairs if is_normal(np.array([one.score]))[0]), None)
    if found is None:
        found = _towards_a_normal_row(score, is_normal, start, background, order)
    if found is None:
        return None
    needed = _pruned(score, is_normal, start, found, background)
    return _nearer(score, is_normal, start, needed, background)


def _towards_a_normal_row(
    score: Score, is_normal: IsNormal, start: Repair, background: Background, order: list[int]
) -> Repair | None:
    """The row with as few as possible of its columns, in order, replaced by those of one of the nearest normal rows."""
    places = _nearest(start.row, background)
    n_counts = min(len(order), background.effort.counts)
    counts = np.unique(np.linspace(1, len(order), n_counts).round().astype(np.int64))
    rank = np.full(len(background.names), len(order))
    rank[order] = np.arange(len(order))
    is_replaced = rank[background.column_of] < counts[:, None]
    altered = np.where(is_replaced, background.rows[places][:, None, :], start.row)
    scores = score(altered.reshape(-1, len(start.row))).reshape(len(places), len(counts))
    normal = is_normal(scores.ravel()).reshape(scores.shape)
    if not normal.any():
        return None
    first = np.where(normal.any(axis=1), normal.argmax(axis=1), len(counts))
    fewest = np.flatnonzero(first == first.min())
    best = int(fewest[scores[fewest, first.min()].argmin()])
    step = int(first[best])
    changes = {column: int(places[best]) for column in order[: counts[step]]}
    return Repair(float(scores[best, step]), altered[best, step], changes)


def _nearest(row: NDArray[np.float32], background: Background) -> NDArray[np.int64]:
    """The normal rows that share most values with the row, or come near them."""
    width = np.abs(background.limits[1] - background.limits[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.abs(background.rows - row) / width
    either = np.isnan(away) | (background.space.n_categories > 0)
    away = np.where(either, background.rows != row, np.minimum(away, 1.0))
    return np.argsort(away.sum(axis=1), kind="stable")[: background.effort.nearest]


def _pruned(score: Score, is_normal: IsNormal, start: Repair, found: Repair, background: Background) -> Repair:
    """The repair without the changes it can do without, the least needed taken back first; many at a time if many."""
    is_other = differ(start.row, found.row, background.column_of, len(background.names))
    changes = {column: place for column, place in found.changes.items() if is_other[column]}
    left = background.effort.taken_back
    size = -(-len(changes) // math.isqrt(left))
    while len(changes) > 1 and left > 0:
        size = min(size, -(-len(changes) // 2))
        columns = list(changes)
        taken_back = _without(start.row, found.row, columns, size, background)
        scores = score(taken_back)
        left -= len(scores)
        best = int(scores.argmin())
        if is_normal(scores[best : best + 1])[0]:
            changes = {column: changes[column] for column in (*columns[: best * size], *columns[(best + 1) * size :])}
            found = Repair(float(scores[best]), taken_back[best], changes)
        elif size == 1:
            break
        else:
            size = -(-size // 2)
    return Repair(found.score, found.row, changes)


def _without(
    own: NDArray[np.float32], changed: NDArray[np.float32], columns: list[int], size: int, background: Background
) -> NDArray[np.float32]:
    """(pieces, d) the changed row, each time with the row's own values in the next few of the changed columns."""
    piece = np.full(len(background.names), -1)
    piece[columns] = np.arange(len(columns)) // size
    is_back = piece[background.column_of] == np.arange(piece.max() + 1)[:, None]
    return np.where(is_back, own, changed)


def _nearer(score: Score, is_normal: IsNormal, start: Repair, found: Repair, background: Background) -> Repair:
    """Each changed number as near to the row's own as the normal values and the alarm line allow."""
    groups = list(background.space.columns().values())
    for column in list(found.changes)[: background.effort.nearer]:
        group = groups[column]
        if len(group) == 1 and background.space.features[group[0]].kind == "number":
            found = _one_nearer(score, is_normal, start, found, background, column, group[0])
    return found


def _one_nearer(
    score: Score,
    is_normal: IsNormal,
    start: Repair,
    found: Repair,
    background: Background,
    column: int,
    feature: int,
) -> Repair:
    places = background.choices[column]
    own, reached = start.row[feature], found.row[feature]
    values = background.rows[places, feature]
    closer = np.abs(values - own) < np.abs(reached - own)
    if not closer.any():
        return found
    places = spread(places[closer], background.effort.fine)
    values = background.rows[places, feature]
    altered = np.repeat(found.row[None, :], len(places), axis=0)
    altered[:, feature] = values
    scores = score(altered)
    away = np.where(is_normal(scores), np.abs(values - own), np.inf)
    best = int(away.argmin())
    if not np.isfinite(away[best]):
        return found
    return Repair(float(scores[best]), altered[best], {**found.changes, column: int(places[best])})
