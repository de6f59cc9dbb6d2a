"""What is normal: a row, and each column's values in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.explain.reasons import shown
from anomaly_detection.features._reading import read_numbers, read_times
from anomaly_detection.features.nesting import flatten

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace
    from anomaly_detection.records import Schema

COMMON = 3
"""How many of a category's most frequent values are named as normal."""


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
        return f"{shown(present.quantile(0.05))} to {shown(present.quantile(0.95))}"
    counts = present.alias("value").value_counts(name="count").sort("count", "value", descending=[True, False])
    if kind == "text" and counts["count"][0] < 0.05 * len(present):
        return f"texts such as {shown(counts['value'][0])}"
    usual = counts.head(COMMON).iter_rows()
    return ", ".join(f"{shown(value)} {100 * count / len(present):.0f} %" for value, count in usual)


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
