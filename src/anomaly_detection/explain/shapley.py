"""How much each of the user's columns adds to a score: Shapley values of the detector itself.

Held against a normal row, a column adds what the score gains when its value is put in, on average over all orders of
putting the columns in (Shapley 1953; Lundberg & Lee 2017), and on average over several normal rows. The contributions
of a row add up to its score less the mean score of those normal rows: for few columns, where all coalitions are
scored, and for many, where some orders are drawn, each with its reverse (Mitchell, Cooper, Frank & Holmes 2022). In
very wide tables columns go in in groups, and those of a group share what they add (``players``).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.explain.background import columns_of, differ
from anomaly_detection.explain.effort import effort_for
from anomaly_detection.explain.players import players

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Score
    from anomaly_detection.features.space import FeatureSpace

MOST_SCORINGS, FEW_SCORINGS = 1024, 128
"""How many altered copies of a row are scored, beyond the fewest orders: usually, and where it has to be quick."""

EXACT_COLUMNS = 8
"""Up to so many columns all coalitions are scored, if there may be that many scorings."""

FEWEST_ORDERS, MOST_ORDERS = 4, 16
"""How many orders of putting the columns in are drawn."""

FEWEST_WIDE = 2
"""How many of them where columns are so many that they go in in groups."""

LARGEST = 8_000_000
"""The most numbers that are altered at a time."""


def contributions(
    score: Score,
    X: NDArray[np.float32],
    references: NDArray[np.float32],
    space: FeatureSpace,
    scorings: int = MOST_SCORINGS,
) -> NDArray[np.float64]:
    """How much each of the user's columns adds to the score of each row.

    Parameters
    ----------
    score : scores (m, d) matrices.
    X : (n, d) the rows to explain.
    references : (r, d) normal rows.
    space : what the d features mean.
    scorings : about how many altered copies of a row are scored.

    Returns
    -------
    (n, columns) float64 in the order of ``space.columns()``; positive where the column makes the row anomalous.

    Examples
    --------
    >>> from anomaly_detection.features.space import FeatureSpace
    >>> row, normal = np.array([[3, 1, 5]], np.float32), np.zeros((1, 3), np.float32)
    >>> contributions(lambda X: X[:, 0] * X[:, 1] + X[:, 2], row, normal, FeatureSpace.of_numbers(3)).tolist()
    [[1.5, 1.5, 5.0]]
    """
    column_of = columns_of(space)
    n_columns = len(space.columns())
    most = effort_for(len(space)).players
    is_exact = n_columns <= EXACT_COLUMNS and 1 << n_columns <= scorings
    found = np.empty((len(X), n_columns))
    for i, row in enumerate(X):
        if is_exact:
            used = references[: scorings >> n_columns]
            found[i] = _exact(score, row, used, column_of, n_columns)
        elif n_columns > most:
            player, part = players(row, references, space, most)
            orders = drawn_orders(most, scorings)[:FEWEST_WIDE]
            found[i] = _sampled(score, row, references, player[column_of], orders)[player] * part
        else:
            found[i] = _sampled(score, row, references, column_of, drawn_orders(n_columns, scorings))
    return found


def _exact(
    score: Score, row: NDArray[np.float32], references: NDArray[np.float32], column_of: NDArray[np.int64], n: int
) -> NDArray[np.float64]:
    """(n,) from the scores of all 2 ** n coalitions."""
    coalitions, weights = _coalitions(n)
    altered = np.where(coalitions[None, :, column_of], row, references[:, None, :])
    worth = score(altered.reshape(-1, len(row))).reshape(len(references), -1).mean(axis=0)
    numbers = np.arange(len(coalitions))
    found = np.empty(n)
    for column in range(n):
        without = numbers[~coalitions[:, column]]
        found[column] = weights[without] @ (worth[without | (1 << column)] - worth[without])
    return found


def _sampled(
    score: Score,
    row: NDArray[np.float32],
    references: NDArray[np.float32],
    column_of: NDArray[np.int64],
    orders: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(n,) the mean over orders, each with its reverse and a normal row."""
    n = orders.shape[1]
    starts = references[np.arange(len(orders)) // 2 % len(references)]
    at_once = max(1, LARGEST // (n * len(row)))
    total = np.zeros(n)
    for first in range(0, len(orders), at_once):
        part = slice(first, first + at_once)
        total += _walked(score, row, starts[part], orders[part], column_of)
    return total / len(orders)


def _walked(
    score: Score,
    row: NDArray[np.float32],
    starts: NDArray[np.float32],
    orders: NDArray[np.int64],
    column_of: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(n,) the sum over orders of what each column adds when it is put in; a value that is the same adds nothing."""
    n = orders.shape[1]
    in_order = np.take_along_axis(differ(row, starts, column_of, n), orders, axis=1)
    is_new = np.concatenate([np.ones((len(orders), 1), dtype=bool), in_order], axis=1)
    which, steps = np.nonzero(is_new)
    place = np.argsort(orders, axis=1)
    put_in = place[which][:, column_of] < steps[:, None]
    scores = score(np.where(put_in, row, starts[which]))
    walk = scores[np.cumsum(is_new.ravel()) - 1].reshape(is_new.shape)
    added = np.empty(orders.shape)
    np.put_along_axis(added, orders, np.diff(walk, axis=1), axis=1)
    total: NDArray[np.float64] = added.sum(axis=0)
    return total


@lru_cache(maxsize=16)
def drawn_orders(n: int, scorings: int = MOST_SCORINGS) -> NDArray[np.int64]:
    """(orders, n) random orders of the columns, every second the reverse of the one before; always the same ones."""
    pairs = int(np.clip(scorings // n, FEWEST_ORDERS, MOST_ORDERS)) // 2
    rng = np.random.default_rng(0)
    found = np.empty((2 * pairs, n), dtype=np.int64)
    for pair in range(pairs):
        found[2 * pair] = rng.permutation(n)
        found[2 * pair + 1] = found[2 * pair][::-1]
    return found


@lru_cache(maxsize=16)
def _coalitions(n: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(2 ** n, n) which columns are in, and the weight of joining each as one more."""
    members = (np.arange(1 << n)[:, None] >> np.arange(n)) & 1 == 1
    sizes = members.sum(axis=1)
    of_size = [1 / (n * math.comb(n - 1, size)) if size < n else 0.0 for size in range(n + 1)]
    return members, np.array(of_size)[sizes]
