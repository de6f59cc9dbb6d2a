"""Parts of a table: which value of which column is guilty of a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.quality.columns import as_text, type_words
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_PARTS = 50
"""How many values of a column are kept; the others are one part together."""

OTHERS = "(others)"

Part: TypeAlias = "dict[str, Any]"
"""``{"rows": n, "filled": {column: n}, "sum": {column: total}}`` of the rows with one value; sums of numbers only."""

Segments: TypeAlias = "dict[str, dict[str, Part]]"
"""The parts of a table by column and value."""


@dataclass(frozen=True, slots=True)
class Guilt:
    """The part of a table that a change came from.

    Parameters
    ----------
    column, value : which part.
    share : how much of the change it makes up; above 1 where others made up for some of it.
    rows, rows_before : its share of all rows, now and before.
    """

    column: str
    value: str
    share: float
    rows: float
    rows_before: float

    def words(self) -> str:
        """For people."""
        return (
            f"{min(self.share, 1):.0%} of it comes from {self.column} = {self.value!r} "
            f"({self.rows:.1%} of the rows, {self.rows_before:.1%} before)"
        )


def segments_of(frame: pl.DataFrame, columns: Sequence[str]) -> Segments:
    """Add up the numbers of each part of a table.

    Raises
    ------
    SchemaError
        for a column that is not there.
    """
    check_segments(frame, columns)
    return {name: _parts(frame, name) for name in columns}


def check_segments(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a column that a table cannot be parted by, for it is not there; raises SchemaError."""
    missing = next((name for name in columns if name not in frame.columns), None)
    if missing is not None:
        raise SchemaError(f"There is no column {missing!r} to part the table by; there are {quoted(frame.columns)}.")


def frequent_values(texts: pl.Series) -> list[str]:
    """The values that get a part of their own, the most frequent first."""
    return texts.rename("value").value_counts(sort=True)["value"].head(MOST_PARTS).to_list()


def _parts(frame: pl.DataFrame, column: str) -> dict[str, Part]:
    texts = as_text(frame[column])
    frequent = frequent_values(texts)
    group = (
        pl.Series("group", texts)
        .to_frame()
        .select(pl.when(pl.col("group").is_in(frequent)).then(pl.col("group")).otherwise(pl.lit(OTHERS)))["group"]
    )
    others = [name for name in frame.columns if name != column]
    numbers = [name for name in others if type_words(frame[name].dtype) == "number"]
    made = frame.select(
        group.alias("\0"),
        *[_present(frame[name]).alias(f"f{place}") for place, name in enumerate(others)],
        *[pl.col(name).cast(pl.Float64).fill_nan(None).alias(f"s{place}") for place, name in enumerate(numbers)],
    )
    sums = made.group_by("\0", maintain_order=True).agg(pl.len().alias("n"), pl.all().sum())
    return {
        row["\0"]: {
            "rows": row["n"],
            "filled": {name: int(row[f"f{place}"]) for place, name in enumerate(others)},
            "sum": {name: float(row[f"s{place}"]) for place, name in enumerate(numbers)},
        }
        for row in sums.iter_rows(named=True)
    }


def _present(series: pl.Series) -> pl.Series:
    present = series.is_not_null() & series.is_not_nan() if series.dtype.is_float() else series.is_not_null()
    return (present & (series != "")) if series.dtype == pl.String else present


def merged_segments(all_: Sequence[Segments]) -> Segments:
    """The parts of several tables together."""
    merged: Segments = {}
    for segments in all_:
        for column, parts in segments.items():
            for value, part in parts.items():
                there = merged.setdefault(column, {}).setdefault(value, {"rows": 0, "filled": {}, "sum": {}})
                there["rows"] += part["rows"]
                for kind in ("filled", "sum"):
                    for name, number in part[kind].items():
                        there[kind][name] = there[kind].get(name, 0) + number
    return merged


def guilty(now: Segments, before: Segments, column: str, what: str) -> Guilt | None:
    """The part of a table that makes up most of a change, if one makes up half of it and is not most of the table.

    Parameters
    ----------
    now, before : parts of the table by the same columns.
    column : where the change is.
    what : ``mean``, ``missing`` or ``rows``.
    """
    found: list[Guilt] = []
    for by in now:
        if by != column and by in before:
            found += _shares(by, now[by], before[by], column, what)
    found = [one for one in found if one.share >= 0.5 and max(one.rows, one.rows_before) < 0.9 * min(one.share, 1.0)]
    return max(found, key=lambda one: min(one.share, 1.0) - max(one.rows, one.rows_before), default=None)


def _shares(by: str, now: dict[str, Part], before: dict[str, Part], column: str, what: str) -> list[Guilt]:
    sums, weights = _measured(now, column, what)
    old_sums, old_weights = _measured(before, column, what)
    total, old_total = sum(weights.values()), sum(old_weights.values())
    if not total or not old_total:
        return []
    middle = sum(old_sums.values()) / old_total
    moved = sum(sums.values()) / total - middle
    if moved == 0:
        return []
    made = []
    for value in {**now, **before}:
        weight, old = weights.get(value, 0) / total, old_weights.get(value, 0) / old_total
        here = sums.get(value, 0.0) / total - weight * middle
        there = old_sums.get(value, 0.0) / old_total - old * middle
        made.append(Guilt(by, value, (here - there) / moved, weight, old))
    return made


def _measured(parts: dict[str, Part], column: str, what: str) -> tuple[dict[str, float], dict[str, float]]:
    """What is added up of each part, and what it is divided by."""
    if what == "mean":
        return (
            {value: part["sum"].get(column, 0.0) for value, part in parts.items()},
            {value: part["filled"].get(column, 0) for value, part in parts.items()},
        )
    return (
        {value: part["rows"] - part["filled"].get(column, part["rows"]) for value, part in parts.items()},
        {value: part["rows"] for value, part in parts.items()},
    )


def guilty_rows(now: Mapping[str, Mapping[str, float]], before: Mapping[str, Mapping[str, float]]) -> Guilt | None:
    """The part that makes up most of a change in the number of rows, as :func:`guilty`.

    Parameters
    ----------
    now : rows of each part, by column and value.
    before : the same for a usual run.

    >>> guilty_rows({"region": {"eu": 100, "us": 10}}, {"region": {"eu": 102.0, "us": 95.0}}).value
    'us'
    """
    made = [one for column in now for one in _row_shares(column, now[column], before.get(column, {}))]
    made = [one for one in made if one.share >= 0.5 and one.rows_before < 0.9 * min(one.share, 1.0)]
    return max(made, key=lambda one: min(one.share, 1.0) - one.rows_before, default=None)


def _row_shares(column: str, now: Mapping[str, float], before: Mapping[str, float]) -> list[Guilt]:
    total, usual = sum(now.values()), sum(before.values())
    moved = total - usual
    if not usual or not moved:
        return []
    return [
        Guilt(
            column, value, (now.get(value, 0) - before.get(value, 0.0)) / moved, now.get(value, 0) / max(total, 1), part
        )
        for value, part in ((value, before.get(value, 0.0) / usual) for value in {**now, **before})
    ]
