"""Shapes of texts: what remains of a value when its letters and digits are forgotten, at four levels.

| level | ``"Dec 1, 6:55 a.m."`` |
|---|---|
| exact | ``Aaa 9, 9:99 a.a.`` |
| runs | ``A+a+ 9+, 9+:9+ a+.a+.`` |
| words | ``w 9, 9:9 w.w.`` |
| kind | ``text`` (or number, date, time, …) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "number": r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$",
    "number with commas": r"^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$",
    "amount of money": r"^[+-]?\s?[$€£¥]\s?\d[\d.,]*$|^[+-]?\d[\d.,]*\s?[$€£¥]$",
    "percentage": r"^[+-]?\d[\d.,]*\s?%$",
    "date": r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}$|^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})$",
    "date with a month's name": r"(?i)^(?:\d{1,2}|\d{4})?[\s,./-]*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]*[\s,./-]*\d{1,4}(?:[\s,./-]+\d{2,4})?$",
    "time": r"(?i)^\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s?(?:[ap]\.?m\.?)?$",
    "date and time": r"(?i)^\d{4}-\d{2}-\d{2}[t ]\d{1,2}:\d{2}.*$",
    "e-mail": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "address": r"(?i)^[a-z][a-z0-9+.-]*://\S+$",
    "phone": r"^\+?[\d().\s/-]*\d{3}[\s./-]\d{4}$",
    "number with a unit": r"^[+-]?\d[\d.,]*\s?(?:\p{L}+\.?)(?:[\s/]\p{L}+\.?)?$",
    "identifier": r"^(?:\p{L}+[-_./:#])*[\p{L}\d]*\d[\p{L}\d]*(?:[-_./:#][\p{L}\d]+)*$",
    "word": r"^[\p{L}\p{M}'’.-]+$",
}
"""Kinds of values by their looks; the first that fits counts."""

MEASURES = ("number", "number with commas", "amount of money", "percentage", "number with a unit")
"""Kinds whose number of digits is a matter of size, unless some begin with a 0."""


def exact(texts: pl.Series) -> pl.Series:
    """The shape with every letter and digit in its place.

    >>> exact(pl.Series(["Dec 1, 6:55 a.m."]))[0]
    'Aaa 9, 9:99 a.a.'
    """
    digits = texts.str.replace_all(r"\p{Nd}", "9")
    return digits.str.replace_all(r"\p{Lu}", "A").str.replace_all(r"[\p{Ll}\p{Lm}\p{Lo}]", "a")


def runs(texts: pl.Series) -> pl.Series:
    """The shape with runs of one class written once.

    >>> runs(pl.Series(["AA-3859-Iah"]))[0]
    'A+-9+-A+a+'
    """
    digits = texts.str.replace_all(r"\p{Nd}+", "9+")
    return digits.str.replace_all(r"\p{Lu}+", "A+").str.replace_all(r"[\p{Ll}\p{Lm}\p{Lo}]+", "a+")


def words(texts: pl.Series) -> pl.Series:
    """The shape in which a word is a word, and a row of words too.

    >>> words(pl.Series(["The old man, 12 years"]))[0]
    'w, 9 w'
    """
    plain = texts.str.replace_all(r"[\p{L}\p{M}]+", "w").str.replace_all(r"\p{Nd}+", "9")
    return plain.str.replace_all(r"w(?:\s+w)+", "w")


def kinds(texts: pl.Series) -> pl.Series:
    """What a value looks like.

    >>> kinds(pl.Series(["12.5", "2024-01-31", "6:55 a.m.", "12 oz", "some words here"])).to_list()
    ['number', 'date', 'time', 'number with a unit', 'text']
    """
    stripped = pl.col("value").str.strip_chars()
    chain: Any = pl.when(stripped == "").then(pl.lit("nothing"))
    for kind, pattern in KINDS.items():
        chain = chain.when(stripped.str.contains(pattern)).then(pl.lit(kind))
    return texts.rename("value").to_frame().select(chain.otherwise(pl.lit("text")))["literal"]


LEVELS = {"exact": exact, "runs": runs, "words": words, "kind": kinds}
