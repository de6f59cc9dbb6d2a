"""Time stamps read from bytes: one pass over each, no allocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

ABSENT, INSTANT, NAIVE, UNREADABLE = 0, 1, 2, 3
"""What was found: nothing; a time with its zone; a time without one (as if it were UTC); something else."""

SECOND = 1_000_000
DAY = 86_400 * SECOND
MONTHS = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", np.uint8)
BAD = -(1 << 62)
"""In place of microseconds: not a time."""


@inlined
def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar; BAD for a day that does not exist."""
    if year < 1 or month < 1 or month > 12 or day < 1 or day > 31:
        return BAD
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if day > 30 and month in (4, 6, 9, 11):
        return BAD
    if month == 2 and day > (29 if leap else 28):
        return BAD
    past = year - 1
    before = past * 365 + past // 4 - past // 100 + past // 400
    in_year = (367 * month - 362) // 12
    if month > 2:
        in_year -= 1 if leap else 2
    return before + in_year + day - 719_163


@inlined
def digits(text: NDArray[np.uint8], at: int, end: int) -> int:
    """How many digits stand here."""
    count = 0
    while at + count < end and 48 <= text[at + count] <= 57:
        count += 1
    return count


@inlined
def number(text: NDArray[np.uint8], at: int, count: int) -> int:
    """The whole number of ``count`` digits that stand here; at most 18."""
    value = 0
    for i in range(at, at + count):
        value = value * 10 + (text[i] - 48)
    return value


