"""How likely each cell of a table is wrong, from all evidence there is, without a rule written by anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import expit

from anomaly_detection.errors import SchemaError, UnknownNameError
from anomaly_detection.quality.autoencoder import reconstruction
from anomaly_detection.quality.columns import CodedColumn, coded
from anomaly_detection.quality.dependencies import Prediction, joint, left_side, predict
from anomaly_detection.quality.guilt import blame
from anomaly_detection.quality.notation import notation_odds
from anomaly_detection.quality.rarity import (
    EXPECTED,
    NOTHING,
    character_odds,
    missing_odds,
    number_odds,
    placeholder_odds,
    shape_odds,
    value_odds,
)
from anomaly_detection.quality.relations import Relation, relations
from anomaly_detection.quality.typos import typo_odds
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Odds = NDArray[np.float64]

LINE = 0.8
"""The score from which on a cell is called wrong."""

LOOKS = {
    "rare value": value_odds,
    "far from the other numbers": number_odds,
    "near-duplicate of a frequent value": typo_odds,
    "placeholder": placeholder_odds,
    "unusual shape": shape_odds,
    "characters that do not belong": character_odds,
    "another notation": notation_odds,
    "missing": missing_odds,
}
"""What is said of a value by itself. The first three are excused by agreement with the other columns; a shape is not,
as what determines a value does not determine how it is written."""

UNEXCUSED = ("placeholder", "unusual shape", "characters that do not belong")
EXCUSED = ("rare value", "far from the other numbers", "near-duplicate of a frequent value")
CONTRADICTION = "contradicts the other columns"
MISFIT = "does not fit the row as a whole"
METHODS = ("auto", "autoencoder")
"""Ways of scoring cells: all that is looked at always, and the same with an autoencoder of rows."""
UNIQUE, FEWEST = 0.95, 2
"""Distinct values a row from which on a column tells rows apart, so that no rule speaks of it; the fewest values."""


@dataclass(frozen=True, eq=False)
class CellScores:
    """What was found in the cells of a table of n rows.

    Parameters
    ----------
    names : the columns of the table.
    odds : (n, columns) log odds that a cell is wrong; -inf in columns that were not looked at.
    columns : those looked at, by their place in the table.
    looks : of each of these, (u,) log odds of its distinct values by what was looked at.
    predictions : of each, what the other columns say of it; None where they say nothing.
    surprise : of each, (n,) how much the other columns speak against a value, after blame.
    relations : rules between columns, by places among ``columns``.
    misfit : (n, columns) log odds by the autoencoder, where it was asked for; -inf in columns not looked at.
    """

    names: tuple[str, ...]
    odds: Odds
    columns: dict[int, CodedColumn]
    looks: dict[int, dict[str, Odds]] = field(repr=False)
    predictions: dict[int, Prediction | None] = field(repr=False)
    surprise: dict[int, Odds] = field(repr=False)
    relations: tuple[Relation, ...] = ()
    misfit: Odds | None = field(default=None, repr=False)

    @property
    def scores(self) -> NDArray[np.float64]:
        """(n, columns) in [0, 1), higher = worse; about how likely a cell is wrong."""
        return np.asarray(expit(self.odds))

    def to_frame(self) -> pl.DataFrame:
        """The scores in the shape of the table."""
        scores = self.scores
        return pl.DataFrame({name: scores[:, j] for j, name in enumerate(self.names)})


def score_cells(
    frame: pl.DataFrame, columns: Sequence[str] = (), key: Sequence[str] = (), method: str = "auto"
) -> CellScores:
    """Find how likely each cell is wrong.

    Parameters
    ----------
    frame : the table; any number of rows, values of any type.
    columns : those to look at; all when empty.
    key : columns that say what a row is about, so that rows with the same key are held against each other.
    method : ``auto``, or ``autoencoder`` to look also at rows as a whole
        (:func:`~anomaly_detection.quality.autoencoder.reconstruction`).

    Raises
    ------
    UnknownNameError
        for a method that is neither.
    SchemaError
        for a column that the table does not have.

    >>> frame = pl.DataFrame({"city": ["Bonn", "Köln"] * 50, "zip": ["53111", "50667"] * 50})
    >>> found = score_cells(frame.with_columns(city=pl.Series(["Bomn", *frame["city"][1:]])))
    >>> np.unravel_index(found.scores.argmax(), (100, 2))
    (np.int64(0), np.int64(0))
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    missing = [name for name in (*columns, *key) if name not in frame.columns]
    if missing:
        raise SchemaError(f"The table has no column {missing[0]!r}. Its columns are {quoted(frame.columns)}.")
    chosen = [name for name in frame.columns if not columns or name in columns or name in key]
    made = [coded(frame[name]) for name in chosen]
    looks = [{kind: look(column) for kind, look in LOOKS.items()} if column.rows else {} for column in made]
    rng = np.random.default_rng(0)
    lefts = left_sides(made, key)
    told = [_predicted(j, column, lefts, rng) for j, column in enumerate(made)]
    odds, surprise, rules = added_up(made, looks, told, [j for j, column in enumerate(made) if column.name in key])
    places = [frame.columns.index(name) for name in chosen]
    misfit = None
    if method == "autoencoder" and len(odds):
        misfit = np.full(frame.shape, -np.inf)
        misfit[:, places] = np.where([column.name in key for column in made], NOTHING, reconstruction(made))
        odds = np.maximum(odds, np.minimum(misfit[:, places], 15))
    out = np.full(frame.shape, -np.inf)
    out[:, places] = odds
    at = dict(zip(places, range(len(made)), strict=True))
    return CellScores(
        tuple(frame.columns),
        out,
        {place: made[j] for place, j in at.items()},
        {place: looks[j] for place, j in at.items()},
        {place: told[j] for place, j in at.items()},
        {place: surprise[:, j] for place, j in at.items()},
        tuple(rules),
        misfit,
    )


