"""Wrong cells in words: which column, what kind of problem, how many rows, what should have been there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from anomaly_detection.quality.answer import Example, Finding, severity_of_share
from anomaly_detection.quality.cells import CONTRADICTION, LINE, MISFIT
from anomaly_detection.quality.guilty_parts import blamed
from anomaly_detection.quality.rarity import NOTHING
from anomaly_detection.quality.typos import near_duplicates
from anomaly_detection.records import counted

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.quality.cells import CellScores
    from anomaly_detection.quality.guilty_parts import GuiltyParts

    Rows = NDArray[np.int64]

EXAMPLES = 5
LONGEST = 60
NOTATION, SLIP, MISSING, RELATION = "another notation", "near-duplicate of a frequent value", "missing", "breaks a rule"

WORDS = {
    "rare value": "{} occur far more rarely than the others",
    "far from the other numbers": "{} lie far from the others",
    SLIP: "{} are one slip away from a frequent one",
    "placeholder": "{} seem to be written for want of one",
    "unusual shape": "{} do not have the shape of the others",
    "characters that do not belong": "{} have characters that do not belong there",
    NOTATION: "{} are written otherwise than others, or can be read in several ways",
    MISSING: "{} are missing where there should be one",
    CONTRADICTION: "{} contradict the other columns of their rows",
    MISFIT: "{} do not fit all others of their rows together",
}


def findings_of(found: CellScores, tolerance: float, parts: GuiltyParts | None = None) -> list[Finding]:
    """Put the wrong cells of a table into words, the most severe finding first.

    Parameters
    ----------
    found : what was found in the cells.
    tolerance : the share of rows that may be wrong in one way.
    parts : the parts of the table one of which may be guilty.
    """
    places = found.columns if len(found.odds) else ()
    every = [one for place in places for one in of_column(found, place, tolerance, parts)]
    every += misfits(found, tolerance, parts)
    return sorted(every, key=lambda one: (not one.is_anomaly, -one.share * one.confidence))


def of_column(found: CellScores, place: int, tolerance: float, parts: GuiltyParts | None) -> list[Finding]:
    """The findings of one column: one for each kind of problem that it has."""
    column, scores = found.columns[place], expit(found.odds[:, place])
    rows = np.flatnonzero(scores >= LINE)
    kinds = np.array(kinds_of(found, place, rows), dtype=object)
    made = []
    for kind in dict.fromkeys(kinds.tolist()):
        at = rows[kinds == kind]
        made.append(blamed(finding(found, place, kind, at, tolerance, float(scores[at].mean())), at, parts))
    doubtful = np.flatnonzero((found.looks[place][NOTATION] > NOTHING)[column.codes] & (scores < LINE))
    if len(doubtful) > tolerance * column.rows:
        made.append(finding(found, place, NOTATION, doubtful, 1.0, float(scores[doubtful].mean())))
    return made


def misfits(found: CellScores, tolerance: float, parts: GuiltyParts | None) -> list[Finding]:
    """Rows of which more than half a wrong cell is to be expected, though no cell stands out."""
    if found.misfit is None:
        return []
    expected = expit(found.misfit).sum(1)
    rows = np.flatnonzero((expected > 0.5) & (found.scores.max(1) < LINE))
    if not len(rows):
        return []
    rows = rows[np.argsort(-expected[rows], kind="stable")]
    examples = tuple(Example(row, row_words(found, row)) for row in rows[:EXAMPLES].tolist())
    share, sure = len(rows) / len(expected), float(np.minimum(expected[rows], 1.0).mean())
    words = f"{counted(len(rows), 'row')} do not fit together{example_words(examples)}."
    severity = severity_of_share(share, tolerance)
    range_ = (0.0, tolerance)
    made = Finding("", MISFIT, severity != "normal", severity, sure, range_, words, len(rows), share, examples)
    return [blamed(made, rows, parts)]


def row_words(found: CellScores, row: int) -> str:
    """The values of a row that fit least, the worst first."""
    odds = np.zeros(0) if found.misfit is None else found.misfit[row]
    guilty = [place for place in np.argsort(-odds, kind="stable")[:4].tolist() if odds[place] > NOTHING + 1]
    return ", ".join(f"{found.names[place]} = {_value(found, place, row)}" for place in guilty)


def _value(found: CellScores, place: int, row: int) -> str:
    column = found.columns[place]
    return short(column.values[int(column.codes[row])])


def kinds_of(found: CellScores, place: int, rows: Rows) -> list[str]:
    """What speaks most against each of these cells."""
    column, looks = found.columns[place], found.looks[place]
    codes = column.codes[rows]
    said = {kind: odds[codes] for kind, odds in looks.items()}
    said[CONTRADICTION] = np.where(column.missing[codes], -np.inf, NOTHING + found.surprise[place][rows])
    said[MISSING] = np.where(column.missing[codes], np.inf, -np.inf)
    if found.misfit is not None:
        said[MISFIT] = found.misfit[rows, place]
    for rule in found.relations:
        if list(found.columns).index(place) in rule.columns:
            said[f"{RELATION}: {rule.words}"] = np.where(rule.broken[rows], found.odds[rows, place], -np.inf)
    names = list(said)
    return [names[i] for i in np.argmax(np.column_stack(list(said.values())), axis=1)]


def finding(found: CellScores, place: int, kind: str, rows: Rows, tolerance: float, confidence: float) -> Finding:
    """One finding, with examples."""
    column = found.columns[place]
    share = len(rows) / column.rows
    examples = examples_of(found, place, kind, rows)
    severity = severity_of_share(share, tolerance)
    return Finding(
        column=column.name,
        kind=kind,
        is_anomaly=severity != "normal",
        severity=severity,
        confidence=confidence,
        expected_range=(0.0, tolerance),
        message=f"{column.name}: {worded(kind, len(rows))}{example_words(examples)}.",
        rows=len(rows),
        share=share,
        examples=examples,
    )


def worded(kind: str, rows: int) -> str:
    """A kind of problem and how often it occurs."""
    if kind.startswith(RELATION):
        return f"{counted(rows, 'row')} break the rule {kind.removeprefix(RELATION + ': ')}"
    return WORDS[kind].format(counted(rows, "value"))


def example_words(examples: tuple[Example, ...]) -> str:
    """The first example, in words."""
    if not examples:
        return ""
    one = examples[0]
    expected = "" if one.expected is None else f", where {short(one.expected)!r} is expected"
    return f", such as {short(one.value)!r} in row {one.row:,}{expected}"


def short(text: str) -> str:
    """A text, its end left out where it is long."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def examples_of(found: CellScores, place: int, kind: str, rows: Rows) -> tuple[Example, ...]:
    """The worst cells of a finding, each value once."""
    column = found.columns[place]
    worst = rows[np.argsort(-found.odds[rows, place], kind="stable")][: 50 * EXAMPLES]
    _, first = np.unique(column.codes[worst], return_index=True)
    chosen = worst[np.sort(first)[:EXAMPLES]].tolist()
    slips = near_duplicates(column).found if kind == SLIP else {}
    made = []
    for row in chosen:
        code = int(column.codes[row])
        expected = column.values[slips[code]] if code in slips else None
        if kind in (CONTRADICTION, MISSING):
            expected = majority(found, place, row)
        made.append(Example(row, column.values[code], expected))
    return tuple(made)


def majority(found: CellScores, place: int, row: int) -> str | None:
    """The value that most rows with the same left side have, by the rule that speaks most against the cell."""
    told, column = found.predictions[place], found.columns[place]
    if told is None:
        return None
    against = told.each[row] if not column.missing[column.codes[row]] else [rule.gain for rule in told.rules]
    for k in np.argsort(-np.asarray(against)).tolist():
        fellows = column.codes[told.rules[k].groups == told.rules[k].groups[row]]
        votes = np.bincount(fellows[~column.missing[fellows]], minlength=1)
        top = int(votes.argmax())
        if votes[top] > 1 and top != column.codes[row]:
            return str(column.values[top])
    return None


def duplicates(frame: pl.DataFrame, tolerance: float) -> list[Finding]:
    """A note on rows that are there more than once in full."""
    if frame.width == 0 or len(frame) == 0:
        return []
    again = len(frame) - frame.hash_rows(seed=0).n_unique()
    if again <= tolerance * len(frame):
        return []
    words = f"{counted(again, 'row')} are there again with the same values in all columns."
    share = again / len(frame)
    return [Finding("", "duplicate rows", False, "normal", 1.0, (0.0, 1.0), words, again, share)]
