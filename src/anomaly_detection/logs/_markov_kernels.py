"""Array loops of markov.py: contexts of several lengths, and what comes after them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, lean
from anomaly_detection.logs._table_kernels import mixed, place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs.tables import Table

ORDER = 3
"""The most symbols that a context has."""

CARRY = 0.5
"""What is left of a session's surprise after a line."""

MISSED, BEGIN, END, UNSEEN = -4, -3, -2, -1
"""Symbols beside template ids.

What came before the memory began, nothing before, the end of a session, a template that training did not have.
"""


@inlined
def longer(context: np.uint64, symbol: int) -> np.uint64:
    """The hash of a context with one more symbol before it."""
    return mixed(context, np.uint64(symbol + 4))


@inlined
def followed(context: np.uint64, symbol: int) -> np.uint64:
    """The hash of a context and what comes after it."""
    return mixed(mixed(context, np.uint64(2**32)), np.uint64(symbol + 4))


@lean
def fill_keys(
    symbols: NDArray[np.int32],
    history: NDArray[np.int32],
    places: NDArray[np.int64],
    contexts: NDArray[np.uint64],
    pairs: NDArray[np.uint64],
) -> None:
    """Fill (n, ORDER + 1) hashes of the contexts of each symbol, and of these with the symbol.

    Parameters
    ----------
    history : (s, ORDER) the last symbols of each session, the latest first; changed in place.
    places : (n,) the session of each symbol.
    """
    for i in range(len(symbols)):
        past, context = history[places[i]], np.uint64(1)
        for k in range(ORDER + 1):
            contexts[i, k] = context
            pairs[i, k] = followed(context, symbols[i])
            if k < ORDER:
                context = longer(context, past[k])
        push(past, symbols[i])


@inlined
def push(past: NDArray[np.int32], symbol: int) -> None:
    """Make a symbol the latest."""
    for k in range(ORDER - 1, 0, -1):
        past[k] = past[k - 1]
    past[0] = symbol


@inlined
def surprise_of(
    symbol: int,
    past: NDArray[np.int32],
    known: Table,
    totals: NDArray[np.int64],
    seen: Table,
    counts: NDArray[np.int64],
) -> float:
    """``-ln`` of the probability of a symbol after a past, Witten-Bell from short contexts to long ones."""
    p, context = 1.0 / (totals[0, 1] + 10.0), np.uint64(1)
    for k in range(ORDER + 1):
        place = place_of(known.keys, known.slots, context)
        if place < 0:
            break
        found = place_of(seen.keys, seen.slots, followed(context, symbol))
        count = counts[found] if found >= 0 else 0
        total, distinct = totals[place + 1, 0], totals[place + 1, 1]
        p = (count + distinct * p) / (total + distinct)
        if k < ORDER:
            context = longer(context, past[k])
    return -math.log(p)


@inlined
def pair_surprise(symbol: int, before: int, all_symbols: int, seen: Table, counts: NDArray[np.int64]) -> float:
    """``-ln`` of how often a symbol came right after another, among all such pairs."""
    found = place_of(seen.keys, seen.slots, followed(longer(np.uint64(1), before), symbol))
    count = counts[found] if found >= 0 else 0
    return -math.log((count + 0.5) / (all_symbols + 1.0))


@lean
def surprises(
    symbols: NDArray[np.int32],
    names: NDArray[np.uint64],
    owners: NDArray[np.uint64],
    history: NDArray[np.int32],
    carried: NDArray[np.float64],
    lines: NDArray[np.int64],
    lull: int,
    known: Table,
    totals: NDArray[np.int64],
    seen: Table,
    counts: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:
    """Fill ``out`` (n, 3) with the surprise of each symbol, of its pair with the one before, and a decayed sum.

    The sum is that of the first in its session; a symbol adds nothing where what came right before it was missed. It is
    kept, and so are the last symbols.

    Parameters
    ----------
    symbols : (n,) template ids.
    names : (n,) hashes of the sessions, services or threads that they are of.
    owners, history, carried : (2 ** k,) whose symbols are at a place, (2 ** k, ORDER) these symbols, and (2 ** k,) the
        sums; where two fall on the same place, the one that comes begins anew. Changed in place.
    lines : (1,) how many symbols came; changed in place.
    lull : among the first so many, a session that comes may have begun before.
    known : the contexts; ``totals`` (c + 1, 2): how often each came and how many symbols came after it, behind those
        of all symbols.
    seen : the contexts with what came after; ``counts``: how often.
    """
    last = np.uint64(len(owners) - 1)
    for i in range(len(symbols)):
        place = np.int64(names[i] & last)
        past = history[place]
        if owners[place] != names[i]:
            owners[place] = names[i]
            past[:] = MISSED if lines[0] < lull else BEGIN
            carried[place] = 0.0
        out[i, 0] = surprise_of(symbols[i], past, known, totals, seen, counts)
        out[i, 1] = pair_surprise(symbols[i], past[0], totals[0, 0], seen, counts)
        if past[0] != MISSED:
            carried[place] = CARRY * carried[place] + out[i, 0]
        out[i, 2] = carried[place]
        lines[0] += 1
        push(past, symbols[i])
