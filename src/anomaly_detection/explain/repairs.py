"""Which few columns carry a score together: those whose normal values lower it most.

A search over replacements: each step makes one more column normal, with the value of one of the normal rows, and keeps
the few best attempts. What is rare only together is found, because each step looks at the row as it is by then. The
columns that add most to the score are always among the attempts: where two vouch for each other, neither lowers it
alone. Where the score is still not a typical one, a second round gives the best sets of columns the values of one
normal row all at once, and then refines them column by column.
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
    from anomaly_detection.explain.effort import Effort


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
    effort: Effort | None = None,
) -> list[Repair]:
    """The best repair found with one column, with two, and so on, until the score is a typical one.

    Parameters
    ----------
    score : scores (m, d) native matrices.
    start : the row as it is, with its score and without changes.
    background : where normal values come from.
    parts : (columns,) how much each column adds to the score.
    most : the most columns to change.
    columns : which may be changed; all when not given.
    effort : how far to look; as far as the width of the table allows when not given.
    """
    effort = background.effort if effort is None else effort
    allowed = range(len(parts)) if columns is None else sorted(columns)
    tried = sorted(allowed, key=lambda column: -parts[column])[: effort.tried]
    rounds = _first_round(score, start, background, tried, most, effort)
    is_typical = [leaders[0].score <= background.typical for leaders in rounds]
    if any(is_typical):
        ends = [leaders[0] for leaders in rounds]
        return [
            one if is_enough else settled(score, one, background)
            for one, is_enough in zip(ends, is_typical, strict=True)
        ]
    return [_second_round(score, start, leaders, background, effort) for leaders in rounds]


def _first_round(
    score: Score, start: Repair, background: Background, tried: list[int], most: int, effort: Effort
) -> list[list[Repair]]:
    """With one column, with two, and so on: the best sets of columns, best first; none after a typical score."""
    moves = _moves(start.row, background, tried)
    best: list[list[Repair]] = []
    kept = [start]
    for step in range(most):
        found = _step(score, kept, background, moves)
        if not found:
            break
        best.append(found[: effort.leaders])
        if found[0].score <= background.typical:
            break
        if step == 0:
            moves = moves[np.isin(moves[:, 0], _promising(found, tried, effort))]
        leading = frozenset(tried[: step + 1])
        kept = [one for i, one in enumerate(found) if i < effort.kept or one.changes.keys() == leading]
    return best


def _second_round(score: Score, start: Repair, leaders: list[Repair], background: Background, effort: Effort) -> Repair:
    """The best of some sets of columns, once each has tried the values of normal rows all at once.

    Values that go together are not found one at a time, where a detector knows how columns depend on each other.
    """
    if len(leaders[0].changes) > 1:
        together = _together(score, start, leaders, background, effort.together)
        leaders = sorted([min(pair, key=_score) for pair in zip(leaders, together, strict=True)], key=_score)
    else:
        leaders = leaders[:1]
    return min([settled(score, one, background, effort.fine) for one in leaders[: effort.finals]], key=_score)


def _together(score: Score, start: Repair, leaders: list[Repair], background: Background, rows: int) -> list[Repair]:
    """Each set of columns with the best values that one of the first normal rows has in all of them."""
    normal = background.rows[:rows]
    is_changed = np.array([np.isin(background.column_of, list(one.changes)) for one in leaders])
    altered = np.where(is_changed[:, None, :], normal, start.row)
    scores = score(altered.reshape(-1, len(start.row))).reshape(len(leaders), -1)
    places = scores.argmin(axis=1).tolist()
    return [
        Repair(float(scores[i, place]), altered[i, place], dict.fromkeys(leaders[i].changes, place))
        for i, place in enumerate(places)
    ]


def _score(repair: Repair) -> float:
    return repair.score


def settled(score: Score, repair: Repair, background: Background, most: int | None = None) -> Repair:
    """The same columns with the best of more of the normal values, one column after the other."""
    most = background.effort.fine if most is None else most
    for column in repair.changes:
        places = spread(background.choices[column], most)
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


def _promising(singles: list[Repair], tried: Sequence[int], effort: Effort) -> list[int]:
    """The columns that are tried again: the best by themselves, and those that add most."""
    alone = [next(iter(single.changes)) for single in singles[: effort.alone]]
    return [*alone, *tried[: effort.shares]]
