"""What one column of earlier tables looked like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.quality.shapes import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

MOST_SHAPES, MOST_VALUES, MOST_TABLES = 64, 200, 100

REPEATED = 0.2
"""With more distinct values a row than this, others are to be expected."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of earlier tables.

    Parameters
    ----------
    type : ``number``, ``text``, ``time``, ``boolean`` or ``nested``.
    filled : how many rows had a value.
    missing : the share of missing values of each table, the oldest first.
    shapes, values : how often each occurred; None where there were too many to keep.
    lowest, highest : the range of the numbers; None for no numbers.
    width : how wide the middle 98 % of them are in the table where they are widest.
    longest : the most characters of a value.
    """

    type: str
    filled: int
    missing: tuple[float, ...]
    shapes: dict[str, int] | None
    values: dict[str, int] | None
    lowest: float | None
    highest: float | None
    width: float | None
    longest: int

    @property
    def known_values(self) -> dict[str, int] | None:
        """The values, where they are few enough to be all there are."""
        return None if self.values is None or len(self.values) > REPEATED * self.filled else self.values


def profiled(column: CodedColumn) -> ColumnProfile:
    """Learn a column of one table."""
    numbers = column.numbers[column.codes] if column.is_numeric else np.empty(0)
    numbers = numbers[np.isfinite(numbers)]
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (None, None)
    width = float(np.subtract(*np.quantile(numbers, (0.99, 0.01)))) if len(numbers) else None
    kept = np.flatnonzero(~column.missing)
    texts = column.texts.gather(kept)
    return ColumnProfile(
        type=column.type,
        filled=column.filled,
        missing=(1 - column.filled / column.rows if column.rows else 1.0,),
        shapes=counted_groups(runs(texts), column.counts[kept], MOST_SHAPES),
        values=counted_groups(texts, column.counts[kept], MOST_VALUES),
        lowest=low,
        highest=high,
        width=width,
        longest=int(column.values.str.len_chars().to_numpy().max(initial=0)),
    )


def counted_groups(groups: pl.Series, counts: NDArray[np.int64], most: int) -> dict[str, int] | None:
    """How often each group occurs; None where there are more than ``most``."""
    if groups.n_unique() > most:
        return None
    frame = pl.DataFrame({"group": groups, "count": counts})
    return dict(frame.group_by("group", maintain_order=True).agg(pl.col("count").sum()).iter_rows())


def merged_columns(parts: Sequence[ColumnProfile]) -> ColumnProfile:
    """A column of several tables, the oldest first."""
    return ColumnProfile(
        type=parts[-1].type,
        filled=sum(part.filled for part in parts),
        missing=tuple(chain.from_iterable(part.missing for part in parts))[-MOST_TABLES:],
        shapes=added_up([part.shapes for part in parts], MOST_SHAPES),
        values=added_up([part.values for part in parts], MOST_VALUES),
        lowest=min((part.lowest for part in parts if part.lowest is not None), default=None),
        highest=max((part.highest for part in parts if part.highest is not None), default=None),
        width=max((part.width for part in parts if part.width is not None), default=None),
        longest=max(part.longest for part in parts),
    )


def added_up(parts: Sequence[Mapping[str, int] | None], most: int) -> dict[str, int] | None:
    """Counts of several tables together; None where there are more than ``most``."""
    total: dict[str, int] = {}
    for part in parts:
        for group, count in () if part is None else part.items():
            total[group] = total.get(group, 0) + count
    return None if None in parts or len(total) > most else total
