"""Shapes as tokens: their hashes, their kinds, and when the values of one position make it a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._mask_kernels import DIGIT, UPPER, WORD, flags_at
from anomaly_detection.features.templates._polar import POLAR
from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]
    Word = Any  # a number of 64 bits without sign

TOKENS = 64
FIRST: Any = np.int64(0)
"""Not a literal, for which everything would be compiled once more."""
START, STOP, KEY, KIND = range(4)
"""Columns of a table of tokens: first byte, byte behind, bytes of the key, kind."""
PURE, KEYED, QUOTED, NAME, PLAIN, CAPITAL, CODE, MARK, POLE = range(9)
"""A parameter alone; key=value; in quotes or brackets; joined or mixed; a word; Capital or UPPER; a function; no
letters; a word with an opposite."""


@inlined
def mixed(total: Word, value: Word) -> Word:
    """One step of a 64-bit hash."""
    total = (total ^ value) * np.uint64(0xFF51AFD7ED558CCD)
    return total ^ (total >> np.uint64(29))


@lean
def bytes_hash(text: Bytes, start: int, stop: int) -> Word:
    """A 64-bit hash of some bytes."""
    total = np.uint64(0x9E3779B97F4A7C15)
    for i in range(start, stop):
        total = (total ^ np.uint64(text[i])) * np.uint64(0x100000001B3)
    return total ^ (total >> np.uint64(32))


@lean
def lower_letters_hash(text: Bytes, start: int, stop: int) -> Word:
    """The hash of a word in small letters, without what is around it; 0 where other signs are between."""
    while start < stop and not is_letter(text, start):
        start += 1
    while stop > start and not is_letter(text, stop - 1):
        stop -= 1
    total = np.uint64(0x9E3779B97F4A7C15)
    for i in range(start, stop):
        if not is_letter(text, i):
            return np.uint64(0)
        total = (total ^ np.uint64(text[i] | 32)) * np.uint64(0x100000001B3)
    return total ^ (total >> np.uint64(32))


@inlined
def is_letter(text: Bytes, i: int) -> bool:
    """Whether a byte is a letter; bytes beyond ASCII count."""
    return bool(flags_at(text, i) & (WORD | DIGIT) == WORD and text[i] != 95)


@lean
def is_polar(text: Bytes, start: int, stop: int) -> bool:
    """Whether a token is a word that has an opposite, such as started."""
    wanted = lower_letters_hash(text, start, stop)
    low, high = 0, POLAR.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if POLAR[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return bool(low < POLAR.shape[0] and POLAR[low] == wanted)


@lean
def key_length(text: Bytes, start: int, stop: int) -> int:
    """How many bytes of a token are the key of key=value or key:value, the sign with them; 0 if it has none."""
    for i in range(start + 1, stop):
        byte = text[i]
        if byte == 61:
            return i + 1 - start
        if byte == 58:
            if i + 1 >= stop or text[i + 1] == 58 or not is_letter(text, i - 1):
                return 0
            return i + 1 - start
    return 0


@lean
def letters_of(text: Bytes, start: int, stop: int) -> int:
    """How many letters a token has outside its parameters."""
    n = 0
    for i in range(start, stop):
        n += is_letter(text, i)
    return n


@inlined
def is_opening(byte: int) -> bool:
    """Whether a byte is an opening quote or bracket."""
    return byte == 34 or byte == 39 or byte == 40 or byte == 60 or byte == 91 or byte == 123


@inlined
def is_closing(byte: int) -> bool:
    """Whether a byte is a closing quote or bracket."""
    return byte == 34 or byte == 39 or byte == 41 or byte == 62 or byte == 93 or byte == 125


@lean
def kind_of(text: Bytes, start: int, stop: int, key: int, assigned: bool) -> int:
    """What a token looks like; see the kinds above. ``assigned``: there is an equals sign before it."""
    masks, upper, lower, signs, colons, calls = 0, 0, 0, 0, 0, 0
    while stop > start and (
        text[stop - 1] == 44 or text[stop - 1] == 46 or text[stop - 1] == 58 or text[stop - 1] == 59
    ):
        stop -= 1
    for i in range(start, stop):
        byte = text[i]
        masks += byte == MASK
        if flags_at(text, i) & UPPER:
            upper += 1
            signs += i > start and is_letter(text, i - 1) and not flags_at(text, i - 1) & UPPER
        elif is_letter(text, i):
            lower += 1
        elif i > start and i + 1 < stop:
            signs += byte == 46 or byte == 47 or byte == 64 or byte == 92 or byte == 95 or byte == 36
            colons += byte == 58 and text[i + 1] == 58
        calls += byte == 40 and i + 1 < stop and text[i + 1] == 41
    if masks and upper + lower == 0:
        return PURE
    if key > 0:
        return PURE if stop == start + key + 1 and text[stop - 1] == MASK else KEYED
    if upper + lower == 0:
        return MARK
    if assigned:
        return KEYED
    if is_polar(text, start, stop):
        return POLE
    if colons or calls:
        return CODE
    first, last = text[start], text[stop - 1]
    if is_opening(first) and is_closing(last):
        return QUOTED
    if masks or (signs and lower):
        return NAME
    return CAPITAL if upper else PLAIN


@lean
def tokens_of(text: Bytes, start: int, stop: int, table: Bytes, hashes: Bytes, holes: Bytes) -> int:
    """Fill the table of tokens, their hashes, and what stands in for them where they are a parameter; how many."""
    n, at = 0, start
    while at < stop:
        last = at
        while last < stop and (text[last] != 32 or n == TOKENS - 1):
            last += 1
        key = key_length(text, at, last)
        table[n, START], table[n, STOP], table[n, KEY] = at, last, key
        table[n, KIND] = kind_of(text, at, last, key, at >= start + 2 and text[at - 2] == 61)
        holes[n] = bytes_hash(text, at, at + key) * np.uint64(3)
        pure = table[n, KIND] == PURE and last == at + 1
        pure |= key > 0 and last == at + key + 1 and text[last - 1] == MASK
        hashes[n] = holes[n] if pure else bytes_hash(text, at, last)
        n, at = n + 1, last + 1
    return n


@lean
def needed(context: int, leading: bool, kinds: Bytes) -> int:
    """How many different values make a position a parameter; 0: no number does.

    Parameters
    ----------
    context : how many other tokens are words. The more agree, the fewer values it takes.
    leading : no word stands before it: what begins a message usually says what it is about.
    kinds : how many values there are of each kind.
    """
    if context == 0:
        return 0
    if kinds[PURE]:
        return 3 if leading and context < 2 else 2
    least = 3 if context >= 6 else 4 if context >= 3 else 5 if context == 2 else 6
    if leading:
        least += 3
    plain, fixed = kinds[PLAIN], kinds[CAPITAL] + kinds[CODE]
    if plain + fixed == 0:
        return max(least - 1, 3 if kinds[NAME] else 2)
    return least if kinds[KEYED] + kinds[QUOTED] + kinds[NAME] + plain else least + 4
