"""What the masks know of bytes and of words: classes of bytes as flags, names as sorted numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MASK = 1
"""The byte that stands for a parameter in a shape."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FLAGS = (
    _LETTERS + "0123456789_",  # WORD; bytes of other scripts are added below
    "0123456789",  # DIGIT
    "0123456789abcdefABCDEF",  # HEX
    " \t\n\r\v\f",  # SPACE
    ".-/@\\+~%#$",  # JOINER: stands between the parts of one name
    "-+#$*~<>@",  # SIGN: belongs to the number behind it
    " ,:.-/_+;",  # SEPARATOR: may stand between the items of a list
    " \t\n\r\v\f=:\"'([{,<>|;",  # OPENER: a path may start behind it
    "\"'<>(),;|",  # STOP: ends a path
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # UPPER
    ".:!?",  # TAIL: closes a sentence, not a path
)
DAYS = "Mon Tue Tues Wed Thu Thur Thurs Fri Sat Sun Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
MONTHS = (
    "Jan Feb Mar Apr May Jun Jul Aug Sep Sept Oct Nov Dec January February March April June July August September "
    "October November December"
)
ZONE_NAMES = "UTC GMT EST EDT CST CDT MST MDT PST PDT CET CEST BST JST IST MSK AEST AM PM"
UNIT_NAMES = (
    "B b KB kB MB GB TB PB KiB MiB GiB TiB bytes byte Bytes ns us ms s sec secs second seconds min mins minute minutes "
    "hr hrs hour hours day days"
)
DOMAIN_NAMES = "com org net edu gov mil int info biz local lan internal home arpa"
COUNTRY_NAMES = (
    "uk de fr nl ru cn jp kr br au ca ch se es pl tw eu cz dk fi gr hu il mx nz pt ro tr ua ar cl za th vn sg hk ie "
    "at it in co ir pk eg sa ae"
)
"""Only behind two dots: what has one is more often the name of a file."""
VALUE_NAMES = (
    "true false null none nil yes no on off True False TRUE FALSE Null NULL None YES NO Yes No nan NaN undefined"
)
"""Words that are values where they stand right behind an equals sign."""


def _classes() -> NDArray[np.uint16]:
    table = np.zeros(256, dtype=np.uint16)
    for i, members in enumerate(_FLAGS):
        table[list(members.encode())] |= np.uint16(1 << i)
    table[128:] |= np.uint16(1)
    return table


def numbered(names: Iterable[str]) -> NDArray[Any]:
    """Words of at most ten letters as sorted numbers, six bits a letter."""
    return np.unique(np.array([_number(name) for name in names], dtype=np.int64))


def _number(name: str) -> int:
    number = 0
    for letter in name:
        number = (number << 6) | (_LETTERS.index(letter) + 1)
    return number


CLASSES = _classes()
DATE_WORDS = numbered(name for name in f"{DAYS} {MONTHS}".split() if len(name) <= 10)
ZONES = numbered(ZONE_NAMES.split())
UNITS = numbered(UNIT_NAMES.split())
COUNTRIES = numbered(COUNTRY_NAMES.split())
VALUES = numbered(VALUE_NAMES.split())
TOP_DOMAINS = numbered(name for name in DOMAIN_NAMES.split() if len(name) <= 10)
