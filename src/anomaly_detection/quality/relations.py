"""Rules between columns of numbers and times that nearly all rows keep: order, constant difference, sum, product."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

    Values = Mapping[int, NDArray[np.float64]]

KEPT = 0.98
"""The share of rows that keep a rule."""

LEAST_ROWS = 40
PROBE = 2_000
MOST_COLUMNS = 12


@dataclass(frozen=True, eq=False)
class Relation:
    """A rule that nearly all rows keep.

    Parameters
    ----------
    columns : those it is about, by number.
    words : the rule, such as ``start <= end``.
    broken : (n,) the rows that break it.
    """

    columns: tuple[int, ...]
    words: str
    broken: NDArray[np.bool_]


def relations(columns: Sequence[CodedColumn]) -> list[Relation]:
    """Find the rules that at least 98 % of the rows keep, some do not, and chance would not explain."""
    values = measured(columns)
    names = [column.name for column in columns]
    found = [*orders(values, names), *differences(values, names), *arithmetic(values, names)]
    return [one for one in found if one.broken.any()]


def measured(columns: Sequence[CodedColumn]) -> dict[int, NDArray[np.float64]]:
    """(n,) the numbers of columns of numbers, and seconds of columns of dates, by column; at most 12 of them."""
    found: dict[int, NDArray[np.float64]] = {}
    for j, column in enumerate(columns):
        if len(found) < MOST_COLUMNS and column.filled >= LEAST_ROWS and column.distinct > 2:
            numbers = column.numbers if column.is_numeric else seconds(column)
            if np.isfinite(numbers[column.codes]).sum() >= 0.8 * column.filled:
                found[j] = numbers[column.codes]
    return found


def seconds(column: CodedColumn) -> NDArray[np.float64]:
    """(u,) dates and times in ISO form as seconds, NaN for what is none."""
    day = column.texts.str.head(19).str.replace("T", " ")
    times = day.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    dates = column.texts.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us"))
    found = times.fill_null(dates).dt.epoch("us").cast(pl.Float64) / 1e6
    return found.fill_null(np.nan).to_numpy()


def orders(values: Values, names: Sequence[str]) -> Iterator[Relation]:
    """``a <= b`` where a is hardly ever larger, though larger values of a than of some b exist."""
    for i, j in permutations(values, 2):
        a, b = values[i], values[j]
        known = np.isfinite(a) & np.isfinite(b)
        broken = known & (a > b)
        if known.sum() >= LEAST_ROWS and broken.sum() <= (1 - KEPT) * known.sum() and chance(a[known], b[known]):
            yield Relation((i, j), f"{names[i]} <= {names[j]}", broken)


def chance(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether pairs drawn at random would break the order often, so that keeping it means something."""
    at = np.linspace(0.01, 0.99, 50)
    return bool((np.quantile(a, at)[:, None] > np.quantile(b, at)).mean() > 0.2)


def differences(values: Values, names: Sequence[str]) -> Iterator[Relation]:
    """``b - a`` is the same in nearly all rows."""
    for i, j in combinations(values, 2):
        off = values[j] - values[i]
        known = np.isfinite(off)
        if known.sum() >= LEAST_ROWS:
            usual = float(np.median(off[known]))
            broken = known & (np.abs(off - usual) > 1e-9 * max(1.0, abs(usual)))
            if broken.sum() <= (1 - KEPT) * known.sum() and len(np.unique(values[i][known][:PROBE])) > 10:
                words = f"{names[j]} = {names[i]}" + (f" {'+' if usual > 0 else '-'} {abs(usual):g}" if usual else "")
                yield Relation((i, j), words, broken)


def arithmetic(values: Values, names: Sequence[str]) -> Iterator[Relation]:
    """``a + b = c`` and ``a * b = c``, tried on a few rows first."""
    for i, j in combinations(values, 2):
        for sign, made in (("+", values[i] + values[j]), ("*", values[i] * values[j])):
            for k in values:
                if k in (i, j) or not agrees(made[:PROBE], values[k][:PROBE]):
                    continue
                known = np.isfinite(made) & np.isfinite(values[k])
                yield Relation((i, j, k), f"{names[i]} {sign} {names[j]} = {names[k]}", known & ~close(made, values[k]))


def agrees(made: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether nearly all rows agree, among them many different values that are not 0."""
    known = np.isfinite(made) & np.isfinite(other)
    if known.sum() < LEAST_ROWS:
        return False
    return bool(close(made, other)[known].mean() >= KEPT and len(np.unique(other[known & (other != 0)])) > 10)


def close(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Equal up to half of a hundredth or a millionth of the value."""
    return np.abs(a - b) <= np.maximum(0.005, 1e-6 * np.abs(b))
