"""The scan that writes the shape of a line; the rules of single masks are in ``_mask_kernels``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import DATE, MASK, OWN, SAID, ZONE
from anomaly_detection.features.templates._mask_kernels import (
    CUE,
    DIGIT,
    HEX,
    MASKED,
    OPENER,
    SEPARATOR,
    SIGN,
    SPACE,
    TIME,
    UPPER,
    VALUE,
    WORD,
    byte_at,
    compound_end,
    flags_at,
    hex_chain,
    is_host,
    is_time,
    meaning_of,
    path_end,
    quoted_end,
    stars_end,
    unit_end,
)
from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[Any]
    Word = Any  # a number of 64 bits without sign


@inlined
def _opened_by(data: Bytes, start: int, at: int) -> bool:
    return at == start or (flags_at(data, at - 1) & OPENER) != 0


@inlined
def variable_end(data: Bytes, start: int, at: int, joint: int, end: int, some: int, every: int) -> tuple[int, int]:
    """Where the parameter that starts at a byte ends and of what kind it is, or where a word ends (0).

    Parameters
    ----------
    start, at, joint, end : of the line, of the word, behind its first part (no white space), of the line.
    some, every : the classes that any byte of the first part has, and those that all have.
    """
    sign, digits = byte_at(data, joint), (some & DIGIT) != 0
    if sign == 58:
        if every & HEX and joint - at <= 4:
            stop = hex_chain(data, at, end)
            if stop > at:
                return stop, VALUE
        if joint == at + 1 and joint + 1 < end and byte_at(data, joint + 1) == 92 and _opened_by(data, start, at):
            return path_end(data, at, end), VALUE
    stop, digits, colons = compound_end(data, joint, end, digits)
    if stop + 2 < end and byte_at(data, stop) == 58 and byte_at(data, stop + 1) == 47 and byte_at(data, stop + 2) == 47:
        return path_end(data, stop + 1, end), VALUE
    if digits:
        if stop - at > 4 and is_time(data, at, stop, colons):
            return stop, TIME
        return unit_end(data, stop, end), VALUE
    if stop > joint:
        return stop, VALUE if is_host(data, at, stop, byte_at(data, stop) if stop < end else 0) else 0
    return stop, VALUE if every & HEX and stop - at >= 8 else said(data, start, at, stop)


@inlined
def said(data: Bytes, start: int, at: int, stop: int) -> int:
    """VALUE for a word right behind an equals sign that stands for a value, such as true."""
    behind = at > start and byte_at(data, at - 1) == 61
    return VALUE if behind and meaning_of(data, at, stop) & SAID else 0


@inlined
def is_path(data: Bytes, at: int, end: int) -> bool:
    """Whether a path starts at this slash, dot, tilde or backslash."""
    ahead = at
    while ahead < end and ahead < at + 2 and (byte_at(data, ahead) == 46 or byte_at(data, ahead) == 126):
        ahead += 1
    if ahead >= end or (byte_at(data, ahead) != 47 and byte_at(data, ahead) != 92):
        return False
    ahead += 1
    if ahead >= end:
        return False
    return bool(flags_at(data, ahead) & WORD) or byte_at(data, ahead) == 46 or byte_at(data, ahead) == 92


@inlined
def empty_pair(data: Bytes, at: int, end: int) -> bool:
    """Whether an empty pair of brackets or quotes starts here, standing for a value that is missing."""
    if at + 1 >= end:
        return False
    byte, behind = byte_at(data, at), byte_at(data, at + 1)
    return (
        (byte == 40 and behind == 41)
        or (byte == 91 and behind == 45 and at + 2 < end and byte_at(data, at + 2) == 93)
        or (byte == 91 and behind == 93)
        or ((byte == 34 or byte == 39) and behind == byte and (at + 2 >= end or byte_at(data, at + 2) != byte))
    )


@inlined
def _is_zone_shift(data: Bytes, at: int, stop: int) -> bool:
    if stop - at != 4:
        return False
    if byte_at(data, at - 1) == 43 or byte_at(data, at - 1) == 45:
        return True
    century, decade = byte_at(data, at), byte_at(data, at + 1)
    return bool((century == 49 and decade == 57) or (century == 50 and decade == 48))


@inlined
def key_letters(data: Bytes, at: int, stop: int) -> int:
    """How many letters begin a word with digits that is the key of key=value; they are kept."""
    last = at
    while last < stop and flags_at(data, last) & WORD and not flags_at(data, last) & DIGIT:
        last += 1
    return last - at


@inlined
def word_at(data: Bytes, start: int, at: int, end: int, out: Bytes, n: int) -> tuple[int, int]:
    """Where the word that starts here ends and whether it is a parameter; its first part is written to ``out``."""
    every = some = flags = flags_at(data, at)
    stop = at
    while True:
        out[np.uintp(n + stop - at)] = byte_at(data, stop)
        stop += 1
        if stop >= end:
            break
        flags = flags_at(data, stop)
        if not flags & WORD:
            break
        every &= flags
        some |= flags
    if stop < end and not flags & SPACE:
        return variable_end(data, start, at, stop, end, some, every)
    if some & DIGIT:
        return unit_end(data, stop, end), VALUE
    if every & HEX and stop - at >= 8:
        return stop, VALUE
    return stop, said(data, start, at, stop)


@inlined
def mark_at(data: Bytes, start: int, at: int, end: int) -> tuple[int, int]:
    """Where the parameter that begins with a mark behind an opening one ends; the same place and 0 if none does."""
    byte, stop = byte_at(data, at), at
    if byte == MASK or byte == OWN:
        return at + 1, MASKED if byte == MASK else VALUE
    if byte == 47 or byte == 46 or byte == 126 or byte == 92:
        stop = path_end(data, at, end) if is_path(data, at, end) else at
    elif byte == 42:
        stop = stars_end(data, at, end)
    elif byte == 58:
        stop = hex_chain(data, at, end)
    elif (byte == 34 or byte == 39) and at > start and byte_at(data, at - 1) == 61:
        stop = quoted_end(data, at, end)
    return stop, VALUE if stop > at else 0


@inlined
def sign_start(out: Bytes, n: int) -> int:
    """Where the signs that belong to a number begin in the shape."""
    sign = n
    while sign > 0 and flags_at(out, sign - 1) & SIGN:
        sign -= 1
    return sign if sign == 0 or flags_at(out, sign - 1) & OPENER else n


@lean
def shape_of(data: Bytes, start: int, end: int, out: Bytes, where: Bytes) -> int:
    """Write the shape of ``data[start:end]`` to ``out``, twice as long as the line and 64 more; return its length.

    ``where`` gets the place in ``data`` of every byte of the shape that begins a word, a mark or a parameter, and of
    what stands behind the last. ``mask`` is where the last parameter was written (-1: none), ``kind`` what it was,
    ``broken`` where the first byte behind it is that may not stand between the items of a list (-1: none), ``spaced``
    whether a space was; ``dates`` where names of months and days begin that a parameter would take with it (-1: none).
    """
    n, at, mask, kind, dates, broken, spaced = 0, start, -1, 0, -1, 0, False
    while at < end:
        byte = byte_at(data, at)
        first = flags_at(data, at)
        if first & SPACE:
            if n > 0 and byte_at(out, n - 1) != 32:
                out[np.uintp(n)], where[np.uintp(n)] = 32, at
                n += 1
                spaced = True
            at += 1
            continue
        if first & WORD:
            stop, found = word_at(data, start, at, end, out, n)
            if found == 0:
                date = meaning_of(data, at, stop) & (DATE | ZONE) if first & UPPER else 0
                if date and broken < 0 and (kind == TIME or (date == DATE and stop - at == 3)):
                    kind, n, spaced, at = TIME, mask + 1, False, stop
                    continue
                dates = (n if dates < 0 else dates) if date & DATE else -1
        elif first & CUE and (byte <= OWN or _opened_by(data, start, at)):
            stop, found = mark_at(data, start, at, end)
            if found == 0 and empty_pair(data, at, end):
                stop = at + 1 if byte_at(data, at + 1) != 45 else at + 2
                out[n], out[n + 1], out[n + 2] = byte, MASK, byte_at(data, stop)
                where[n], where[n + 1], where[n + 2] = at, at + 1, stop
                mask, kind, n, at, broken, dates = n + 1, VALUE, n + 3, stop + 1, n + 2, -1
                continue
        else:
            stop, found = at, 0
        if found == 0:
            if broken < 0 and not first & SEPARATOR:
                if byte == 41 or byte == 93 or byte == 125:
                    n = mask + 1
                broken = n
            where[np.uintp(n)] = at
            if first & WORD:
                for i in range(at, stop):
                    out[np.uintp(n + i - at)] = byte_at(data, i)
                n, at = n + stop - at, stop
            else:
                dates = dates if first & SEPARATOR else -1
                out[np.uintp(n)] = byte if byte >= 32 and byte != 127 else 63
                n, at = n + 1, at + 1
            continue
        kept = key_letters(data, at, stop) if first & WORD and stop < end and byte_at(data, stop) == 61 else 0
        for i in range(kept):
            out[np.uintp(n)], where[np.uintp(n)] = byte_at(data, at + i), at + i
            n, mask, kind, broken = n + 1, -1, 0, 0
        sign = sign_start(out, n) if first & DIGIT else n
        if mask >= 0 and broken >= sign:
            broken = -1
        begin = at + kept - (n - sign)
        if dates >= 0 and found != MASKED:
            sign, found, begin = dates, TIME, where[dates]
        elif found == VALUE and kind == TIME and broken < 0 and spaced and _is_zone_shift(data, at, stop):
            found = TIME
        if broken < 0 and (not spaced or (kind == found and found != MASKED)):
            n, kind = mask + 1, max(kind, found)
        else:
            mask, kind, n = sign, found, sign + 1
            out[np.uintp(mask)], where[np.uintp(mask)] = MASK, begin
        while stop < end and flags_at(data, stop) & SIGN and byte_at(data, stop) != 60 and byte_at(data, stop) != 45:
            stop += 1
        at, broken, spaced, dates = stop, -1, False, -1
    if n > 0 and byte_at(out, n - 1) == 32:
        return n - 1
    where[np.uintp(n)] = end
    return n


@lean
def hash_of(out: Bytes, words: Bytes, n: int) -> Word:
    """A 64-bit hash of the first ``n`` bytes; ``words`` is the same memory, eight bytes at a time, and room behind."""
    for i in range(n, n + 8):
        out[i] = 0
    total = np.uint64(n) * np.uint64(0x9E3779B97F4A7C15)
    for i in range((n + 7) >> 3):
        total = (total ^ words[i]) * np.uint64(0xFF51AFD7ED558CCD)
        total ^= total >> np.uint64(32)
    return total
