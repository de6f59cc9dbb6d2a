"""How surprising a missing value, a category or a tail is, counted on training rows only.

One rule everywhere: the row at hand is counted in, so that what ``count`` of ``n`` training rows show has probability
(count + 1) / (n + 1), which is never 0, and surprise -log of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def surprise(count: ArrayLike, n: int) -> NDArray[np.float64]:
    """-log of the probability of what ``count`` of ``n`` training rows show.

    >>> surprise([9, 0], 9).round(3).tolist()
    [0.0, 2.303]
    """
    found: NDArray[np.float64] = np.log((n + 1.0) / (np.asarray(count, dtype=np.float64) + 1.0))
    return found


def missing_surprise(column: NDArray[np.float32]) -> float:
    """What a missing value scores: the rarer missingness was in training, the more."""
    return float(surprise(np.isnan(column).sum(), len(column)))


def present_surprise(column: NDArray[np.float32]) -> float:
    """What a value scores for being there at all: nothing unless most were missing in training."""
    return float(surprise((~np.isnan(column)).sum(), len(column)))


def category_counts(column: NDArray[np.float32], n_categories: int) -> NDArray[np.int64]:
    """(n_categories,) how often each code occurs."""
    codes = column[~np.isnan(column)].astype(np.int64)
    return np.bincount(codes[codes < n_categories], minlength=n_categories).astype(np.int64)


def category_surprises(column: NDArray[np.float32], n_categories: int) -> NDArray[np.float64]:
    """(n_categories + 2,) surprise of a missing value, of each code, and of an unseen value.

    A category is as surprising as it is rarer than the most common one, so that a feature whose categories are all
    alike says nothing; one never seen has Laplace's count of 1 where the others have one more than they were seen.

    >>> category_surprises(np.float32([0, 0, 0, 0, 0, 0, 1, 1, 2]), 3).round(2).tolist()
    [2.3, 0.0, 0.85, 1.25, 1.95]
    """
    heights = np.concatenate([category_counts(column, n_categories), [0]]) + 1.0
    present = present_surprise(column) + np.log(heights.max() / heights)
    return np.concatenate([[missing_surprise(column)], present])


def joined(stretches: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Arrays end to end, and where each begins: (total,) and (len + 1,)."""
    arrays = [np.asarray(stretch, dtype=np.float64).ravel() for stretch in stretches]
    starts = np.concatenate([[0], np.cumsum([array.size for array in arrays])]).astype(np.int64)
    return np.concatenate([np.empty(0), *arrays]), starts


@dataclass(frozen=True, slots=True)
class Tails:
    """The two tails of one feature's training values, frozen.

    Parameters
    ----------
    knots : (k,) ascending values.
    left : (k + 1,) surprise of at most a value; entry i for a value with i knots at most it.
    right : (k + 1,) surprise of at least a value; entry i for a value with i knots below it.
    """

    knots: NDArray[np.float64]
    left: NDArray[np.float64]
    right: NDArray[np.float64]


def tails_of(column: NDArray[np.float32] | NDArray[np.float64], points: int) -> Tails:
    """Freeze the tails of a column, NaN left out but counted among its rows.

    Exact when there are at most ``points`` distinct values. Otherwise about ``points`` of them are kept, all of the
    extreme ones and geometrically fewer towards the middle, so that a surprise is at most 2 log(n / 2) / ``points``
    (and rounding to whole ranks) above the exact one.

    >>> tails_of(np.float64([1, 2, 2, 5]), 100).knots.tolist()
    [1.0, 2.0, 5.0]
    """
    values = np.sort(column[~np.isnan(column)])
    ends = np.flatnonzero(np.append(values[1:] != values[:-1], True)) if values.size else np.empty(0, dtype=np.int64)
    starts = np.append(0, ends + 1)[: ends.size]
    if ends.size > points:
        kept = np.unique(np.searchsorted(ends, kept_ranks(values.size, points)))
        starts, ends = starts[kept], ends[kept]
    left = surprise([0, *(ends + 1)], len(column))
    right = surprise([*(values.size - starts), 0], len(column))
    return Tails(values[ends].astype(np.float64), left, right)


@lru_cache(maxsize=8)
def kept_ranks(n: int, points: int) -> NDArray[np.int64]:
    """At most ``points`` of the ranks 0 … n - 1, dense at both ends, with a constant ratio between neighbours.

    >>> kept_ranks(1000, 10).tolist()
    [0, 3, 21, 104, 499, 500, 895, 978, 996, 999]
    """
    low = np.unique(np.geomspace(1, max(n / 2, 1), max(points // 2, 2)).astype(np.int64)) - 1
    return np.unique(np.concatenate([low, n - 1 - low]))
