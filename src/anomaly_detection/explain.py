"""Why a record scored as it did, in terms of the user's own columns.

A column's contribution is what the score loses when the column alone is made normal, averaged with what a normal
record's score gains when the column alone is taken from the record: the first and the last term of the Shapley value
(Shapley 1953; Lundberg & Lee 2017), which need two scorings per column instead of exponentially many. It asks the
detector itself, so it is faithful to any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

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
    """(d,) a normal row: the median of each number, the most frequent code of each category."""
    reference = np.zeros(X.shape[1], dtype=np.float32)
    for j, feature in enumerate(space.features):
        column = X[:, j]
        present = column[~np.isnan(column)]
        if not len(present):
            reference[j] = np.nan
        elif feature.kind == "category":
            reference[j] = np.bincount(present.astype(np.int64)).argmax()
        else:
            reference[j] = np.median(present)
    return reference


def normal_ranges(frame: pl.DataFrame, schema: Schema) -> dict[str, str]:
    """What is normal in each feature column, in words: the middle 90 % of numbers and times, the usual values else."""
    found = {column.name: _normal_values(frame[column.name], column.kind) for column in schema.features}
    return {name: _with_missing(frame[name], words) for name, words in found.items()}


def reasons(
    row: Mapping[str, Any],
    parts: NDArray[np.float64],
    columns: tuple[str, ...],
    normal: Mapping[str, str],
    most: int = 3,
) -> list[Reason]:
    """The columns that make one row anomalous, strongest first; columns that do not are left out."""
    order = [j for j in np.argsort(-parts, kind="stable") if parts[j] > 0][:most]
    return [Reason(columns[j], row.get(columns[j]), float(parts[j]), normal.get(columns[j], "unknown")) for j in order]


def _normal_values(values: pl.Series, kind: str) -> str:
    present = values.drop_nulls()
    if present.is_empty():
        return "missing"
    if kind == "number" and present.dtype != pl.String:
        present = present.cast(pl.Float64).drop_nans()
        return f"{_shown(present.quantile(0.05))} to {_shown(present.quantile(0.95))}" if len(present) else "missing"
    if present.dtype.is_temporal():
        return _normal_times(present)
    counts = present.value_counts(sort=True, name="n")
    if kind == "text" and counts["n"][0] < 0.05 * len(present):
        return f"texts such as {_shown(counts[values.name][0])}"
    usual = counts.head(COMMON).iter_rows()
    return ", ".join(f"{_shown(value)} {100 * count / len(present):.0f} %" for value, count in usual)


def _normal_times(present: pl.Series) -> str:
    """From when to when, and between which times of day."""
    days = _middle(present)
    if not isinstance(present.dtype, pl.Datetime):
        return days
    low, high = (f"{part[:5]}" for part in _middle(present.dt.time()).split(" to "))
    return f"{days[:10]} to {days.split(' to ')[1][:10]}, between {low} and {high}"


def _middle(values: pl.Series) -> str:
    ordered = values.sort()
    return f"{ordered[int(0.05 * (len(ordered) - 1))]} to {ordered[int(0.95 * (len(ordered) - 1))]}"


def _with_missing(values: pl.Series, words: str) -> str:
    share = values.null_count() / len(values) if len(values) else 0.0
    return f"{words}, or missing" if 0.05 <= share < 1 else words


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return f"{value:.6g}"
    words = str(value)
    return repr(words if len(words) <= 40 else f"{words[:37]}...") if isinstance(value, str) else words
