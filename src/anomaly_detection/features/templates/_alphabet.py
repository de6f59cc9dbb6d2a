"""What the masks know of bytes and of words: classes of bytes as flags, names as sorted numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

TABLE = 1024
DATE, ZONE, UNIT, DOMAIN, COUNTRY, SAID = (1 << i for i in range(6))
"""What a word can be: name of a month or day, time zone, unit, top domain, country's domain, value such as true."""
MASK, OWN = 1, 2
"""The byte that stands for a parameter in a shape, and the one that stands in a line for what a user's mask found."""

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


_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FLAGS = (
    _LETTERS + "0123456789_",  # WORD; bytes of other scripts are added below
    "0123456789",  # DIGIT
    "0123456789abcdefABCDEF",  # HEX
    " \t\n\r\v\f",  # SPACE
    ".-/@\\+~%#$",  # JOINER: stands between the parts of one name
    "-+#$*~<>@",  # SIGN: belongs to the number behind it
    " ,:.-/+;",  # SEPARATOR: may stand between the items of a list
    " \t\n\r\v\f=:\"'([{,>|;",  # OPENER: a path may start behind it
    "\"'<>(),;|",  # STOP: ends a path
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # UPPER
    ".:!?",  # TAIL: closes a sentence, not a path
    "\x01\x02./~\\*:\"'([",  # CUE: a parameter may start here that is no word
    "".join(sorted({name[0] for name in UNIT_NAMES.split()})),  # HEAD: a unit may start with it
)


def _classes() -> NDArray[np.uint16]:
    table = np.zeros(256, dtype=np.uint16)
    for i, members in enumerate(_FLAGS):
        table[list(members.encode())] |= np.uint16(1 << i)
    table[128:] |= np.uint16(1)
    return table


def _table(names: Mapping[int, Iterable[str]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Words of at most ten letters as numbers in a hash table, and what each of them is."""
    held, meanings = np.zeros(TABLE, np.int64), np.zeros(TABLE, np.int64)
    for meaning, words in names.items():
        for word in words:
            number = _number(word)
            place = place_of(number)
            while held[place] not in {0, number}:
                place = (place + 1) % TABLE
            held[place], meanings[place] = number, meanings[place] | meaning
    return held, meanings


def _number(name: str) -> int:
    """Six bits a letter, as ``name_of`` reads them from bytes."""
    number = 0
    for letter in name:
        number = (number << 6) | (_LETTERS.index(letter) + 1)
    return number


def place_of(number: int) -> int:
    """Where a word is looked for first."""
    return (number ^ (number >> 17) ^ (number >> 33)) & (TABLE - 1)


def _short(names: str) -> list[str]:
    return [name for name in names.split() if len(name) <= 10]


CLASSES = _classes()
NAMES, MEANINGS = _table(
    {
        DATE: _short(f"{DAYS} {MONTHS}"),
        ZONE: _short(ZONE_NAMES),
        UNIT: _short(UNIT_NAMES),
        DOMAIN: _short(DOMAIN_NAMES),
        COUNTRY: _short(COUNTRY_NAMES),
        SAID: _short(VALUE_NAMES),
    }
)
