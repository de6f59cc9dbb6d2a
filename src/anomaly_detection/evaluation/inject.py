"""Synthetic anomalies for tables: rows made anomalous in a known way, so that detectors can be held against them.

A row that is made anomalous takes the place of the row it was made from; every other row stays as it is. What is
written into a column looks like the column: whole numbers stay whole, words stay words, and ``dependency`` uses nothing
but values that the column has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.base import Choice, Range
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation._spoiling import SPOILERS, Spoiler
from anomaly_detection.evaluation._spoilt_table import Table
from anomaly_detection.features.nesting import flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.records import Schema

KINDS = {
    "extreme": "a number beyond its range",
    "local": "a value within the range of its column, but wrong for the row",
    "cluster": "a small dense group away from the other rows",
    "dependency": "every value from another row: each is usual, together they are not",
    "category": "a word that is rare or was never seen",
    "missing": "values left out where there usually are some",
}
"""The kinds of injected anomalies, and what each is."""

FEWEST_ROWS = 2
"""Fewer rows than this cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A table with injected anomalies.

    Parameters
    ----------
    kind : what kind they are.
    frame : the rows, in their order; the anomalies in place of the rows they were made from.
    labels : (n,) bool, true for the injected rows.
    """

    kind: str
    frame: pl.DataFrame
    labels: NDArray[np.bool_]


def inject(
    frame: pl.DataFrame,
    schema: Schema,
    kind: str,
    *,
    share: float = 0.05,
    seed: int = 0,
    like: pl.DataFrame | None = None,
) -> Injected:
    """Make some rows of a table anomalous.

    Parameters
    ----------
    frame : the records; it is not changed.
    schema : which column is what; only features are touched.
    kind : one of :data:`KINDS`.
    share : the share of rows that become anomalies, in (0, 0.5]; at least one row does.
    seed : decides which rows, and how; the same seed gives the same table.
    like : records that say what is usual, such as all rows when ``frame`` is a part of them; ``frame`` itself when not
        given.

    Raises
    ------
    ParameterError
        for an unknown kind or a share out of range.
    InputError
        if there are fewer than 2 rows, or no column that this kind can be made from.

    Examples
    --------
    >>> from anomaly_detection.features.inference import infer_schema
    >>> frame = pl.DataFrame({"amount": [10, 12, 11, 14], "city": ["Rome", "Oslo", "Rome", "Rome"]})
    >>> found = inject(frame, infer_schema(frame), "category", share=0.25)
    >>> found.labels.sum(), found.frame.filter(~found.labels).equals(frame.filter(~found.labels))
    (np.int64(1), True)
    """
    _check(kind, share)
    frame = flatten(frame)
    if len(frame) < FEWEST_ROWS:
        raise InputError(f"Injecting anomalies takes at least {FEWEST_ROWS} rows; got {len(frame)}.")
    table = Table(frame, schema, frame if like is None else flatten(like))
    spoiler = SPOILERS[kind]
    if not spoiler.columns(table):
        raise InputError(f"No column of this table can hold an anomaly of the kind {kind!r}: {KINDS[kind]}.")
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    rows = np.sort(rng.permutation(len(frame))[: max(1, round(len(frame) * share))])
    return _replaced(kind, frame, rows, _spoilt(table, spoiler, rows, rng))


def kinds_for(frame: pl.DataFrame, schema: Schema) -> tuple[str, ...]:
    """The kinds that can be injected into a table, in the order of :data:`KINDS`.

    >>> from anomaly_detection.features.inference import infer_schema
    >>> frame = pl.DataFrame({"city": ["Rome", "Oslo", "Rome", "Rome"]})
    >>> kinds_for(frame, infer_schema(frame))
    ('category', 'missing')
    """
    flat = flatten(frame)
    table = Table(flat, schema, flat)
    return tuple(kind for kind in KINDS if SPOILERS[kind].columns(table))


def _spoilt(table: Table, spoiler: Spoiler, rows: NDArray[np.int64], rng: np.random.Generator) -> pl.DataFrame:
    """The chosen rows of the table, made anomalous."""
    return table.frame[rows].with_columns(spoiler.spoil(table, rows, rng))


def _replaced(kind: str, frame: pl.DataFrame, rows: NDArray[np.int64], spoilt: pl.DataFrame) -> Injected:
    places = np.arange(len(frame))
    places[rows] = len(frame) + np.arange(len(rows))
    labels = np.zeros(len(frame), dtype=np.bool_)
    labels[rows] = True
    return Injected(kind, pl.concat([frame, spoilt], how="vertical_relaxed")[places], labels)


def _check(kind: str, share: float) -> None:
    for name, value, rule in (
        ("kind", kind, Choice(*KINDS)),
        ("share", share, Range(0, 0.5, open_low=True)),
    ):
        if problem := rule.problem(value):
            raise ParameterError(f"{name}={value!r} {problem}.")
