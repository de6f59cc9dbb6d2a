"""Which few columns carry a score together: those whose normal values lower it most.

A search over replacements: each step makes one more column normal, with the value of one of the normal rows, and keeps
the few best attempts. What is rare only together is found, because each step looks at the row as it is by then. The
columns that add most to the score are always among the attempts: where two vouch for each other, neither lowers it
alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.explain.background import differ, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background, Score

KEPT = 3
"""Attempts that are kept after each step, beside the one with the columns that add most."""

TRIED = 64
"""Columns tried in the first step, those that add most to the score first."""

FINE = 32
"""Values tried in each changed column at the end."""

BEST_ALONE, BEST_SHARES = 8, 6
"""Columns tried after that: the best by themselves, and those that add most to the score."""


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A row with some columns made normal.

    Parameters
    ----------
    score : its score.
    row : (d,) the row.
    changes : the changed columns, each with the normal row its value is from.
    """

    score: float
    row: NDArray[np.float32]
    changes: dict[int, int]


def search(
    score: Score,
    start: Repair,
    background: Background,
    parts: NDArray[np.float64],
    most: int,
    columns: Iterable[int] | None = None,
) -> list[Repair]:
    """The best repair found with one column, with two, and so on.

    Parameters
    ----------
    score : scores (m, d) native matrices.
    start : the row as it is, with its score and without changes.
    background : where normal values come from.
    parts : (columns,) how much each column adds to the score.
    most : the most columns to change.
    columns : which may be changed; all when not given.
    """
    allowed = range(len(parts)) if columns is None else sorted(columns)
    tried = sorted(allowed, key=lambda column: -parts[column])[:TRIED]
    moves = _moves(start.row, background, tried)
    best: list[Repair] = []
    kept = [start]
    for step in range(most):
        found = _step(score, kept, background, moves)
        if not found:
            break
        if step == 0:
            moves = moves[np.isin(moves[:, 0], _promising(found, tried))]
        leading = frozenset(tried[: step + 1])
        kept = [one for i, one in enumerate(found) if i < KEPT or one.changes.keys() == leading]
        best.append(kept[0])
    return best


def settled(score: Score, repair: Repair, background: Background) -> Repair:
    """The same columns with the best of more of the normal values, one column after the other."""
    for column in repair.changes:
        places = spread(background.choices[column], FINE)
        altered = np.where(background.column_of == column, background.rows[places], repair.row)
        scores = score(altered)
        best = int(scores.argmin())
        if scores[best] < repair.score:
            repair = Repair(float(scores[best]), altered[best], {**repair.changes, column: int(places[best])})
    return repair


def _moves(row: NDArray[np.float32], background: Background, columns: Sequence[int]) -> NDArray[np.int64]:
    """(moves, 2) pairs of a column and a normal row that has another value in it."""
    moves = background.moves
    is_other = differ(row, background.rows, background.column_of, len(background.names))
    return moves[is_other[moves[:, 1], moves[:, 0]] & np.isin(moves[:, 0], columns)]


def _step(score: Score, kept: list[Repair], background: Background, moves: NDArray[np.int64]) -> list[Repair]:
    """The attempts with one more column each, the best with every set of columns, best first."""
    pairs = [(attempt, move) for attempt in kept for move in moves.tolist() if move[0] not in attempt.changes]
    if not pairs:
        return []
    rows = np.array([attempt.row for attempt, _ in pairs])
    columns, places = np.array([move for _, move in pairs], dtype=np.int64).T
    is_changed = background.column_of == columns[:, None]
    altered = np.where(is_changed, background.rows[places], rows)
    scores = score(altered)
    found: dict[frozenset[int], Repair] = {}
    for best in np.argsort(scores, kind="stable").tolist():
        attempt, (column, place) = pairs[best]
        key = frozenset((*attempt.changes, column))
        if key not in found:
            found[key] = Repair(float(scores[best]), altered[best], {**attempt.changes, column: place})
    return list(found.values())


def _promising(singles: list[Repair], tried: Sequence[int]) -> list[int]:
    """The columns that are tried again: the best by themselves, and those that add most."""
    alone = [next(iter(single.changes)) for single in singles[:BEST_ALONE]]
    return [*alone, *tried[:BEST_SHARES]]
