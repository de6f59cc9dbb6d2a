"""What comes after what: a Markov chain over template ids with contexts of up to three lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs._markov_kernels import BEGIN, ORDER, fill_keys, surprises
from anomaly_detection.logs.tables import Table, damaged, table_of, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_PAIRS = 24_000
"""The most contexts with what came after them that are kept: longer and rarer contexts go first."""

PLACES = 1 << 13
"""Sessions whose last lines are remembered."""

Remembered = tuple["NDArray[np.uint64]", "NDArray[np.int32]", "NDArray[np.float64]", "NDArray[np.int64]"]


class Markov:
    """The probability of a symbol given the up to three before it, from counts.

    Probabilities of long contexts lean on those of shorter ones as far as the long one knows little (Witten & Bell
    1991), so an unseen transition costs the more, the surer its context was. A context that training did not have
    costs nothing by itself: the shorter one speaks.
    """

    def fit(self, symbols: NDArray[np.int32], names: NDArray[np.uint64]) -> Self:
        """Learn from symbols in order; ``names`` says which session each is of."""
        codes = np.unique(names, return_inverse=True)[1].astype(np.int64)
        history = np.full((int(codes.max()) + 1 if len(codes) else 0, ORDER), BEGIN, np.int32)
        contexts = np.empty((len(symbols), ORDER + 1), np.uint64)
        pairs = np.empty_like(contexts)
        fill_keys(symbols, history, codes, contexts, pairs)
        keys, first, counts = np.unique(pairs.ravel(), return_index=True, return_counts=True)
        order = (first % (ORDER + 1)).astype(np.int64)
        keep, owner = _kept(contexts.ravel()[first], counts, order)
        known, place = np.unique(owner[keep], return_inverse=True)
        distinct = np.bincount(place, minlength=len(known))
        totals = np.bincount(place, weights=counts[keep], minlength=len(known)).astype(np.int64)
        self._take(known, np.column_stack([totals, distinct]).astype(np.int64), keys[keep], counts[keep])
        return self

    def memory(self) -> Remembered:
        """Whose last symbols are remembered, which, and their surprise: none yet; and that none came."""
        history = np.full((PLACES, ORDER), BEGIN, np.int32)
        return np.zeros(PLACES, np.uint64), history, np.zeros(PLACES), np.zeros(1, np.int64)

    def surprises(
        self,
        symbols: NDArray[np.int32],
        names: NDArray[np.uint64],
        memory: Remembered,
        lull: int = 0,
    ) -> NDArray[np.float64]:
        """(n, 3) ``-ln p`` of each symbol, of its pair with the one before, and the decayed sum of the first.

        The sum is of the symbols of a session so far; the memory takes them in. Among the first ``lull`` symbols, what
        came before those of a session is not known; later, nothing came.
        """
        out = np.empty((len(symbols), 3))
        surprises(symbols, names, *memory, lull, self._known, self._totals, self._seen, self._counts, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""
        return {
            "contexts": self._known.keys,
            "totals": self._totals[1:].astype(np.uint32),
            "pairs": self._seen.keys,
            "counts": self._counts.astype(np.uint32),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take back what :meth:`state` handed out; raises ArtifactError if it is damaged."""
        contexts, pairs = taken(state, "contexts", np.uint64, None), taken(state, "pairs", np.uint64, None)
        totals = taken(state, "totals", np.uint32, len(contexts), 2).astype(np.int64)
        counts = taken(state, "counts", np.uint32, len(pairs)).astype(np.int64)
        if (totals < 1).any() or (counts < 1).any():
            raise damaged("counts of transitions")
        self._take(contexts, totals, pairs, counts)
        return self

    def _take(
        self,
        contexts: NDArray[np.uint64],
        totals: NDArray[np.int64],
        pairs: NDArray[np.uint64],
        counts: NDArray[np.int64],
    ) -> None:
        self._known: Table = table_of(contexts)
        self._seen: Table = table_of(pairs)
        all_symbols = totals[0] if len(contexts) and contexts[0] == 1 else np.zeros(2, np.int64)
        self._totals = np.vstack([all_symbols, totals]).astype(np.int64)
        self._counts = counts.astype(np.int64)


def _kept(
    owner: NDArray[np.uint64], counts: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """Which pairs are kept, whole contexts at a time, and the context of each."""
    if len(owner) <= MOST_PAIRS:
        return np.ones(len(owner), np.bool_), owner
    known, place = np.unique(owner, return_inverse=True)
    totals, pairs = np.bincount(place, weights=counts), np.bincount(place)
    orders = np.zeros(len(known), np.int64)
    orders[place] = order
    by = np.lexsort((-totals, orders))
    inside = np.zeros(len(known), np.bool_)
    inside[by] = np.cumsum(pairs[by]) <= MOST_PAIRS
    return inside[place], owner
