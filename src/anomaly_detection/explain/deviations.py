"""In which way a column is off, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from anomaly_detection.explain.reasons import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background
    from anomaly_detection.explain.reasons import Reason

Deviation = Literal["high", "low", "unseen", "rare", "missing", "odd", "usual"]
"""Above or below the normal range; a value never or rarely seen; missing; other words or times than usual; none."""

RARE = 0.05
"""A value that fewer of the normal rows have is rare."""

MANY = 0.5
"""Where the named columns have less than this share of the contributions, the row is off as a whole."""


def deviation(row: NDArray[np.float32], background: Background, column: int) -> Deviation:
    """In which way a column of a native row is off."""
    group = list(background.space.columns().values())[column]
    if len(group) > 1:
        return _of_several(row[group], background, group)
    place, value = group[0], row[group[0]]
    others = background.rows[:, place]
    if np.isnan(value):
        return "missing" if np.isnan(others).mean() < RARE else "usual"
    feature = background.space.features[place]
    if feature.kind == "category":
        return _of_code(value, others, feature.n_categories)
    return _of_number(value, others, background.limits[:, place])


def _of_code(value: np.float32, others: NDArray[np.float32], n_categories: int) -> Deviation:
    if value >= n_categories:
        return "unseen"
    return "rare" if (others == value).mean() < RARE else "usual"


def _of_number(value: np.float32, others: NDArray[np.float32], limits: NDArray[np.float32]) -> Deviation:
    if limits[0] <= value <= limits[1]:
        return "usual"
    if np.isnan(limits).any() or np.isnan(others).mean() > 1 - RARE:
        return "rare"
    return "high" if value > limits[1] else "low"


def _of_several(values: NDArray[np.float32], background: Background, group: Sequence[int]) -> Deviation:
    """A column that was turned into several features."""
    if np.isnan(values).all():
        return "missing" if np.isnan(background.rows[:, group]).all(axis=1).mean() < RARE else "usual"
    low, high = background.limits[:, group]
    return "odd" if ((values < low) | (values > high)).any() else "usual"


def recommendation(reasons: Sequence[Reason], kinds: Mapping[str, Deviation]) -> str:
    """One plain sentence: what to check.

    >>> from anomaly_detection.explain.reasons import Reason
    >>> recommendation([Reason("amount", 9000.0, 0.2, "5 to 120", 0.9)], {"amount": "high"})
    'Check amount: it lies above what is normal.'
    """
    if not reasons:
        return "Compare the record with normal ones as a whole: no column stands out."
    if sum(reason.share for reason in reasons) < MANY:
        named = listed([reason.column for reason in reasons])
        return f"Check the record as a whole: many columns are off a little, {named} most."
    off = next((name for name, kind in kinds.items() if kind != "usual"), None)
    if off is None:
        return f"Check {listed(list(kinds))} together with the rest: usual values, but a rare combination."
    return _ADVICE[kinds[off]].format(column=off)


_ADVICE: Mapping[Deviation, str] = {
    "high": "Check {column}: it lies above what is normal.",
    "low": "Check {column}: it lies below what is normal.",
    "unseen": "Check {column}: this value was never seen in training; it is new or mistyped.",
    "rare": "Check {column}: few normal records have this value.",
    "missing": "Find out why {column} is missing: normal records have it.",
    "odd": "Check {column}: it is unlike that of normal records.",
}
