"""Columns of a table as codes of their distinct values, so that a value is looked at once however often it occurs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.quality.markers import is_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 512
"""Characters of a value that its shape is made of; values are told apart by all of theirs."""


@dataclass(frozen=True, eq=False)
class CodedColumn:
    """One column of a table of n rows with u distinct values.

    Parameters
    ----------
    name : as in the table.
    type : as the table has it, in words.
    codes : (n,) which distinct value a row has.
    values : (u,) the distinct values as text; what is missing is "".
    counts : (u,) how often each occurs.
    missing : (u,) whether a value says that there is none.
    """

    name: str
    type: str
    codes: NDArray[np.int64]
    values: pl.Series
    counts: NDArray[np.int64]
    missing: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(self.codes)

    @property
    def distinct(self) -> int:
        """How many distinct values there are that are not missing."""
        return int((~self.missing).sum())

    @cached_property
    def filled(self) -> int:
        """How many rows have a value."""
        return int(self.counts[~self.missing].sum())

    @cached_property
    def texts(self) -> pl.Series:
        """(u,) the beginnings of the values."""
        return self.values.str.head(LONGEST)

    @cached_property
    def numbers(self) -> NDArray[np.float64]:
        """(u,) the values as numbers, NaN for those that are none."""
        found = self.texts.str.strip_chars().cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy().copy()
        found[~np.isfinite(found) | self.missing] = np.nan
        return found

    @cached_property
    def is_numeric(self) -> bool:
        """Whether four of five values are numbers."""
        return bool(self.filled) and self.counts[~np.isnan(self.numbers)].sum() >= 0.8 * self.filled

    @cached_property
    def uniqueness(self) -> float:
        """Distinct values for each row that has one."""
        return self.distinct / self.filled if self.filled else 0.0

    def head(self, rows: int) -> CodedColumn:
        """The column of the first rows alone."""
        codes = self.codes[:rows]
        counts = np.bincount(codes, minlength=len(self.counts))
        return CodedColumn(self.name, self.type, codes, self.values, counts, self.missing)


def coded(series: pl.Series) -> CodedColumn:
    """Code a column of any type; nested values are told apart by their JSON text."""
    texts = as_text(series)
    values = texts.unique(maintain_order=True).rename("value")
    numbered = values.to_frame().with_row_index("code")
    joined = texts.rename("value").to_frame().join(numbered, on="value", how="left", maintain_order="left")
    codes = joined["code"].to_numpy().astype(np.int64)
    counts = np.bincount(codes, minlength=len(values))
    return CodedColumn(series.name, type_words(series.dtype), codes, values, counts, is_missing(values))


def as_text(series: pl.Series) -> pl.Series:
    """A column as text, "" where it is null."""
    if series.dtype.is_nested():
        made = pl.Series(series.name, [None if one is None else str(one) for one in series.to_list()], dtype=pl.String)
    elif series.dtype in (pl.Binary, pl.Object):
        made = pl.Series(series.name, [None if one is None else repr(one) for one in series.to_list()], dtype=pl.String)
    elif series.dtype.is_float():
        made = series.fill_nan(None).cast(pl.String)
    else:
        made = series.cast(pl.String)
    return made.fill_null("")


def type_words(dtype: pl.DataType) -> str:
    """What a column holds, in a word.

    >>> type_words(pl.Int32()), type_words(pl.String()), type_words(pl.Boolean())
    ('number', 'text', 'boolean')
    """
    if dtype.is_numeric():
        return "number"
    if dtype.is_temporal():
        return "time"
    return "boolean" if dtype == pl.Boolean else "nested" if dtype.is_nested() else "text"
