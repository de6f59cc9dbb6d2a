"""How far a key deserves a model of its own, measured on held-out rows.

Two numbers lie in [0, 1]: 0 where keys do not differ, 1 where nothing of one key is to be expected in another. Both
are shares of variance, and the Spearman-Brown formula (1910) turns such a share and a number of rows into a weight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANCE = 1.628**2
"""The squared Kolmogorov distance, times ``n m / (n + m)``, that one in a hundred pairs of like samples exceeds."""


def reliability(rows: float, share: float) -> float:
    """The weight of what ``rows`` rows say about their key, against what all keys say (Spearman-Brown).

    >>> reliability(0, 0.5), reliability(1, 0.5), reliability(300, 0.0), round(reliability(300, 0.1), 2)
    (0.0, 0.5, 0.0, 0.97)
    """
    return rows * share / (1.0 + (rows - 1.0) * share) if rows > 0 and share > 0.0 else 0.0


def difference(own: NDArray[np.float64], foreign: NDArray[np.float64]) -> float:
    """How much the rows of other keys stand out in the model of a key: the squared Kolmogorov distance, less chance.

    Parameters
    ----------
    own : (n,) scores of the key's own rows, held out while fitting, n >= 1.
    foreign : (m,) scores of rows of other keys in the same model, m >= 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> difference(rng.normal(size=300), rng.normal(size=300)), difference(rng.normal(size=300), np.full(300, 9.0))
    (0.0, 1.0)
    """
    places = np.concatenate([own, foreign])
    below = [np.searchsorted(np.sort(scores), places, side="right") / len(scores) for scores in (own, foreign)]
    distance = float(np.abs(below[0] - below[1]).max())
    by_chance = min(CHANCE * (1.0 / len(own) + 1.0 / len(foreign)), 0.5)
    return max(0.0, (distance**2 - by_chance) / (1.0 - by_chance))


def intraclass(values: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    """The share of the variance that lies between groups: the intraclass correlation of a one-way analysis of variance.

    Parameters
    ----------
    values : (n,) one number per row.
    codes : (n,) the group of each row, 0 or more.

    Examples
    --------
    >>> intraclass(np.array([1.0, 1.0, 5.0, 5.0]), np.array([0, 0, 1, 1]))
    1.0
    >>> intraclass(np.array([1.0, 5.0, 1.0, 5.0]), np.array([0, 0, 1, 1]))
    0.0
    """
    counts = np.bincount(codes).astype(np.float64)
    groups, n = np.count_nonzero(counts), len(values)
    if groups < 2 or n <= groups:
        return 0.0
    means = np.bincount(codes, values) / np.maximum(counts, 1.0)
    between = float((counts * (means - values.mean()) ** 2).sum()) / (groups - 1)
    within = float(((values - means[codes]) ** 2).sum()) / (n - groups)
    size = (n - float((counts**2).sum()) / n) / (groups - 1)
    total = between + (size - 1.0) * within
    return float(np.clip((between - within) / total, 0.0, 1.0)) if total > 0.0 else 0.0
