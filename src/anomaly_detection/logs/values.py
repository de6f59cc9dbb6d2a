"""Parameter values out of the ordinary: new words among a few known ones, numbers beyond those of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs._value_kernels import TOKENS, fill_tokens, score_values
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, table_of, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

MOST_LINES = 50_000
"""Values are learned from the last so many lines of training."""

MOST_PLACES, MOST_VALUES = 6_000, 16_000

FEW = 0.05
"""A place where fewer than this share of the later values were new has few values."""

FEWEST = 20
"""Nothing is said of a place with fewer tokens than this."""

ROUNDING = 1e-6
"""Ranges are kept in single precision, and a little wider than they were."""


class Values(Method):
    """How odd the words and numbers of a line are, each at its place in the line's template.

    A place is a template and the position of a word in the line. The later half of training tells how often a place has
    a word that its earlier half did not have, or a number outside what the earlier half had. Where that is rare, a new
    word, or a number outside, scores ``-ln`` of how rare, and the number the more the further it is; a word among a few
    scores ``-ln`` of its share. From what words score, the mean of their place and 1 is taken, so that places with many
    equally frequent words are quiet, and identifiers and counters that always grow are, too. The score of a line is
    that of its oddest word.
    """

    name: ClassVar[str] = "parameters"

    def fit(self, batch: LogBatch) -> Self:
        """Learn the values of each place."""
        part = batch.part(slice(max(0, len(batch) - MOST_LINES), None))
        places, values, numbers, rows = _tokens(part)
        later = rows >= len(part) // 2
        keys, code, counts = np.unique(places, return_inverse=True, return_counts=True)
        chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_PLACES])
        chosen = chosen[counts[chosen] >= FEWEST]
        known = np.empty((len(keys), 6), np.float32)
        known[:, 0] = counts
        known[:, 3:] = _ranges(numbers, code, later, len(keys))
        found = novelty(known, values, code, later)
        inside = np.isin(found[2], chosen)
        few = known[found[2], 2] >= 0
        inside &= few
        order = np.argsort(-found[1][inside], kind="stable")[:MOST_VALUES]
        kept = np.sort(np.flatnonzero(inside)[order])
        if inside.sum() > MOST_VALUES:  # a place is known wholly or not at all
            known[np.unique(found[2][inside][np.argsort(-found[1][inside], kind="stable")[MOST_VALUES:]]), 2] = -1
        self._take(keys[chosen], known[chosen], found[0][kept], found[1][kept].astype(np.float32))
        return self

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) the surprise of the oddest word, at least 0."""
        return self.oddest(batch)[0]

    def oddest(self, batch: LogBatch) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The scores, and (n, 2) where in its message the oddest word begins and ends, in bytes; -1 if none is."""
        out, where = np.empty(len(batch)), np.empty((len(batch), 2), np.int64)
        for first, data, offsets in batch.lines.messages():
            rows = slice(first, first + len(offsets) - 1)
            tables = self._known, self._places, self._seen, self._counts
            score_values(data, offsets, batch.templates[rows], *tables, out[rows], where[rows])
        return out, where

    def state(self) -> dict[str, NDArray[Any]]:
        """What is known of places and values."""
        return {
            "places": self._known.keys,
            "known": self._places,
            "values": self._seen.keys,
            "counts": self._counts,
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back."""
        keys, values = taken(state, "places", np.uint64, None), taken(state, "values", np.uint64, None)
        known = taken(state, "known", np.float32, len(keys), 6)
        counts = taken(state, "counts", np.float32, len(values))
        if (counts < 1).any() or (known[:, 0] < 1).any():
            raise damaged("counts of values")
        return self._take(keys, known, values, counts)

    def _take(
        self,
        keys: NDArray[np.uint64],
        known: NDArray[np.float32],
        values: NDArray[np.uint64],
        counts: NDArray[np.float32],
    ) -> Self:
        self._known, self._places = table_of(keys), np.ascontiguousarray(known, np.float32)
        self._seen, self._counts = table_of(values), counts
        return self


def _tokens(
    batch: LogBatch,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.float64], NDArray[np.int64]]:
    """Place, value, number and row of each word of the messages."""
    parts = []
    for first, data, offsets in batch.lines.messages():
        n = len(offsets) - 1
        room = n * TOKENS
        places, values = np.empty(room, np.uint64), np.empty(room, np.uint64)
        numbers, rows = np.empty(room), np.empty(room, np.int64)
        m = fill_tokens(data, offsets, batch.templates[first : first + n], places, values, numbers, rows)
        parts.append((places[:m], values[:m], numbers[:m], rows[:m] + first))
    if not parts:
        return np.empty(0, np.uint64), np.empty(0, np.uint64), np.empty(0), np.empty(0, np.int64)
    columns = [np.concatenate([part[k] for part in parts]) for k in range(4)]
    return columns[0], columns[1], columns[2], columns[3]


def _ranges(
    numbers: NDArray[np.float64], code: NDArray[np.int64], later: NDArray[np.bool_], size: int
) -> NDArray[np.float64]:
    """(size, 3): least and largest number of each place, and ``-ln`` of the chance of one outside."""
    there = np.isfinite(numbers)
    numbers, code, later = numbers[there], code[there], later[there]
    low, high = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(low, code[~later], numbers[~later])
    np.maximum.at(high, code[~later], numbers[~later])
    outside = later & ((numbers < low[code]) | (numbers > high[code]))
    chance = (np.bincount(code[outside], minlength=size) + 1.0) / (np.bincount(code[later], minlength=size) + 2.0)
    np.minimum.at(low, code, numbers)
    np.maximum.at(high, code, numbers)
    nothing = low > high
    low[nothing], high[nothing] = 1.0, 0.0
    limit = float(np.finfo(np.float32).max) / 4
    low, high = np.clip(low * (1 - ROUNDING), 0, limit), np.clip(high * (1 + ROUNDING), 0, limit)
    return np.column_stack([low, high, -np.log(chance)])


def novelty(
    known: NDArray[np.float32], values: NDArray[np.uint64], code: NDArray[np.int64], later: NDArray[np.bool_]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Fill in how rare new values are at each place, and the usual surprise; -1 where values are mostly new.

    Returns the values, how often each came and its place.
    """
    size = len(known)
    keys, first, counts = np.unique(values, return_index=True, return_counts=True)
    place = code[first]
    new = np.bincount(place[later[first]], minlength=size)
    chance = (new + 1.0) / (np.bincount(code[later], minlength=size) + 2.0)
    share = counts / known[place, 0]
    known[:, 1] = -np.log(chance)
    known[:, 2] = np.bincount(place, -share * np.log(share), minlength=size)
    known[chance > FEW, 2] = -1.0
    return keys, counts, place
