"""What can be measured of short text without knowing its language, one text at a time or a column at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LONGEST_SHAPE = 64
"""Shapes are cut off after this many characters."""

SHARES = {
    "digits": "[0-9]",
    "letters": "[A-Za-z\u0080-\U0010ffff]",
    "upper": "[A-Z]",
    "punctuation": r"[!-/:-@\[-`{-~]",
}
"""The characters whose share is measured. All beyond ASCII count as letters, so that no version of Unicode matters."""

WORD = r"[^ \t\r\n\f\v]+"

RUNS = (("[0-9]+", "9"), ("[A-Z]+", "A"), ("[a-z]+", "a"), ("[\u0080-\U0010ffff]+", "u"))
"""What is written for a run of like characters in a text's shape."""

MEASURES = ("length", "words", *SHARES)
"""What can be measured of a text by itself."""

_RUNS = [(re.compile(pattern), sign) for pattern, sign in RUNS]


def shape_of(text: str) -> str:
    """The text with every run of like characters replaced by one sign.

    >>> shape_of("Order AB-1234 for Zoë")
    'Aa A-9 a Aau'
    """
    for pattern, sign in _RUNS:
        text = pattern.sub(sign, text)
    return text[:LONGEST_SHAPE]


def shapes_of(words: pl.Series) -> pl.Series:
    """:func:`shape_of` for a String column."""
    for pattern, sign in RUNS:
        words = words.str.replace_all(pattern, sign)
    return words.str.head(LONGEST_SHAPE)


def measure(name: str) -> Callable[[str], float]:
    """The function that measures one text.

    >>> measure("length")("abc"), measure("digits")("a1"), measure("words")(" two  words ")
    (3.0, 0.5, 2.0)
    """
    if name == "length":
        return lambda text: float(len(text))
    if name == "words":
        split = re.compile(WORD)
        return lambda text: float(len(split.findall(text)))
    find = re.compile(SHARES[name]).findall
    return lambda text: len(find(text)) / (len(text) or 1)


def measured(words: pl.Series, name: str) -> NDArray[np.float64]:
    """:func:`measure` for a String column: (n,), NaN where missing."""
    length = words.str.len_chars().cast(pl.Float64)
    if name == "length":
        found = length
    elif name == "words":
        found = words.str.count_matches(WORD).cast(pl.Float64)
    else:
        found = words.str.count_matches(SHARES[name]).cast(pl.Float64) / length.clip(lower_bound=1.0)
    return found.fill_null(np.nan).to_numpy()
