"""Levels and numbers read from bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT, READ, REFUSED, UNREADABLE, LONG = 0, 1, 2, 3, 4
"""What was found: nothing; a number; NaN, infinity or one below 0; something else; more digits than fit here."""

TENS = 10.0 ** np.arange(23)


@inlined
def is_blank(byte: int) -> bool:
    """Whether a byte is a blank or a tab."""
    return byte in (32, 9)


@inlined
def packed(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Up to 8 bytes, letters large, as one number."""
    value = np.uint64(0)
    for i in range(at, min(at + 8, end)):
        byte = np.uint64(text[i])
        if 97 <= byte <= 122:
            byte -= np.uint64(32)
        value = (value << np.uint64(8)) | byte
    return value  # type: ignore[return-value]


@lean
def read_levels(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    words: NDArray[np.uint64],
    codes: NDArray[np.int8],
    scales: NDArray[np.int8],
    scale: NDArray[np.int64],
    found: NDArray[np.int8],
) -> None:
    """Read many levels.

    Parameters
    ----------
    text : the bytes.
    starts, ends : (rows,) where each stands; a start of -1 is a missing one.
    words : (words, 2) the known ones, each packed as two numbers.
    codes : (words,) what they mean.
    scales : (scales, 64) what the numbers 0 to 63 mean on each scale, -2 for nothing.
    scale : (rows,) which scale a number is on.
    found : (rows,) filled with the code, -1 where missing, -2 where unknown.
    """
    for i in range(starts.shape[0]):
        at, end = starts[i], ends[i]
        found[i] = -1
        if at < 0:
            continue
        while at < end and (is_blank(text[at]) or text[at] == 91):
            at += 1
        while end > at and (is_blank(text[end - 1]) or text[end - 1] in (93, 58)):
            end -= 1
        if at == end:
            continue
        found[i] = -2
        if end - at > 16:
            continue
        if 48 <= text[at] <= 57:
            value = 0
            for j in range(at, end):
                value = value * 10 + (text[j] - 48) if 48 <= text[j] <= 57 and value < 64 else 64
            if value < 64:
                found[i] = scales[scale[i], value]
            continue
        first, second = packed(text, at, end), packed(text, at + 8, end)
        for j in range(words.shape[0]):
            if words[j, 0] == first and words[j, 1] == second:
                found[i] = codes[j]
                break


@lean
def read_number(text: NDArray[np.uint8], at: int, end: int) -> tuple[float, int, int]:
    """Read the number at the start of a text: its value, exact to the last bit; what was found; the position after."""
    sign = 1.0
    if at < end and text[at] in (45, 43):
        sign = -1.0 if text[at] == 45 else 1.0
        at += 1
    mantissa = 0
    shown = 0
    exponent = 0
    begin = at
    while at < end and 48 <= text[at] <= 57:
        if shown < 18:
            mantissa = mantissa * 10 + (text[at] - 48)
        shown += 1 if mantissa > 0 else 0
        at += 1
    whole = at - begin
    if at < end and text[at] == 46:
        at += 1
        while at < end and 48 <= text[at] <= 57:
            if shown < 18:
                mantissa = mantissa * 10 + (text[at] - 48)
                exponent -= 1
            shown += 1 if mantissa > 0 else 0
            at += 1
            whole += 1
    if whole == 0 or begin == at:
        return 0.0, UNREADABLE, at
    if at + 1 < end and (text[at] | 32) == 101:
        next_at = at + 1
        minus = text[next_at] == 45
        if text[next_at] in (43, 45):
            next_at += 1
        count = 0
        power = 0
        while next_at < end and 48 <= text[next_at] <= 57:
            power = min(power * 10 + (text[next_at] - 48), 9999)
            next_at += 1
            count += 1
        if count > 0:
            exponent += -power if minus else power
            at = next_at
    if shown > 15 or exponent > 22 or exponent < -22:
        return 0.0, LONG, at
    value = mantissa / TENS[-exponent] if exponent < 0 else mantissa * TENS[exponent]
    return sign * value, READ, at


