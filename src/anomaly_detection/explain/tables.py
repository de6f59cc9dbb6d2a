"""Explanations of rows of a table, with the rows that are like them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.errors import InputError, ParameterError, UnknownNameError
from anomaly_detection.explain.similar import similar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background
    from anomaly_detection.explain.explainer import Explainer
    from anomaly_detection.explain.explanation import Explanation

MOST_OTHERS = 10_000
"""Rows that are looked through for similar ones."""


def explain_rows(
    explainer: Explainer,
    frame: pl.DataFrame,
    rows: Sequence[int],
    native: Callable[[pl.DataFrame], NDArray[np.float32]],
    among: Sequence[int] | None = None,
) -> list[Explanation]:
    """Explain some rows of a frame.

    Parameters
    ----------
    explainer : explains one row.
    frame : the records.
    rows : 0-based, within the frame.
    native : turns records into the native matrix.
    among : rows that similar ones are looked for in; when not given the explained ones and, in a frame of more than
        :data:`MOST_OTHERS` rows, so many of the others, evenly spread.
    """
    others = np.asarray(_others(len(frame), rows) if among is None else among, dtype=np.int64)
    theirs = native(frame[others])
    part = frame[list(rows)]
    found = []
    for number, row, record in zip(rows, native(part), part.iter_rows(named=True), strict=True):
        is_other = others != number
        numbers, alike = others[is_other], theirs[is_other]

        def like(parts: NDArray[np.float64], row: NDArray[np.float32] = row) -> tuple[int, ...]:
            places = similar(row, alike, parts, explainer.background)  # noqa: B023  used before the next turn
            return tuple(int(numbers[place]) for place in places)  # noqa: B023

        found.append(explainer.explain(row, record, number, like))
    return found


def checked_rows(rows: Iterable[int] | None, n: int) -> list[int]:
    """The rows to explain, counted from the front; all when None.

    Raises
    ------
    InputError
        naming the first that is not there.
    """
    if rows is None:
        return list(range(n))
    found = []
    for row in rows:
        try:
            number = operator.index(row)
        except TypeError as error:
            raise InputError(f"Rows are named by whole numbers; got {row!r}.") from error
        if not -n <= number < n:
            raise InputError(f"Row {number} is not in the frame, which has {n:,} rows, counted from 0.")
        found.append(number % n)
    return found


def positions(background: Background, actionable: Iterable[str] | None) -> list[int] | None:
    """The positions of the columns that may be changed; None for all.

    Raises
    ------
    ParameterError
        for one word instead of a list of them.
    UnknownNameError
        for a column that the model does not use.
    """
    if actionable is None:
        return None
    if isinstance(actionable, str):
        raise ParameterError(f"actionable is a list of columns, such as [{actionable!r}]; got {actionable!r}.")
    places = {name: place for place, name in enumerate(background.names)}
    for name in actionable:
        if name not in places:
            raise UnknownNameError("column", name, places)
    return sorted({places[name] for name in actionable})


def _others(n: int, rows: Sequence[int]) -> NDArray[np.int64]:
    spread = np.arange(n) if n <= MOST_OTHERS else np.linspace(0, n - 1, MOST_OTHERS).astype(np.int64)
    return np.union1d(spread, np.asarray(rows, dtype=np.int64))
