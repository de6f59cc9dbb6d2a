"""A table whose rows are to be made anomalous, and what is usual in its columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features._reading import read_numbers, read_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.records import Kind, Schema

    Rows = NDArray[np.int64]

USUAL = (0.01, 0.99)
"""The quantiles between which a number is usual."""


@dataclass(frozen=True)
class Table:
    """The rows to spoil, and those that say what is usual."""

    frame: pl.DataFrame
    schema: Schema
    like: pl.DataFrame

    def of_kind(self, *kinds: Kind) -> list[str]:
        """The feature columns of these kinds."""
        return [column.name for column in self.schema.features if column.kind in kinds]

    @cached_property
    def numbers(self) -> dict[str, Number]:
        """The number columns in which something varies."""
        found = {name: Number.of(self.frame[name], self.like[name]) for name in self.of_kind("number")}
        return {name: number for name, number in found.items() if number.span > 0}

    @cached_property
    def clocks(self) -> list[str]:
        """The time columns that know the time of day."""
        times = {name: read_times(self.like[name]) for name in self.of_kind("time")}
        return [name for name, moments in times.items() if _has_clock(moments)]


@dataclass(frozen=True, slots=True)
class Number:
    """A number column: its values in the rows to spoil, and where the usual ones lie."""

    source: pl.Series
    values: NDArray[np.float64]
    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, series: pl.Series, like: pl.Series) -> Number:
        """Read a column; ``like`` says what is usual in it."""
        usual = read_numbers(like).fill_nan(None).drop_nulls().to_numpy()
        usual = usual[np.isfinite(usual)]
        low, high = np.quantile(usual, USUAL) if len(usual) else (0.0, 0.0)
        if len(usual) and not low < high:
            low, high = usual.min(), usual.max()
        values = read_numbers(series).fill_null(np.nan).to_numpy()
        return cls(series, values, float(low), float(high), bool((usual == np.floor(usual)).all()))

    @property
    def span(self) -> float:
        """How far the usual values reach."""
        return self.high - self.low

    def beyond(self, upward: NDArray[np.bool_], reach: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values beyond the range, ``reach`` spans away from its end; a number that is never below 0 stays so."""
        up = upward | (self.low >= 0)
        values = np.where(up, self.high + reach * self.span, self.low - reach * self.span)
        return np.where(up, np.ceil(values), np.floor(values)) if self.whole else values

    def within(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values at these shares of the range."""
        values = self.low + share * self.span
        return np.round(values) if self.whole else values

    def elsewhere(self, rows: Rows, step: NDArray[np.float64]) -> NDArray[np.float64]:
        """Other values of the range, ``step`` of it further on, beginning anew at its end."""
        own = np.nan_to_num((self.values[rows] - self.low) / self.span, nan=0.5, posinf=1.0, neginf=0.0)
        return self.within((np.clip(own, 0.0, 1.0) + step) % 1.0)

    def column(self, rows: Rows, values: NDArray[np.float64], chosen: NDArray[np.bool_]) -> pl.Series:
        """The column in these rows with new values where chosen."""
        made = pl.Series(self.source.name, values)
        made = made.cast(pl.Int64) if self.whole and np.abs(values).max(initial=0.0) < 2.0**62 else made
        return where(self.source[rows], made, chosen)


def where(series: pl.Series, made: pl.Series, chosen: NDArray[np.bool_]) -> pl.Series:
    """The made values where chosen, the old ones elsewhere; text where the column is text."""
    if series.dtype in (pl.String, pl.Categorical, pl.Enum):
        series, made = series.cast(pl.String), made.cast(pl.String)
    both = pl.DataFrame({"made": made, "old": series, "chosen": chosen})
    return both.select(pl.when("chosen").then("made").otherwise("old").alias(series.name)).to_series()


def _has_clock(moments: pl.Series) -> bool:
    if moments.dtype == pl.Time:
        return True
    present = moments.drop_nulls()
    return bool((present != present.dt.truncate("1d")).any())
