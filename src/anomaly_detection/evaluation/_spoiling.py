"""How rows of a table are made anomalous: one class for each kind.

Each names the columns it can use and gives new columns for the chosen rows. Numbers come out as numbers, or as text
where the column is text; the frame takes the wider type of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from anomaly_detection.evaluation._spoilt_table import Table, where
from anomaly_detection.features._reading import read_times, read_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.evaluation._spoilt_table import Rows

RARE_SHARE = 0.02
"""A word in at most this share of the rows is rare."""

MOST_MISSING = 0.5
"""A column that is empty in more rows than this says nothing when it is empty."""

HOURS = (3, 21)
"""A clock is put forward by at least and at most so many hours."""


class Spoiler(Protocol):
    """Makes rows anomalous in one way."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """The columns it can use; none if it cannot be used."""

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """New columns for the chosen rows."""


class Extreme:
    """One or a few numbers beyond their range."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """Numbers."""
        return list(table.numbers)

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """Between a tenth of the range and the whole range away from its end."""
        chosen = _some(rng, len(rows), len(table.numbers))
        found = []
        for number, these in zip(table.numbers.values(), chosen.T, strict=True):
            upward, reach = rng.random(len(rows)) < 0.5, rng.uniform(0.1, 1.0, len(rows))
            found.append(number.column(rows, number.beyond(upward, reach), these))
        return found


class Local:
    """Values that others have, in the wrong row."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """Numbers, words, booleans and clocks, if there are two of them: one has to be wrong beside another."""
        found = [*table.numbers, *table.of_kind("category", "boolean"), *table.clocks]
        return found if len(table.schema.features) > 1 else []

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """At least a quarter of the range away, another row's word, or another time of the day."""
        names = Local.columns(table)
        chosen = dict(zip(names, _some(rng, len(rows), len(names)).T, strict=True))
        return [_misplaced(table, name, rows, rng, chosen[name]) for name in names]