@inlined
def month_of(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The month whose three letters stand here, 0 if none does."""
    if at + 3 > end:
        return 0
    for month in range(12):
        if (
            (text[at] | 32) == MONTHS[3 * month]
            and (text[at + 1] | 32) == MONTHS[3 * month + 1]
            and (text[at + 2] | 32) == MONTHS[3 * month + 2]
        ):
            return month + 1
    return 0


@inlined
def blanks(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The position after blanks."""
    while at < end and text[at] == 32:
        at += 1
    return at


@lean
def clock(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Read ``HH:MM[:SS[.ffffff]]`` or ``HHMMSS``: microseconds of the day, and the position after it."""
    count = digits(text, at, end)
    if count == 6:
        hour, minute, second = number(text, at, 2), number(text, at + 2, 2), number(text, at + 4, 2)
        at += 6
    else:
        if count < 1 or count > 2 or at + count + 2 >= end or text[at + count] != 58:
            return BAD, at
        hour = number(text, at, count)
        at += count + 1
        if digits(text, at, end) != 2:
            return BAD, at
        minute = number(text, at, 2)
        second = 0
        at += 2
        if at < end and text[at] == 58:
            if digits(text, at + 1, end) != 2:
                return BAD, at
            second = number(text, at + 1, 2)
            at += 3
    if hour > 23 or minute > 59 or second > 60:
        return BAD, at
    value = ((hour * 60 + minute) * 60 + second) * SECOND
    if at + 1 < end and (text[at] in (46, 44, 58)) and 48 <= text[at + 1] <= 57:
        fraction = digits(text, at + 1, end)
        shown = min(fraction, 6)
        value += number(text, at + 1, shown) * 10 ** (6 - shown)
        at += 1 + fraction
    return value, at


@lean
def zone(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Read what follows the time of day: the offset from UTC in microseconds, and INSTANT, NAIVE or UNREADABLE."""
    at = blanks(text, at, end)
    if at == end:
        return 0, NAIVE
    if (text[at] | 32) == 122 and (end - at == 1 or text[at + 1] == 91):
        return 0, INSTANT
    if end - at == 3:
        a, b, c = text[at] | 32, text[at + 1] | 32, text[at + 2] | 32
        if (a == 117 and b == 116 and c == 99) or (a == 103 and b == 109 and c == 116):
            return 0, INSTANT
    if text[at] not in (43, 45):
        return 0, UNREADABLE
    sign = 1 if text[at] == 43 else -1
    count = digits(text, at + 1, end)
    if count not in (2, 4):
        return 0, UNREADABLE
    minutes = number(text, at + 1, 2) * 60
    at += 1 + count
    if count == 4:
        minutes += number(text, at - 2, 2)
    elif at < end and text[at] == 58:
        if digits(text, at + 1, end) != 2:
            return 0, UNREADABLE
        minutes += number(text, at + 1, 2)
        at += 3
    if minutes > 18 * 60 or (at < end and text[at] != 91):  # [Europe/Berlin] after an offset says nothing new
        return 0, UNREADABLE
    return sign * minutes * 60 * SECOND, INSTANT


@lean
def epoch(text: NDArray[np.uint8], at: int, end: int, count: int) -> int:
    """Read a number since 1970: seconds, milli-, micro- or nanoseconds by its size, fractions cut at microseconds."""
    if count > 18 and not (count == 19 and text[at] <= 56):
        return BAD
    whole = number(text, at, count)
    if whole < 100_000_000_000:
        unit = 1_000_000
    elif whole < 100_000_000_000_000:
        unit = 1_000
    elif whole < 100_000_000_000_000_000:
        unit = 1
    else:
        unit = 0
    value = whole * unit if unit else whole // 1_000
    at += count
    if at == end:
        return value
    fraction = digits(text, at + 1, end)
    if text[at] not in (46, 44) or at + 1 + fraction != end:
        return BAD
    scale = unit
    for i in range(at + 1, end):
        scale //= 10
        if scale == 0:
            break
        value += (text[i] - 48) * scale
    return value


@lean
def yearless(month: int, day: int, tod: int, reference: int) -> int:
    """The latest such time that is at most a day after the reference (microseconds since 1970)."""
    year = 1970 + reference // (365 * DAY + DAY // 4) + 2
    for back in range(12):
        days = days_of(year - back, month, day)
        if days != BAD and days * DAY + tod <= reference + DAY:
            return days * DAY + tod
    return BAD


@inlined
def century(year: int) -> int:
    """The year that two digits mean: 1969 to 2068."""
    return year + (1900 if year >= 69 else 2000)


@lean
def finished(text: NDArray[np.uint8], at: int, end: int, days: int) -> tuple[int, int]:
    """Read the time of day and the zone after a date."""
    if days == BAD:
        return 0, UNREADABLE
    if at == end:
        return days * DAY, NAIVE
    if text[at] not in (32, 84, 116, 45, 58, 95):
        return 0, UNREADABLE
    tod, at = clock(text, blanks(text, at + 1, end), end)
    if tod == BAD:
        return 0, UNREADABLE
    offset, state = zone(text, at, end)
    return days * DAY + tod - offset, state


@lean
def named_month(text: NDArray[np.uint8], at: int, end: int, reference: int) -> tuple[int, int]:
    """Read ``Dec 10 06:55:46``, also with a year before or after the time of day."""
    month = month_of(text, at, end)
    at = blanks(text, at + 3, end)
    count = digits(text, at, end)
    if month == 0 or count < 1 or count > 2:
        return 0, UNREADABLE
    day = number(text, at, count)
    at = blanks(text, at + count, end)
    if digits(text, at, end) == 4:
        return finished(text, at + 4, end, days_of(number(text, at, 4), month, day))
    tod, at = clock(text, at, end)
    if tod == BAD:
        return 0, UNREADABLE
    at = blanks(text, at, end)
    if end - at == 4 and digits(text, at, end) == 4:
        days = days_of(number(text, at, 4), month, day)
        return (days * DAY + tod, NAIVE) if days != BAD else (0, UNREADABLE)
    offset, state = zone(text, at, end)
    value = yearless(month, day, tod, reference)
    if value == BAD:
        return 0, UNREADABLE
    return value - offset, state


@lean
def day_first(text: NDArray[np.uint8], at: int, end: int, count: int) -> tuple[int, int]:
    """Read ``10/Oct/2000:13:55:36 -0700`` and ``21 Oct 2015 07:28:00 GMT``."""
    day = number(text, at, count)
    at += count
    mark = text[at]
    month = month_of(text, at + 1, end)
    at += 4
    if at >= end or text[at] != mark:
        return 0, UNREADABLE
    if digits(text, at + 1, end) != 4:
        return 0, UNREADABLE
    return finished(text, at + 5, end, days_of(number(text, at + 1, 4), month, day))


@lean
def short_first(text: NDArray[np.uint8], at: int, end: int, reference: int) -> tuple[int, int]:
    """Read ``24/12/31 …`` (year first), ``12/31/2024 …`` (month first), ``31-12-2024 …`` (day first), ``12-31 …``."""
    mark = text[at + 2]
    first = number(text, at, 2)
    at += 3
    if digits(text, at, end) != 2:
        return 0, UNREADABLE
    second = number(text, at, 2)
    at += 2
    if at < end and text[at] == 32 and mark == 45:
        tod, at = clock(text, blanks(text, at, end), end)
        value = yearless(first, second, tod, reference) if tod != BAD else BAD
        if value == BAD:
            return 0, UNREADABLE
        offset, state = zone(text, at, end)
        return value - offset, state
    if at >= end or text[at] != mark:
        return 0, UNREADABLE
    count = digits(text, at + 1, end)
    if count == 4:
        month, day = (first, second) if mark == 47 else (second, first)
        return finished(text, at + 5, end, days_of(number(text, at + 1, 4), month, day))
    if count == 2 and mark == 47:
        return finished(text, at + 3, end, days_of(century(first), second, number(text, at + 1, 2)))
    return 0, UNREADABLE


@lean
def year_first(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Read ``2024-12-31T23:59:59.123+01:00`` and its kin."""
    year, mark = number(text, at, 4), text[at + 4]
    at += 5
    count = digits(text, at, end)
    if count < 1 or count > 2 or at + count >= end or text[at + count] != mark:
        return 0, UNREADABLE
    month = number(text, at, count)
    at += count + 1
    count = digits(text, at, end)
    if count < 1 or count > 2:
        return 0, UNREADABLE
    return finished(text, at + count, end, days_of(year, month, number(text, at, count)))


@lean
def read_time(text: NDArray[np.uint8], at: int, end: int, reference: int) -> tuple[int, int]:
    """Read one time stamp: microseconds since 1970, and what was found."""
    while at < end and text[at] in (32, 9, 91, 34):
        at += 1
    while end > at and text[end - 1] in (32, 9, 93, 34):
        end -= 1
    if at == end or (end - at == 1 and text[at] == 45):
        return 0, ABSENT
    if end - at > 64:
        return 0, UNREADABLE
    count = digits(text, at, end)
    if count == 0:
        if (text[at] | 32) < 97 or (text[at] | 32) > 122:
            return 0, UNREADABLE
        if month_of(text, at, end):
            return named_month(text, at, end, reference)
        at += 3  # the day of the week
        if at < end and text[at] == 44:
            at += 1
        if at >= end or text[at] != 32:
            return 0, UNREADABLE
        at = blanks(text, at, end)
        if month_of(text, at, end):
            return named_month(text, at, end, reference)
        count = digits(text, at, end)
        if count < 1 or count > 2 or at + count >= end:
            return 0, UNREADABLE
        return day_first(text, at, end, count)
    following = text[at + count] if at + count < end else 0
    if count == 4 and following in (45, 47, 46):
        return year_first(text, at, end)
    if count <= 2 and following in (47, 32, 45) and month_of(text, at + count + 1, end):
        return day_first(text, at, end, count)
    if count == 2 and following in (47, 45):
        return short_first(text, at, end, reference)
    if count == 8 and following in (84, 116, 32, 45):
        days = days_of(number(text, at, 4), number(text, at + 4, 2), number(text, at + 6, 2))
        return finished(text, at + 8, end, days)
    if count == 4 and following == 32:
        tod, after = clock(text, at + 5, end)
        value = yearless(number(text, at, 2), number(text, at + 2, 2), tod, reference) if tod != BAD else BAD
        if value == BAD:
            return 0, UNREADABLE
        offset, state = zone(text, after, end)
        return value - offset, state
    if count == 6 and following == 32:
        days = days_of(century(number(text, at, 2)), number(text, at + 2, 2), number(text, at + 4, 2))
        return finished(text, at + 6, end, days)
    value = epoch(text, at, end, count)
    return (value, INSTANT) if value != BAD else (0, UNREADABLE)


@inlined
def two(text: NDArray[np.uint8], at: int) -> Any:
    """The number of the two digits that stand here; at least 1,000 off if they are none."""
    tens, ones = np.int64(text[at]) - 48, np.int64(text[at + 1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else 100_000


@lean
def iso_seconds(text: NDArray[np.uint8], at: int, end: int, same: int, days: int) -> tuple[int, int, int]:
    """Read ``2024-12-31T23:59:59.123Z``, the commonest kind, as quickly as can be.

    Parameters
    ----------
    text, at, end : the bytes, and where the time stamp stands.
    same : where one with the date of ``days`` stands, -1 if there is none.
    days : of the date before.

    Returns
    -------
    Microseconds since 1970, or BAD for what another has to read; and ``same`` and ``days`` for the next one.
    """
    length = end - at
    if length < 20 or length > 30 or text[end - 1] != 90 or text[at + 10] not in (84, 32):
        return BAD, same, days
    alike = same >= 0
    if alike:
        for i in range(10):
            if text[same + i] != text[at + i]:
                alike = False
                break
    if not alike:
        year = two(text, at) * 100 + two(text, at + 2)
        if text[at + 4] != 45 or text[at + 7] != 45 or year > 9999:
            return BAD, same, days
        days = days_of(year, two(text, at + 5), two(text, at + 8))
        if days == BAD:
            return BAD, -1, days
        same = at
    hour, minute, second = two(text, at + 11), two(text, at + 14), two(text, at + 17)
    if text[at + 13] != 58 or text[at + 16] != 58 or hour > 23 or minute > 59 or second > 60:
        return BAD, same, days
    micros = 0
    if length > 20:
        if text[at + 19] != 46 or length == 21:
            return BAD, same, days
        scale = 100_000
        for i in range(at + 20, end - 1):
            digit: Any = np.int64(text[i]) - 48
            if digit < 0 or digit > 9:
                return BAD, same, days
            micros += digit * scale
            scale //= 10
    return days * DAY + ((hour * 60 + minute) * 60 + second) * SECOND + micros, same, days


@lean
def read_times(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    reference: int,
    times: NDArray[np.int64],
    states: NDArray[np.uint8],
) -> None:
    """Read many time stamps.

    Parameters
    ----------
    text : the bytes.
    starts, ends : (rows,) where each stands; a start of -1 is a missing one.
    reference : microseconds since 1970; a time without a year is the latest that is at most a day after it.
    times : (rows,) filled with microseconds since 1970.
    states : (rows,) filled with what was found.
    """
    same, days = -1, 0
    for i in range(starts.shape[0]):
        if starts[i] < 0:
            times[i], states[i] = 0, ABSENT
            continue
        value, same, days = iso_seconds(text, starts[i], ends[i], same, days)
        if value == BAD:
            times[i], states[i] = read_time(text, starts[i], ends[i], reference)
        else:
            times[i], states[i] = value, INSTANT
