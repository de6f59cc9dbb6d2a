"""Which rows moved a mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.quality.table_profile import as_numbers
from anomaly_detection.records import counted

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 1_000
"""How many rows are named."""

FEW = 0.2
"""A change that more than this share of the rows made is one of all rows."""


def moved_rows(column: pl.Series, expected: tuple[float, float]) -> tuple[int, ...]:
    """The fewest rows without which the mean is within a range; none where it takes a fifth of all.

    Parameters
    ----------
    column : numbers.
    expected : the lowest and the highest mean that is no anomaly.

    >>> import polars as pl
    >>> moved_rows(pl.Series([1.0, 2.0, 900.0, 1.5] + [1.2] * 20), (1.0, 2.0))
    (2,)
    """
    values = as_numbers(column).to_numpy()
    present = np.flatnonzero(~np.isnan(values))
    if not len(present):
        return ()
    numbers = values[present]
    mean = numbers.mean()
    bound = expected[1] if mean > expected[1] else expected[0]
    order = np.argsort(-numbers if mean > bound else numbers, kind="stable")
    left = len(numbers) - np.arange(1, len(numbers))
    means = (numbers.sum() - np.cumsum(numbers[order])[:-1]) / left
    back = means <= bound if mean > bound else means >= bound
    if not back.any() or back.argmax() + 1 > FEW * len(numbers):
        return ()
    return tuple(np.sort(present[order[: back.argmax() + 1]])[:MOST_ROWS].tolist())


def moved_words(rows: tuple[int, ...], total: int) -> str:
    """What to say of them."""
    if not rows:
        return ""
    shown = ", ".join(str(row) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    number = f"these {len(rows):,} rows" if len(rows) > 1 else "this row"
    return f"; {number} of {counted(total, 'row')} moved it: {shown}"
