"""A line of bytes becomes its shape in one pass: parameters to one byte, runs of white space to one space.

What counts as a parameter is said in ``masks.py``; these loops are its fast form. Each takes the line as ``data`` and
the end of the line as ``end``, and looks at nothing beyond it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.features.templates._alphabet import (
    CLASSES,
    COUNTRIES,
    DATE_WORDS,
    TOP_DOMAINS,
    UNITS,
    VALUES,
    ZONES,
)
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]

WORD, DIGIT, HEX, SPACE, JOINER, SIGN, SEPARATOR, OPENER, STOP, UPPER, TAIL = (1 << i for i in range(11))
VALUE, TIME = 1, 2
LONGEST_NAME = 12


@inlined
def is_class(byte: int, wanted: int) -> bool:
    """Whether a byte belongs to one of the classes (flags of ``_alphabet.CLASSES``)."""
    return (CLASSES[byte] & wanted) != 0


@kernel
def name_of(data: Bytes, start: int, end: int) -> int:
    """Up to ten bytes as one number, six bits each (letters only, case kept by the caller's choice); 0 if longer."""
    if end - start > 10 or end <= start:
        return 0
    name = 0
    for i in range(start, end):
        byte = data[i]
        low = byte | 32
        if low < 97 or low > 122:
            return 0
        name = (name << 6) | (byte - 64 if byte < 96 else byte - 97 + 27)
    return name


@kernel
def within(name: int, names: Bytes) -> bool:
    """Whether a number is in a sorted array."""
    low, high = 0, names.shape[0]
    while low < high:
        middle = (low + high) >> 1
        if names[middle] < name:
            low = middle + 1
        else:
            high = middle
    return low < names.shape[0] and names[low] == name


@kernel
def hex_chain(data: Bytes, start: int, end: int) -> int:
    """Where a chain of short hexadecimal groups between colons (MAC, IPv6) ends; ``start`` if there is none."""
    groups, at, doubled, digits = 0, start, False, False
    while True:
        stop = at
        while stop < end and stop < at + 4 and is_class(data[stop], HEX):
            digits |= is_class(data[stop], DIGIT)
            stop += 1
        groups += stop > at
        if stop < end and data[stop] == 58 and (stop > at or groups == 0):
            at = stop + 1
            if at < end and data[at] == 58:
                at += 1
                doubled = True
            if at < end and is_class(data[at], HEX):
                continue
            stop = at if doubled and data[at - 2] == 58 else at - 1
        break
    if stop < end and is_class(data[stop], WORD):
        return start
    enough = groups >= 4 or (doubled and groups >= 2)
    return stop if enough and digits else start


@kernel
def path_end(data: Bytes, start: int, end: int) -> int:
    """Where a path or URL that starts here ends: before white space, quotes, brackets, lists; no closing mark."""
    stop = start
    while stop < end and not is_class(data[stop], SPACE | STOP):
        stop += 1
    while stop > start and is_class(data[stop - 1], TAIL):
        stop -= 1
    return stop


@kernel
def compound_end(data: Bytes, start: int, end: int) -> tuple[int, bool, bool]:
    """Where a word with its joined parts ends, whether it holds a digit, and whether it is one run of letters."""
    at, digits, plain, numeric = start, False, True, False
    while True:
        while at < end:
            flags = CLASSES[data[at]]
            if not flags & WORD:
                break
            numeric = (flags & DIGIT) != 0
            digits |= numeric
            at += 1
        if at >= end:
            return at, digits, plain
        byte = data[at]
        if is_class(byte, JOINER):
            ahead = at + 1
            while ahead < end and ahead < at + 4 and is_class(data[ahead], JOINER):
                ahead += 1
            if ahead >= end or not is_class(data[ahead], WORD):
                return at, digits, plain
            at = ahead
        elif (byte == 58 and digits) or (byte == 44 and numeric):
            if at + 1 >= end or not is_class(data[at + 1], DIGIT):
                return at, digits, plain
            at += 1
        else:
            return at, digits, plain
        plain = False


@kernel
def is_time(data: Bytes, start: int, end: int) -> bool:
    """Whether a compound with digits reads as a time of day or a date."""
    colons, dots = 0, 0
    for i in range(start + 1, end - 2):
        byte = data[i]
        if byte == 46:
            dots += 1
        if byte == 58 and is_class(data[i - 1], DIGIT) and is_class(data[i + 1], DIGIT):
            colons += is_class(data[i + 2], DIGIT) and (i + 3 >= end or not is_class(data[i + 3], WORD))
    if colons and dots < 3:
        return True
    if end - start < 8 or end - start > 40:
        return False
    long_year = _digits(data, start, start + 4) and _digits(data, start + 5, start + 7)
    if long_year and data[start + 4] == data[start + 7] and data[start + 4] in {45, 46, 47}:
        return end - start >= 10 and _digits(data, start + 8, start + 10)
    short = (
        _digits(data, start, start + 2) and _digits(data, start + 3, start + 5) and _digits(data, start + 6, start + 8)
    )
    return short and data[start + 2] == data[start + 5] and data[start + 2] in {45, 47}


@kernel
def _digits(data: Bytes, start: int, end: int) -> bool:
    for i in range(start, end):
        if not is_class(data[i], DIGIT):
            return False
    return True


@kernel
def is_host(data: Bytes, start: int, end: int, after: int) -> bool:
    """Whether a compound without digits is a mail address or a host name of a known top domain."""
    dots, last, at, upper = 0, start, -1, False
    for i in range(start, end):
        byte = data[i]
        if byte == 46:
            dots, last = dots + 1, i + 1
        elif byte == 64:
            at, dots = i, 0
        elif byte == 47 or byte == 36 or byte == 92:
            return False
        upper |= is_class(byte, UPPER)
    if dots == 0 or after == 61 or after == 40:
        return False
    if at > start:
        return True
    if end - last == 2:
        return dots >= 2 and not upper and within(name_of(data, last, end), COUNTRIES)
    return within(name_of(data, last, end), TOP_DOMAINS)


@kernel
def is_long_hex(data: Bytes, start: int, end: int) -> bool:
    """Whether letters alone are long enough and low enough to be a hexadecimal number."""
    if end - start < 8:
        return False
    for i in range(start, end):
        if not is_class(data[i], HEX):
            return False
    return True


@kernel
def unit_end(data: Bytes, at: int, end: int) -> int:
    """Where a unit of size or time behind a number ends; ``at`` if there is none."""
    start = at + 1 if at < end and data[at] == 32 else at
    stop = start
    while stop < end and stop < start + LONGEST_NAME and is_class(data[stop], WORD):
        stop += 1
    return stop if stop > start and within(name_of(data, start, stop), UNITS) else at


@kernel
def date_word(data: Bytes, start: int, end: int) -> int:
    """TIME for the name of a month or a day of the week, VALUE for a time zone, else 0."""
    if end - start > 9 or end - start < 2 or not is_class(data[start], UPPER):
        return 0
    name = name_of(data, start, end)
    if within(name, DATE_WORDS):
        return TIME
    return VALUE if within(name, ZONES) else 0


@kernel
def is_value_word(data: Bytes, start: int, end: int) -> bool:
    """Whether a word stands for a value, such as true or null."""
    return within(name_of(data, start, end), VALUES)


@kernel
def quoted_end(data: Bytes, at: int, end: int) -> int:
    """Where the quotes that open here are closed, the byte behind; ``at`` if they are not, soon enough."""
    for i in range(at + 1, min(end, at + 256)):
        if data[i] == data[at]:
            return i + 1
    return at


@kernel
def stars_end(data: Bytes, at: int, end: int) -> int:
    """Where three or more asterisks end; ``at`` if there are fewer."""
    stop = at
    while stop < end and data[stop] == 42:
        stop += 1
    return stop if stop - at >= 3 else at