@inlined
def unit_of(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The power of ten from a unit of time to milliseconds; 99 for another text, 60 and 61 for minutes and hours."""
    while at < end and text[at] == 32:
        at += 1
    length = end - at
    first = text[at] | 32 if length else 0
    second = text[at + 1] | 32 if length > 1 else 0
    if length == 1:
        return 3 if first == 115 else 60 if first == 109 else 61 if first == 104 else 99
    if length == 2 and second == 115:
        return 0 if first == 109 else -3 if first == 117 else -6 if first == 110 else 99
    if length == 3:
        third = text[at + 2] | 32
        if third == 115 and text[at] in (194, 206):  # the two letters mu, as UTF-8
            return -3
        if first == 115 and second == 101 and third == 99:
            return 3
        if first == 109 and second == 105 and third == 110:
            return 60
    return 99


@lean
def read_durations(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    powers: NDArray[np.int64],
    long: NDArray[np.float64],
    values: NDArray[np.float64],
    states: NDArray[np.uint8],
) -> None:
    """Read many durations as milliseconds.

    Parameters
    ----------
    text : the bytes.
    starts, ends : (rows,) where each stands; a start of -1 is a missing one.
    powers : (rows,) the power of ten from the unit of the field to milliseconds; a unit in the text goes before it.
    long : (rows,) the number of a text with more digits than fit here, NaN where it is not known yet; or no rows.
    values, states : (rows,) filled with milliseconds and with what was found.
    """
    for i in range(starts.shape[0]):
        at, end = starts[i], ends[i]
        values[i], states[i] = np.nan, ABSENT
        if at < 0:
            continue
        while at < end and is_blank(text[at]):
            at += 1
        while end > at and is_blank(text[end - 1]):
            end -= 1
        if at == end or (end - at == 1 and text[at] == 45):
            continue
        value, states[i], after = read_number(text, at, end)
        if states[i] == UNREADABLE:
            states[i] = REFUSED if not_a_number(text, at, end) else UNREADABLE
            continue
        power = powers[i]
        if after < end:
            power = unit_of(text, after, end)
        if power == 99:
            states[i] = UNREADABLE
            continue
        if states[i] == LONG:
            if long.shape[0] == 0:
                continue
            value, states[i] = long[i], READ
        if power >= 60:
            value *= 60_000.0 if power == 60 else 3_600_000.0
        else:
            value = value / TENS[-power] if power < 0 else value * TENS[power]
        if value < 0 or not np.isfinite(value):
            states[i] = REFUSED
        else:
            values[i] = value + 0.0


@inlined
def not_a_number(text: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether the text says NaN or infinity."""
    if at < end and text[at] in (43, 45):
        at += 1
    if end - at not in (3, 8):
        return False
    a, b, c = text[at] | 32, text[at + 1] | 32, text[at + 2] | 32
    return (a == 110 and b == 97 and c == 110 and end - at == 3) or (a == 105 and b == 110 and c == 102)


@lean
def read_wholes(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    values: NDArray[np.int64],
    states: NDArray[np.uint8],
) -> None:
    """Read many whole numbers of at most 15 digits; ``200.0`` is one; (rows,) each, as for durations."""
    for i in range(starts.shape[0]):
        at, end = starts[i], ends[i]
        values[i], states[i] = 0, ABSENT
        if at < 0:
            continue
        while at < end and is_blank(text[at]):
            at += 1
        while end > at and is_blank(text[end - 1]):
            end -= 1
        if at == end or (end - at == 1 and text[at] == 45):
            continue
        value, state, after = read_number(text, at, end)
        whole = state == READ and after == end and value == np.floor(value) and abs(value) < 1e15
        states[i] = READ if whole else UNREADABLE
        if whole:
            values[i] = np.int64(value)
