"""Array loops of terms.py: words and pairs of words in the bytes of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anomaly_detection.kernels import inlined, kernel, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_PAIR = np.uint64(0x9E3779B97F4A7C15)
_S32 = np.uint64(32)

SEPARATOR, LETTER, DIGIT = range(3)


def _kinds() -> NDArray[np.uint8]:
    kinds = np.full(256, SEPARATOR, np.uint8)
    kinds[ord("0") : ord("9") + 1] = DIGIT
    kinds[ord("A") : ord("Z") + 1] = kinds[ord("a") : ord("z") + 1] = kinds[ord("_")] = kinds[128:] = LETTER
    return kinds


def _small() -> NDArray[np.uint8]:
    small = np.arange(256, dtype=np.uint8)
    small[ord("A") : ord("Z") + 1] += 32
    return small


KINDS, SMALL = _kinds(), _small()


class Counts(NamedTuple):
    """How often terms occur, in a table with open addressing of 2 ** k places."""

    hashes: NDArray[np.uint64]
    """0 for a free place."""
    uses: NDArray[np.int64]
    rows: NDArray[np.int64]
    """How many messages hold the term."""
    last: NDArray[np.int64]
    """The last message that held it."""
    spans: NDArray[np.int64]
    """(2 ** k, 3): the message of its first use, and where in its bytes it begins and ends."""
    used: NDArray[np.int64]
    """(1,) places taken."""


@inlined
def _mixed(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> _S32)) * _PAIR
    return (value ^ (value >> _S32)) | np.uint64(1)


@inlined
def next_word(data: NDArray[np.uint8], at: int, end: int, word: NDArray[np.int64]) -> np.uint64:
    """The hash of the next word from ``at``, 0 at the end; ``word`` (2,) receives where it begins and ends.

    A word is a run of letters, underscores and bytes beyond ASCII, two at least, with no digit beside it.
    """
    while at < end:
        while at < end and KINDS[data[at]] == SEPARATOR:
            at += 1
        begin, digits, value = at, False, _BASIS
        while at < end and KINDS[data[at]] != SEPARATOR:
            byte = data[at]
            digits |= KINDS[byte] == DIGIT
            value = (value ^ np.uint64(SMALL[byte])) * _PRIME
            at += 1
        if at - begin >= 2 and not digits:
            word[0], word[1] = begin, at
            return _mixed(value)
    return np.uint64(0)


@inlined
def pair_of(first: np.uint64, second: np.uint64) -> np.uint64:
    """The hash of two words one after the other, from theirs."""
    return _mixed(first * _PAIR + second)


@lean
def word_hash(data: NDArray[np.uint8]) -> np.uint64:
    """The hash of a word."""
    value = _BASIS
    for byte in data:
        value = (value ^ np.uint64(SMALL[byte])) * _PRIME
    return _mixed(value)


@lean
def pair_hash(first: np.uint64, second: np.uint64) -> np.uint64:
    """:func:`pair_of` for callers outside of kernels."""
    return pair_of(first, second)


@kernel
def count_terms(data: NDArray[np.uint8], offsets: NDArray[np.int64], first_row: int, counts: Counts) -> None:
    """Count the words and pairs of words of n messages; new terms are left out when the table is three quarters full.

    Parameters
    ----------
    data : the bytes of all messages.
    offsets : (n + 1,) where each begins.
    first_row : the number of the first message.
    """
    word = np.empty(2, np.int64)
    for i in range(len(offsets) - 1):
        row, at, end = first_row + i, offsets[i], offsets[i + 1]
        before, begin = np.uint64(0), 0
        found = next_word(data, at, end, word)
        while found != 0:
            _count(counts, found, row, word[0] - at, word[1] - at)
            if before != 0:
                _count(counts, pair_of(before, found), row, begin - at, word[1] - at)
            before, begin = found, word[0]
            found = next_word(data, word[1], end, word)


@lean
def _count(counts: Counts, term: np.uint64, row: int, begin: int, end: int) -> None:
    last = len(counts.hashes) - 1
    place = np.int64(term >> _S32) & last
    while counts.hashes[place] != term:
        if counts.hashes[place] == 0:
            if 4 * counts.used[0] > 3 * len(counts.hashes):
                return
            counts.used[0] += 1
            counts.hashes[place], counts.last[place] = term, -1
            counts.spans[place, 0], counts.spans[place, 1], counts.spans[place, 2] = row, begin, end
            break
        place = (place + 1) & last
    counts.uses[place] += 1
    if counts.last[place] != row:
        counts.last[place] = row
        counts.rows[place] += 1


@kernel
def weigh_terms(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    table: NDArray[np.uint64],
    columns: NDArray[np.int64],
    weights: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` (n, t): how often each term is in each message, times its weight, at length 1.

    Parameters
    ----------
    data, offsets : the messages.
    table : (2 ** k,) hashes of the terms with open addressing, 0 where there is none.
    columns : (2 ** k,) the term of each place.
    weights : (t,)
    """
    word, found_columns = np.empty(2, np.int64), np.empty(len(weights), np.int64)
    sums = np.zeros(len(weights))
    for i in range(len(offsets) - 1):
        end, n = offsets[i + 1], 0
        before = np.uint64(0)
        found = next_word(data, offsets[i], end, word)
        while found != 0:
            n = _weigh(table, columns, weights, found, sums, found_columns, n)
            if before != 0:
                n = _weigh(table, columns, weights, pair_of(before, found), sums, found_columns, n)
            before = found
            found = next_word(data, word[1], end, word)
        total = 0.0
        for k in range(n):
            total += sums[found_columns[k]] ** 2
        out[i, :] = 0.0
        for k in range(n):
            out[i, found_columns[k]] = np.float32(sums[found_columns[k]] / np.sqrt(total))
            sums[found_columns[k]] = 0.0


@inlined
def _weigh(
    table: NDArray[np.uint64],
    columns: NDArray[np.int64],
    weights: NDArray[np.float64],
    term: np.uint64,
    sums: NDArray[np.float64],
    found_columns: NDArray[np.int64],
    n: int,
) -> int:
    """Add the weight of a term; how many columns were found by then."""
    last = len(table) - 1
    place = np.int64(term >> _S32) & last
    while table[place] != 0:
        if table[place] == term:
            column = columns[place]
            if sums[column] == 0.0:
                found_columns[n] = column
                n += 1
            sums[column] += weights[column]
            return n
        place = (place + 1) & last
    return n
