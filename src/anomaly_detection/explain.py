"""Why a record scored as it did, in terms of the user's own columns.

A column's contribution is what the score loses when the column alone is made normal, averaged with what a normal
record's score gains when the column alone is taken from the record: the first and the last term of the Shapley value
(Shapley 1953; Lundberg & Lee 2017), which need two scorings per column instead of exponentially many. It asks the
detector itself, so it is faithful to any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.features._reading import read_numbers, read_times
from anomaly_detection.features.nesting import flatten, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace
    from anomaly_detection.records import Schema

COMMON = 3
"""How many of a category's most frequent values are named as normal."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One column's part in one verdict.

    Parameters
    ----------
    column : the user's column.
    value : the record's value in it.
    contribution : the part of the score it accounts for, in units of the raw score.
    normal : what is normal in this column, in words.
    """

    column: str
    value: Any
    contribution: float
    normal: str

    def sentence(self) -> str:
        """One plain sentence.

        >>> Reason("amount", 9000.0, 0.2, "5 to 120").sentence()
        'amount is 9000 (normal: 5 to 120)'
        """
        return f"{self.column} is {_shown(self.value)} (normal: {self.normal})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: getattr(self, name) for name in ("column", "value", "contribution", "normal")}


def contributions(
    score: Callable[[NDArray[np.float32]], NDArray[np.float64]],
    X: NDArray[np.float32],
    reference: NDArray[np.float32],
    space: FeatureSpace,
) -> NDArray[np.float64]:
    """How much each of the user's columns adds to the score of each row.

    Parameters
    ----------
    score : scores (m, d) matrices.
    X : (n, d) the rows to explain.
    reference : (d,) a normal row.
    space : what the d features mean.

    Returns
    -------
    (n, columns) float64 in the order of ``space.columns()``; positive where the column makes the row anomalous.
    """
    groups = list(space.columns().values())
    found = np.empty((len(X), len(groups)))
    base = score(X)
    floor = score(reference[None, :])[0]
    for j, group in enumerate(groups):
        without, alone = X.copy(), np.repeat(reference[None, :], len(X), axis=0)
        without[:, group] = reference[group]
        alone[:, group] = X[:, group]
        found[:, j] = 0.5 * ((base - score(without)) + (score(alone) - floor))
    return found


def reference_row(X: NDArray[np.float32], space: FeatureSpace) -> NDArray[np.float32]:
    """(d,) a normal row: the lower median of each number, the most frequent code of each category."""
    reference = np.zeros(X.shape[1], dtype=np.float32)
    for j, feature in enumerate(space.features):
        column = X[:, j]
        present = column[~np.isnan(column)]
        if not len(present):
            reference[j] = np.nan
        elif feature.kind == "category":
            reference[j] = np.bincount(present.astype(np.int64)).argmax()
        else:
            middle = (len(present) - 1) // 2
            reference[j] = np.partition(present, middle)[middle]
    return reference


def normal_ranges(frame: pl.DataFrame, schema: Schema) -> dict[str, str]:
    """What is normal in each feature column, in words: the middle 90 % of numbers and times, the usual values else."""
    frame = flatten(frame)
    columns = {column.name: (_read(frame[column.name], column.kind), column.kind) for column in schema.features}
    return {name: _with_missing(values, _normal_values(values, kind)) for name, (values, kind) in columns.items()}


def reasons(
    row: Mapping[str, Any],
    parts: NDArray[np.float64],
    columns: tuple[str, ...],
    normal: Mapping[str, str],
    most: int = 3,
) -> list[Reason]:
    """The columns that make one row anomalous, strongest first; columns that do not are left out."""
    order = [j for j in np.argsort(-parts, kind="stable") if parts[j] > 0][:most]
    return [
        Reason(columns[j], value_at(row, columns[j]), float(parts[j]), normal.get(columns[j], "unknown")) for j in order
    ]


def _read(values: pl.Series, kind: str) -> pl.Series:
    """The values as the pipeline reads them, null where missing."""
    if kind == "number" and values.dtype != pl.Duration:
        return read_numbers(values).fill_nan(None)
    if kind == "time" and not values.dtype.is_temporal():
        return read_times(values)
    return values.fill_nan(None) if values.dtype.is_float() else values


def _normal_values(values: pl.Series, kind: str) -> str:
    present = values.drop_nulls()
    if present.is_empty():
        return "missing"
    if present.dtype.is_temporal():
        return _normal_times(present)
    if kind == "number":
        return f"{_shown(present.quantile(0.05))} to {_shown(present.quantile(0.95))}"
    counts = present.alias("value").value_counts(name="count").sort("count", "value", descending=[True, False])
    if kind == "text" and counts["count"][0] < 0.05 * len(present):
        return f"texts such as {_shown(counts['value'][0])}"
    usual = counts.head(COMMON).iter_rows()
    return ", ".join(f"{_shown(value)} {100 * count / len(present):.0f} %" for value, count in usual)


def _normal_times(present: pl.Series) -> str:
    """From when to when, and between which times of day."""
    days = _middle(present)
    if not isinstance(present.dtype, pl.Datetime):
        return days
    low, high = (part[:5] for part in _middle(present.dt.time()).split(" to "))
    between = "" if low == high == "00:00" else f", between {low} and {high}"
    return f"{days[:10]} to {days.split(' to ')[1][:10]}{between}"


def _middle(values: pl.Series) -> str:
    ordered = values.sort()
    return f"{ordered[int(0.05 * (len(ordered) - 1))]} to {ordered[int(0.95 * (len(ordered) - 1))]}"


def _with_missing(values: pl.Series, words: str) -> str:
    share = values.null_count() / len(values) if len(values) else 0.0
    return f"{words}, or missing" if 0.05 <= share < 1 else words


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    if isinstance(value, float):
        return f"{value:.{15 if 1e6 <= abs(value) < 1e15 else 6}g}"
    words = str(value)
    return repr(words if len(words) <= 40 else f"{words[:37]}...") if isinstance(value, str) else words
