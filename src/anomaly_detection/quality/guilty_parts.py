"""Parts of one table: which value of which column has most of the rows with a problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from anomaly_detection.quality.columns import as_text
from anomaly_detection.quality.segments import check_segments, frequent_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.answer import Finding

ALPHA = 0.01
"""How probable it is that a part is named though the rows with a problem are spread like all others."""


@dataclass(frozen=True, slots=True)
class GuiltyParts:
    """The parts of a table, by the values of columns.

    Parameters
    ----------
    rows : how many rows the table has.
    codes : (rows,) for each column the number of each row's value among ``values``; -1 for a rare one.
    values : for each column its most frequent values.
    """

    rows: int
    codes: Mapping[str, NDArray[np.int64]]
    values: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, frame: pl.DataFrame, columns: Sequence[str]) -> Self:
        """Part a table; a missing value is a part, too.

        Raises
        ------
        SchemaError
            for a column that is not there.
        """
        check_segments(frame, columns)
        codes, values = {}, {}
        for name in columns:
            texts = as_text(frame[name]).fill_null("")
            frequent = frequent_values(texts)
            places = pl.Series(range(len(frequent)), dtype=pl.Int64)
            codes[name] = texts.replace_strict(frequent, places, default=-1, return_dtype=pl.Int64).to_numpy()
            values[name] = frequent
        return cls(len(frame), codes, values)

    def guilty(self, rows: NDArray[np.int64], column: str = "") -> str:
        """The part that has half of some rows and far more of them than its size, in words; ``""`` for none.

        Parameters
        ----------
        rows : (n,) the rows with a problem.
        column : the column that has the problem; it parts nothing.
        """
        found = [one for by in self.codes if by != column for one in self._shares(by, rows)]
        if not found:
            return ""
        share, size, by, value = max(found, key=lambda one: one[0] - one[1])
        return f"{share:.0%} of them have {by} = {value!r} ({size:.1%} of the rows)"

    def _shares(self, by: str, rows: NDArray[np.int64]) -> Iterable[tuple[float, float, str, str]]:
        """Each part that stands out: its share of these rows and of all, its column and value."""
        from scipy.stats import binom  # noqa: PLC0415 - heavy, and seldom needed

        codes, count = self.codes[by], len(self.values[by])
        sizes = np.bincount(codes[codes >= 0], minlength=count) / max(self.rows, 1)
        here = codes[rows]
        met = np.bincount(here[here >= 0], minlength=count)
        chance = binom.sf(met - 1, len(rows), sizes) * max(sum(map(len, self.values.values())), 1)
        for k in np.flatnonzero((2 * met >= len(rows)) & (met > 0) & (chance <= ALPHA)).tolist():
            if sizes[k] < 0.9 * met[k] / len(rows):
                yield met[k] / len(rows), float(sizes[k]), by, self.values[by][k]


def blamed(finding: Finding, rows: NDArray[np.int64], parts: GuiltyParts | None) -> Finding:
    """A finding that says which part of the table is guilty, where one is."""
    words = "" if parts is None else parts.guilty(rows, finding.column)
    if not words:
        return finding
    return replace(finding, guilty=words, message=f"{finding.message.removesuffix('.')}; {words}.")