def left_sides(columns: Sequence[CodedColumn], key: Sequence[str]) -> list[tuple[tuple[int, ...], NDArray[np.int64]]]:
    """What may stand on the left of a rule: each column whose values repeat, and the key as a whole."""
    sides: list[tuple[tuple[int, ...], NDArray[np.int64]]] = [
        ((j,), left_side(column))
        for j, column in enumerate(columns)
        if column.distinct >= FEWEST and column.uniqueness < UNIQUE
    ]
    parts = [j for j, column in enumerate(columns) if column.name in key]
    if len(parts) > 1:
        groups = left_side(columns[parts[0]])
        for j in parts[1:]:
            groups = joint(groups, left_side(columns[j]))[0]
        sides.append((tuple(parts), groups))
    return sides


def _predicted(
    j: int,
    column: CodedColumn,
    lefts: Sequence[tuple[tuple[int, ...], NDArray[np.int64]]],
    rng: np.random.Generator,
) -> Prediction | None:
    if column.distinct < FEWEST or column.uniqueness >= UNIQUE:
        return None
    return predict(column, [one for one in lefts if j not in one[0]], rng)


def added_up(
    columns: Sequence[CodedColumn],
    looks: Sequence[dict[str, Odds]],
    told: Sequence[Prediction | None],
    trusted: Sequence[int] = (),
) -> tuple[Odds, Odds, list[Relation]]:
    """All evidence in one number: (n, columns) log odds, (n, columns) surprise after blame, and relations."""
    if not columns or not columns[0].rows:
        return np.empty((0, len(columns))), np.empty((0, len(columns))), []
    alone = _rows(columns, [np.maximum.reduce([look[kind] for kind in EXCUSED]) for look in looks])
    shaped = _rows(columns, [np.maximum.reduce([look[kind] for kind in UNEXCUSED]) for look in looks])
    surprise = np.clip(blame(told, np.maximum(np.maximum(alone, shaped) - NOTHING, 0), trusted), -3, 6)
    odds = np.maximum(alone + surprise, shaped + np.maximum(surprise, 0))
    empty = _rows(columns, [column.missing for column in columns])
    odds = np.where(empty, _missing(columns, looks, told), odds)
    odds += unreliability(np.where(empty, -np.inf, surprise))
    odds = np.logaddexp(odds, _rows(columns, [look["another notation"] for look in looks]))
    rules = relations(columns)
    for rule in rules:
        told_by = np.log(2 * EXPECTED / len(rule.columns) / rule.broken.mean())
        for j in rule.columns:
            odds[rule.broken, j] = np.logaddexp(odds[rule.broken, j], told_by)
    return np.clip(odds, -15, 15), surprise, rules


def _rows(columns: Sequence[CodedColumn], of_values: Sequence[NDArray[np.generic]]) -> Odds:
    return np.column_stack([values[column.codes] for column, values in zip(columns, of_values, strict=True)])


def _missing(
    columns: Sequence[CodedColumn], looks: Sequence[dict[str, Odds]], told: Sequence[Prediction | None]
) -> Odds:
    """(n, columns) log odds of missing cells: the column is usually filled, or the other columns know the value."""
    odds = _rows(columns, [look["missing"] for look in looks])
    for j, one in enumerate(told):
        if one is not None:
            known = np.clip(one.known, 1e-9, 0.95)
            odds[:, j] = np.logaddexp(odds[:, j], np.log(known / (1 - known)))
    return odds


def unreliability(surprise: Odds) -> Odds:
    """(columns,) what to add to the log odds of columns that contradict the others more often than is usual.

    Parameters
    ----------
    surprise : (n, columns) of the cells, -inf for those that are missing.
    """
    wrong = expit(surprise + NOTHING).sum(0)
    share = (wrong + 50 * EXPECTED) / (len(surprise) + 50)
    return np.asarray(0.5 * np.clip(np.log(share / (1 - share)) - NOTHING, -2, 3))
