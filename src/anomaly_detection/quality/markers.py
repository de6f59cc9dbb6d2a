"""What people write where there is no value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

_NOTHING = r"^[\s\-–—_.?*/]*$"
_WORD = r"(?i)^\s*(?:null|none|nan|nat|#?n/a|n\.a\.|na|nil|missing|<na>|\\n|undefined|unknown)\s*$"


def is_missing(values: pl.Series) -> NDArray[np.bool_]:
    """Which texts say that there is no value: empty, a dash or a question mark, NULL, N/A and the like.

    >>> import polars as pl
    >>> is_missing(pl.Series(["", " ", "-", "N/A", "NULL", "0", "no"])).tolist()
    [True, True, True, True, True, False, False]
    """
    return np.asarray(values.str.contains(_NOTHING) | values.str.contains(_WORD))


def is_marker(values: pl.Series) -> NDArray[np.bool_]:
    """Which texts say so in writing, so that a reader who does not know the marker takes it for a value."""
    return np.asarray(is_missing(values) & (values.str.strip_chars() != "").to_numpy())
