"""The scan that writes the shape of a line; the rules of single masks are in ``_mask_kernels``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import CLASSES
from anomaly_detection.features.templates._mask_kernels import (
    DIGIT,
    HEX,
    MASK,
    OPENER,
    SEPARATOR,
    SIGN,
    SPACE,
    TIME,
    UPPER,
    VALUE,
    WORD,
    compound_end,
    date_word,
    hex_chain,
    is_class,
    is_host,
    is_long_hex,
    is_time,
    is_value_word,
    path_end,
    quoted_end,
    stars_end,
    unit_end,
)
from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]


@kernel
def _opened_by(data: Bytes, start: int, at: int) -> bool:
    return at == start or is_class(data[at - 1], OPENER)


@kernel
def variable_end(data: Bytes, start: int, at: int, end: int) -> tuple[int, int]:
    """Where the parameter that starts at a byte ends and of what kind it is (VALUE or TIME), or where a word ends (0)."""
    if is_class(data[at], HEX | SEPARATOR):
        stop = hex_chain(data, at, end)
        if stop > at:
            return stop, VALUE
    stop, digits, plain = compound_end(data, at, end)
    if stop < end and data[stop] == 58 and not digits:
        if stop + 2 < end and data[stop + 1] == 47 and data[stop + 2] == 47:
            return path_end(data, stop + 1, end), VALUE
        if stop == at + 1 and stop + 1 < end and data[stop + 1] == 92 and _opened_by(data, start, at):
            return path_end(data, at, end), VALUE
    if digits:
        if is_time(data, at, stop):
            return stop, TIME
        return unit_end(data, stop, end), VALUE
    if plain:
        if at > start and data[at - 1] == 61 and is_value_word(data, at, stop):
            return stop, VALUE
        return stop, VALUE if is_long_hex(data, at, stop) else 0
    return stop, VALUE if is_host(data, at, stop, data[stop] if stop < end else 0) else 0


@kernel
def is_path(data: Bytes, start: int, at: int, end: int) -> bool:
    """Whether a path starts at this slash, dot, tilde or backslash."""
    if not _opened_by(data, start, at):
        return False
    ahead = at
    while ahead < end and ahead < at + 2 and (data[ahead] == 46 or data[ahead] == 126):
        ahead += 1
    if ahead >= end or (data[ahead] != 47 and data[ahead] != 92):
        return False
    ahead += 1
    return (
        ahead < end
        and not is_class(data[ahead], SPACE)
        and (is_class(data[ahead], WORD) or data[ahead] in {46, 92, 95})
    )


@kernel
def empty_pair(data: Bytes, start: int, at: int, end: int) -> bool:
    """Whether an empty pair of brackets or quotes starts here, standing for a value that is missing."""
    if at + 1 >= end or not _opened_by(data, start, at):
        return False
    byte, behind = data[at], data[at + 1]
    return (
        (byte == 40 and behind == 41)
        or (byte == 91 and behind == 45 and at + 2 < end and data[at + 2] == 93)
        or (byte == 91 and behind == 93)
        or ((byte == 34 or byte == 39) and behind == byte and (at + 2 >= end or data[at + 2] != byte))
    )


@inlined
def _is_zone_shift(data: Bytes, at: int, stop: int) -> bool:
    signed = data[at - 1] == 43 or data[at - 1] == 45
    return stop - at == 4 and (signed or (data[at] in {49, 50} and data[at + 1] in {48, 57}))


@kernel
def key_letters(data: Bytes, at: int, stop: int, end: int) -> int:
    """How many letters begin a word with digits that is the key of key=value; they are kept."""
    if stop >= end or data[stop] != 61:
        return 0
    last = at
    while last < stop and is_class(data[last], WORD) and not is_class(data[last], DIGIT):
        last += 1
    return last - at


@kernel
def shape_of(data: Bytes, start: int, end: int, out: Bytes) -> int:
    """Write the shape of ``data[start:end]`` to ``out`` (as long as the line and 8 more) and return its length.

    ``mask`` is where the last parameter was written (-1: none), ``kind`` what it was, ``broken`` where the first byte
    behind it is that may not stand between the items of a list (-1: none), ``spaced`` whether a space was; ``dates``
    where names of months and days begin that a parameter would take with it.
    """
    n, at, mask, kind, dates, broken, spaced = 0, start, -1, 0, -1, 0, False
    while at < end:
        byte = data[at]
        flags = CLASSES[byte]
        if flags & SPACE:
            if n > 0 and out[n - 1] != 32:
                out[n] = 32
                n += 1
                spaced = True
            at += 1
            continue
        found, stop, first = 0, at, flags
        if flags & WORD:
            every, some = flags, flags
            while True:
                out[n + stop - at] = data[stop]
                stop += 1
                if stop >= end:
                    break
                flags = CLASSES[data[stop]]
                if not flags & WORD:
                    break
                every &= flags
                some |= flags
            if stop >= end or flags & SPACE:  # a word by itself
                if some & DIGIT:
                    stop, found = unit_end(data, stop, end), VALUE
                elif every & HEX and stop - at >= 8:
                    found = VALUE
                elif at > start and data[at - 1] == 61 and is_value_word(data, at, stop):
                    found = VALUE
            else:
                stop, found = variable_end(data, start, at, end)
            if found == 0:
                date = date_word(data, at, stop) if first & UPPER else 0
                if date and broken < 0 and (kind == TIME or (date == TIME and stop - at == 3)):
                    kind, n, spaced, at = TIME, mask + 1, False, stop
                    continue
                if date != TIME:
                    dates = -1
                elif dates < 0:
                    dates = n
        elif (byte == 47 or byte == 46 or byte == 126 or byte == 92) and is_path(data, start, at, end):
            stop, found = path_end(data, at, end), VALUE
        elif byte == MASK:
            stop, found = at + 1, VALUE
        elif byte == 42 and stars_end(data, at, end) > at:
            stop, found = stars_end(data, at, end), VALUE
        elif byte == 58:
            stop = hex_chain(data, at, end) if _opened_by(data, start, at) else at
            found = VALUE if stop > at else 0
        elif (byte == 34 or byte == 39) and at > start and data[at - 1] == 61 and quoted_end(data, at, end) > at + 2:
            stop, found = quoted_end(data, at, end), VALUE
        elif (byte == 40 or byte == 91 or byte == 34 or byte == 39) and empty_pair(data, start, at, end):
            stop = at + 1 if data[at + 1] != 45 else at + 2
            out[n], out[n + 1], out[n + 2] = byte, MASK, data[stop]
            mask, kind, n, at, broken, dates = n + 1, VALUE, n + 3, stop + 1, n + 2, -1
            continue
        if found == 0:
            if not first & SEPARATOR:
                if broken < 0:
                    if byte == 41 or byte == 93 or byte == 125:
                        n = mask + 1
                    broken = n
                if not first & WORD:
                    dates = -1
            if first & WORD:
                for i in range(at, stop):
                    out[n] = data[i]
                    n += 1
                at = stop
            else:
                out[n] = byte if byte >= 32 and byte != 127 else 63
                n, at = n + 1, at + 1
            continue
        kept = key_letters(data, at, stop, end) if first & WORD else 0
        if kept:
            for i in range(at, at + kept):
                out[n] = data[i]
                n += 1
            mask, kind, broken = -1, 0, 0
        sign = n
        if first & DIGIT:
            while sign > 0 and is_class(out[sign - 1], SIGN):
                sign -= 1
            if sign > 0 and not is_class(out[sign - 1], OPENER):
                sign = n
            if broken >= sign and mask >= 0:
                broken = -1
        if dates >= 0:
            sign, found = dates, TIME
        elif found == VALUE and kind == TIME and broken < 0 and spaced and _is_zone_shift(data, at, stop):
            found = TIME
        if broken < 0 and (not spaced or kind == found):
            n, kind = mask + 1, max(kind, found)
        else:
            mask, kind, n = sign, found, sign + 1
            out[mask] = MASK
        while stop < end and is_class(data[stop], SIGN) and data[stop] != 60 and data[stop] != 45:
            stop += 1
        at, broken, spaced, dates = stop, -1, False, -1
    if n > 0 and out[n - 1] == 32:
        n -= 1
    return n


@kernel
def hash_of(out: Bytes, words: Bytes, n: int) -> int:
    """A 64-bit hash of the first ``n`` bytes; ``words`` is the same memory, eight bytes at a time, and room behind."""
    for i in range(n, n + 8):
        out[i] = 0
    total = np.uint64(n) * np.uint64(0x9E3779B97F4A7C15)
    for i in range((n + 7) >> 3):
        total = (total ^ words[i]) * np.uint64(0xFF51AFD7ED558CCD)
        total ^= total >> np.uint64(32)
    return total