class Cluster:
    """Rows that are nearly the same, away from the others."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """Numbers."""
        return list(table.numbers)

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """A third of the numbers just beyond their range, the others anywhere in it; all else as in one row."""
        names = list(table.numbers)
        outside = rng.permutation(len(names)) < max(1, len(names) // 3)
        every = np.ones(len(rows), dtype=np.bool_)
        found = []
        for number, far in zip(table.numbers.values(), outside, strict=True):
            noise = rng.normal(0.0, 0.02, len(rows))
            upward = np.full(len(rows), rng.random() < 0.5)
            values = number.beyond(upward, np.abs(0.15 + noise)) if far else number.within(rng.random() + noise)
            found.append(number.column(rows, values, every))
        others = [column.name for column in table.schema.features if column.name not in table.numbers]
        pattern = np.full(len(rows), rng.integers(len(table.frame)))
        return [*found, *(table.frame[name][pattern] for name in others)]


class Dependency:
    """Every value from another row."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """All, if there are at least two."""
        names = table.schema.feature_names
        return names if len(names) > 1 else ()

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """Each column drawn by itself."""
        names = table.schema.feature_names
        return [table.frame[name][rng.integers(len(table.frame), size=len(rows))] for name in names]


class Category:
    """A word that is rare or was never seen."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """Categories."""
        return table.of_kind("category")

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """The rarest word of the column in every other case, where there is a rare one; else a new word."""
        names = Category.columns(table)
        chosen = _some(rng, len(rows), len(names))
        return [_odd_words(table, name, rows, rng, these) for name, these in zip(names, chosen.T, strict=True)]


class Missing:
    """Values left out."""

    @staticmethod
    def columns(table: Table) -> Sequence[str]:
        """The columns that usually have a value."""
        names = table.schema.feature_names
        return [name for name in names if table.like[name].null_count() <= MOST_MISSING * len(table.like)]

    @staticmethod
    def spoil(table: Table, rows: Rows, rng: np.random.Generator) -> list[pl.Series]:
        """One or a few columns left empty in each row."""
        names = Missing.columns(table)
        chosen = _some(rng, len(rows), len(names))
        return [
            table.frame[name][rows].set(pl.Series(these), None) for name, these in zip(names, chosen.T, strict=True)
        ]


SPOILERS: Mapping[str, type[Spoiler]] = {
    "extreme": Extreme,
    "local": Local,
    "cluster": Cluster,
    "dependency": Dependency,
    "category": Category,
    "missing": Missing,
}


def _some(rng: np.random.Generator, n_rows: int, n_columns: int) -> NDArray[np.bool_]:
    """(n_rows, n_columns) which columns are spoilt in which row: at least one, at most a third of them."""
    counts = rng.integers(1, max(1, n_columns // 3) + 1, size=n_rows)
    order = rng.random((n_rows, n_columns)).argsort(axis=1).argsort(axis=1)
    found: NDArray[np.bool_] = order < counts[:, None]
    return found


def _misplaced(table: Table, name: str, rows: Rows, rng: np.random.Generator, chosen: NDArray[np.bool_]) -> pl.Series:
    if name in table.numbers:
        number = table.numbers[name]
        return number.column(rows, number.elsewhere(rows, rng.uniform(0.25, 0.75, len(rows))), chosen)
    if name in table.clocks:
        return where(table.frame[name][rows], _put_forward(table.frame[name][rows], rng), chosen)
    return where(table.frame[name][rows], _another_word(table.frame[name], rows, rng), chosen)


def _another_word(series: pl.Series, rows: Rows, rng: np.random.Generator) -> pl.Series:
    """For each row the word of another row, a different one where there is one."""
    drawn = series[rng.integers(len(series), size=len(rows))]
    own = series[rows]
    for _ in range(3):
        same = (drawn.eq_missing(own)).to_numpy()
        drawn = where(drawn, series[rng.integers(len(series), size=len(rows))], same)
    return drawn


def _odd_words(table: Table, name: str, rows: Rows, rng: np.random.Generator, chosen: NDArray[np.bool_]) -> pl.Series:
    words = read_words(table.like[name]).drop_nulls()
    counts = words.alias("word").value_counts(sort=True)
    rarest = counts[-1]
    new = _new_words(table.like[name], words, rng.integers(1, 100, len(rows)))
    if rarest["count"][0] <= RARE_SHARE * len(table.like):
        seen = table.like[name].filter(read_words(table.like[name]) == rarest["word"][0])
        new = where(seen[np.zeros(len(rows), dtype=np.int64)], new, rng.random(len(rows)) < 0.5)
    return where(table.frame[name][rows], new, chosen)


def _new_words(series: pl.Series, words: pl.Series, numbers: NDArray[np.int64]) -> pl.Series:
    """Words, or numbers where the words are numbers, that no row has."""
    if series.dtype.is_numeric():
        return pl.Series(series.name, int(series.cast(pl.Float64).max() or 0) + numbers)  # type: ignore[arg-type]
    stem = "new"
    while words.str.starts_with(stem).any():
        stem += "-"
    return pl.Series(series.name, [f"{stem}{number}" for number in numbers])


def _put_forward(series: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Another time of the same day."""
    moments = read_times(series)
    hours = pl.Series(rng.uniform(*HOURS, len(series)) * 3600e6).cast(pl.Int64)
    day = 24 * 3600 * 10**6
    if moments.dtype == pl.Time:
        turned = ((moments.cast(pl.Int64) // 1000 + hours) % day * 1000).cast(pl.Time)
        return turned.dt.to_string("%H:%M:%S") if series.dtype == pl.String else turned
    since = moments.cast(pl.Int64)
    turned = (since // day * day + (since % day + hours) % day).cast(pl.Datetime("us"))
    if series.dtype != pl.Datetime:
        return turned.dt.to_string("%Y-%m-%d %H:%M:%S")
    zone = getattr(series.dtype, "time_zone", None)
    return (turned.dt.replace_time_zone("UTC").dt.convert_time_zone(zone) if zone else turned).cast(series.dtype)
