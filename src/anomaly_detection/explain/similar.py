"""Rows that are like one row in the columns that make it anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background

ALIKE = 0.25
"""How far off a similar row may be, in [0, 1]."""

MOST = 5
"""How many similar rows are named."""


def similar(
    row: NDArray[np.float32], others: NDArray[np.float32], parts: NDArray[np.float64], background: Background
) -> list[int]:
    """The positions of the rows that are most like a row where it is anomalous, most alike first.

    Two numbers are as far apart as their difference is of their distances from the middle together (Lance & Williams
    1967): 0 when they are equal, 1 when they lie on different sides. A column counts by its contribution.

    Parameters
    ----------
    row : (d,) native.
    others : (m, d) native, without the row itself.
    parts : (columns,) how much each column adds to the score of the row.
    background : knows the middle of each column.
    """
    adds = np.maximum(parts, 0.0)
    if not len(others) or not adds.sum() > 0:
        return []
    weights = (adds / adds.sum())[background.column_of] * background.space.shares
    used = np.flatnonzero(weights > 0)
    away = _apart(row[used], others[:, used], background.reference[used], _categories(background)[used])
    distance = away @ weights[used]
    order = np.argsort(distance, kind="stable")[:MOST]
    return [int(place) for place in order if distance[place] <= ALIKE]


def _categories(background: Background) -> NDArray[np.bool_]:
    return background.space.n_categories > 0


def _apart(
    row: NDArray[np.float32],
    others: NDArray[np.float32],
    middle: NDArray[np.float32],
    is_category: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(m, d) in [0, 1], how far apart the values are."""
    own, theirs, centre = row.astype(np.float64), others.astype(np.float64), np.nan_to_num(middle.astype(np.float64))
    apart, reach = np.abs(own - theirs), np.abs(own - centre) + np.abs(theirs - centre)
    with np.errstate(invalid="ignore"):
        share = np.where(apart == 0, 0.0, apart / np.where(reach > 0, reach, 1.0))
    both_missing = np.isnan(own) & np.isnan(theirs)
    either = np.isnan(own) | np.isnan(theirs) | is_category
    equal = both_missing | (own == theirs)
    return np.where(either, np.where(equal, 0.0, 1.0), np.nan_to_num(share, nan=1.0))
