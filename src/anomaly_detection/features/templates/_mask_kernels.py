"""A line of bytes becomes its shape in one pass: parameters to one byte, runs of white space to one space.

What counts as a parameter is said in ``masks.py``; these loops are its fast form. Each takes the line as ``data`` and
the end of the line as ``end``, and looks at nothing beyond it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import (
    CLASSES,
    COUNTRY,
    DOMAIN,
    MEANINGS,
    NAMES,
    TABLE,
    UNIT,
)
from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]
    Number = Any  # a NumPy number

WORD, DIGIT, HEX, SPACE, JOINER, SIGN, SEPARATOR, OPENER, STOP, UPPER, TAIL, CUE, HEAD = (1 << i for i in range(13))
VALUE, TIME, MASKED = 1, 2, 3
"""What a parameter is: a value, a time, or of a shape that was given as a line: such are not joined into lists."""
LONGEST_NAME = 12


@inlined
def byte_at(data: Bytes, i: int) -> Number:
    """One byte; the index is never negative, and saying so spares a test for each byte."""
    return data[np.uintp(i)]


@inlined
def flags_at(data: Bytes, i: int) -> Number:
    """The classes of one byte, as flags."""
    return CLASSES[np.uintp(data[np.uintp(i)])]


@inlined
def meaning_of(data: Bytes, start: int, end: int) -> Number:
    """What a word of letters is, as flags of ``_alphabet``; 0 for most."""
    if end - start > 10 or end <= start:
        return 0
    name: Number = 0
    for i in range(start, end):
        byte = np.int64(byte_at(data, i))
        low = byte | 32
        if low < 97 or low > 122:
            return 0
        name = (name << 6) | (byte - 64 if byte < 96 else byte - 70)
    place = (name ^ (name >> 17) ^ (name >> 33)) & (TABLE - 1)
    while NAMES[np.uintp(place)] != 0:
        if NAMES[np.uintp(place)] == name:
            return MEANINGS[np.uintp(place)]
        place = (place + 1) & (TABLE - 1)
    return 0


@lean
def hex_chain(data: Bytes, start: int, end: int) -> int:
    """Where a chain of short hexadecimal groups between colons (MAC, IPv6) ends; ``start`` if there is none."""
    groups, at, doubled, digits = 0, start, False, False
    while True:
        stop = at
        while stop < end and stop < at + 4 and flags_at(data, stop) & HEX:
            digits |= (flags_at(data, stop) & DIGIT) != 0
            stop += 1
        groups += stop > at
        if stop < end and byte_at(data, stop) == 58 and (stop > at or groups == 0):
            at = stop + 1
            if at < end and byte_at(data, at) == 58:
                at += 1
                doubled = True
            if at < end and flags_at(data, at) & HEX:
                continue
            stop = at if doubled and byte_at(data, at - 2) == 58 else at - 1
        break
    if stop < end and flags_at(data, stop) & WORD:
        return start
    enough = groups >= 4 or (doubled and groups >= 2)
    return stop if enough and digits else start


@inlined
def path_end(data: Bytes, start: int, end: int) -> int:
    """Where a path or URL that starts here ends: before white space, quotes, brackets, lists; no closing mark."""
    stop = start
    while stop < end and not flags_at(data, stop) & (SPACE | STOP):
        stop += 1
    while stop > start and flags_at(data, stop - 1) & TAIL:
        stop -= 1
    return stop


@inlined
def compound_end(data: Bytes, at: int, end: int, digits: bool) -> tuple[int, bool, bool]:
    """Where a word with its joined parts ends, whether it holds a digit, and whether colons are among the joints.

    Parameters
    ----------
    at : where the first part ends.
    digits : whether the first part holds a digit.
    """
    colons = False
    while at < end:
        byte = byte_at(data, at)
        if byte == 58 or byte == 44:
            if not (flags_at(data, at - 1) & DIGIT if byte == 44 else digits):
                break
            if at + 1 >= end or not flags_at(data, at + 1) & DIGIT:
                break
            colons |= byte == 58
            at += 1
        elif flags_at(data, at) & JOINER:
            ahead = at + 1
            while ahead < end and ahead < at + 4 and flags_at(data, ahead) & JOINER:
                ahead += 1
            if ahead >= end or not flags_at(data, ahead) & WORD:
                break
            at = ahead
        else:
            break
        flags = flags_at(data, at)
        while flags & WORD:
            digits |= (flags & DIGIT) != 0
            at += 1
            if at >= end:
                break
            flags = flags_at(data, at)
    return at, digits, colons


@lean
def is_time(data: Bytes, start: int, end: int, colons: bool) -> bool:
    """Whether a compound with digits reads as a time of day or a date."""
    if colons and _has_time_of_day(data, start, end):
        return True
    if end - start < 8 or end - start > 40:
        return False
    if byte_at(data, start + 4) == byte_at(data, start + 7) and _is_dash(byte_at(data, start + 4)):
        return (
            end - start >= 10
            and _digits(data, start, start + 4)
            and _digits(data, start + 5, start + 7)
            and _digits(data, start + 8, start + 10)
        )
    return (
        byte_at(data, start + 2) == byte_at(data, start + 5)
        and _is_dash(byte_at(data, start + 2))
        and byte_at(data, start + 2) != 46
        and _digits(data, start, start + 2)
        and _digits(data, start + 3, start + 5)
        and _digits(data, start + 6, start + 8)
    )


@inlined
def _is_dash(byte: int) -> bool:
    return 45 <= byte <= 47


@lean
def _has_time_of_day(data: Bytes, start: int, end: int) -> bool:
    found, dots = False, 0
    for i in range(start + 1, end - 2):
        byte = byte_at(data, i)
        dots += byte == 46
        if byte == 58 and flags_at(data, i - 1) & DIGIT and _digits(data, i + 1, i + 3):
            found |= i + 3 >= end or not flags_at(data, i + 3) & WORD
    return found and dots < 3


@lean
def _digits(data: Bytes, start: int, end: int) -> bool:
    for i in range(start, end):
        if not flags_at(data, i) & DIGIT:
            return False
    return True


@lean
def is_host(data: Bytes, start: int, end: int, after: int) -> bool:
    """Whether a compound without digits is a mail address or a host name of a known top domain."""
    dots, last, at, upper = 0, start, -1, False
    for i in range(start, end):
        byte = byte_at(data, i)
        if byte == 46:
            dots, last = dots + 1, i + 1
        elif byte == 64:
            at, dots = i, 0
        elif byte == 47 or byte == 36 or byte == 92:
            return False
        upper |= (flags_at(data, i) & UPPER) != 0
    if dots == 0 or after == 61 or after == 40:
        return False
    if at > start:
        return True
    meaning = meaning_of(data, last, end)
    return (meaning & DOMAIN) != 0 or (dots >= 2 and not upper and (meaning & COUNTRY) != 0)


@inlined
def unit_end(data: Bytes, at: int, end: int) -> int:
    """Where a unit of size or time behind a number ends; ``at`` if there is none."""
    start = at + 1 if at < end and byte_at(data, at) == 32 else at
    if start >= end or not flags_at(data, start) & HEAD:
        return at
    stop = start
    while stop < end and stop < start + LONGEST_NAME and flags_at(data, stop) & WORD:
        stop += 1
    return stop if stop > start and meaning_of(data, start, stop) & UNIT else at


@lean
def quoted_end(data: Bytes, at: int, end: int) -> int:
    """Where the quotes that open here are closed, the byte behind; ``at`` if they are not, or hold a sentence."""
    spaces = 0
    for i in range(at + 1, min(end, at + 256)):
        if byte_at(data, i) == byte_at(data, at):
            return i + 1
        spaces += byte_at(data, i) == 32
        if spaces > 1:
            return at
    return at


@lean
def stars_end(data: Bytes, at: int, end: int) -> int:
    """Where three or more asterisks end; ``at`` if there are fewer."""
    stop = at
    while stop < end and byte_at(data, stop) == 42:
        stop += 1
    return stop if stop - at >= 3 else at
