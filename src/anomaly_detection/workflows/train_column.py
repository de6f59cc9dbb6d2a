"""A column that says which rows to fit on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

YES = ("true", "yes", "t", "y", "1", "1.0")
NO = ("false", "no", "f", "n", "0", "0.0")


def chosen_rows(frame: pl.DataFrame, column: str) -> NDArray[np.bool_]:
    """(n,) where a column of booleans, of 0 and 1, or of yes and no, is true; a missing value is not.

    Raises
    ------
    InputError
        showing the values that are neither.

    >>> chosen_rows(pl.DataFrame({"fit": ["yes", "No", None]}), "fit")
    array([ True, False, False])
    """
    words = frame[column].cast(pl.String).str.strip_chars().str.to_lowercase()
    odd = words.filter(words.is_not_null() & ~words.is_in([*YES, *NO])).unique().sort()
    if len(odd):
        raise InputError(
            f"--train-column {column}: it has to say true or false (also yes and no, 1 and 0) for every row; "
            f"found {quoted(odd, most=4)}."
        )
    return words.is_in(YES).fill_null(value=False).to_numpy()
