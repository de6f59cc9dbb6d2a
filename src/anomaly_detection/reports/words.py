"""Values as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

LONGEST = 200
"""The most characters of a value."""

DAY = 86_400.0
_START = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float) -> str:
    """A number with as many digits as a reader needs.

    >>> number(1234567.0), number(48.97122), number(0.000031), number(3)
    ('1,234,567', '48.97', '3.1e-05', '3')
    """
    if isinstance(value, int) or (1000 <= abs(value) < 1e15):
        return f"{value:,.0f}"
    if value and abs(value) < 0.001:
        return f"{value:.2g}"
    return f"{value:.4g}"


def percent(share: float) -> str:
    """A share in per cent.

    >>> percent(0.5), percent(0.0123), percent(0.00001), percent(0)
    ('50 %', '1.2 %', '< 0.1 %', '0 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.0f} %" if share in (0, 1) or share >= 0.0995 else f"{100 * share:.1f} %"


def plain(value: object, most: int = LONGEST) -> str:
    r"""Text in one line, with control characters shown instead of obeyed, shortened where it is long.

    >>> plain("a\x1b[31m\nb")
    'a\\x1b[31m b'
    """
    words = " ".join(str(value)[: 4 * most].split())
    words = "".join(each if each.isprintable() else repr(each)[1:-1] for each in words)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def shown(value: Any, most: int = LONGEST) -> str:
    """A value of a record.

    >>> shown(None), shown(True), shown(5257.35), shown("NL"), shown([1, 2])
    ('missing', 'true', '5,257.35', 'NL', '[1, 2]')
    """
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:,.7g}" if 1e-4 <= abs(value) < 1e7 else number(value) if math.isfinite(value) else str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**30 else plain(f"{value:.6e}" if abs(value) < 10**300 else "huge")
    return plain(value, most)


def joined(key: Any, most: int = LONGEST) -> str:
    """A key, the parts of one of several columns joined.

    >>> joined("eu/web"), joined(["eu", "web", 3]), joined(1042), joined(None)
    ('eu/web', 'eu/web/3', '1,042', '')
    """
    if isinstance(key, list | tuple):
        return plain("/".join("" if part is None else str(part) for part in key), most)
    return "" if key is None else shown(key, most)


def moment(seconds: float, step: float = 1.0) -> str:
    """A point in time, as exactly as steps of so many seconds ask for.

    >>> moment(0.0), moment(1e9, 3600.0), moment(1e9, 86400.0)
    ('1970-01-01 00:00:00', '2001-09-09 01:46', '2001-09-09')
    """
    try:
        when = _START + timedelta(seconds=seconds)
    except OverflowError:
        return number(seconds)
    return when.strftime("%Y-%m-%d" if step >= DAY else "%Y-%m-%d %H:%M" if step >= 60 else "%Y-%m-%d %H:%M:%S")


def clock(seconds: float) -> str:
    """A time of day.

    >>> clock(5400.0), clock(86400.0)
    ('01:30', '24:00')
    """
    minutes = round(seconds / 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def listed(words: list[str], most: int = 3) -> str:
    """Some words as one phrase.

    >>> listed(["a", "b", "c"]), listed(["a", "b", "c", "d"])
    ('a, b and c', 'a, b, c and 1 more')
    """
    kept = words if len(words) <= most else [*words[:most], f"{len(words) - most} more"]
    return kept[0] if len(kept) == 1 else f"{', '.join(kept[:-1])} and {kept[-1]}" if kept else ""
