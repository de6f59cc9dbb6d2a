"""Ways of writing the same thing that differ within a column: evidence that no agreement with other columns takes away.

A wrong notation is often systematic: whatever determines the value determines the notation too, so the soft
dependencies agree with it. What speaks against it is that the column has more than one notation, or that the notation
can be read in more than one way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

LIKELY = 0.6
"""How probable it is that a notation is wrong when nearly all of the column is written otherwise."""

AMBIGUOUS = -1.5
"""Log odds of a date that can be read in several ways."""

MOST_WAYS = 12
"""More ways to dress a number are words beside it."""

FIXED = 0.95
"""The share of numbers of one width from which on the width is meant."""

_PADDED = r"^\s*[+-]?(?:\d+\.\d*0|\d+\.)\s*$"
_LEADING = r"^\s*[+-]?0\d+"
_DRESSED = r"^\s*[$€£¥]?\s?[+-]?\d[\d,]*\.?\d*\s?(?:[%$€£¥]|\p{L}[\p{L}./ ]{0,16})?\s*$"
_BARE = r"^\s*[+-]?\d+\.?\d*\s*$"
_DATE = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{2})$"


def notation_odds(column: CodedColumn) -> NDArray[np.float64]:
    """(u,) log odds by notation, -inf where nothing speaks against it."""
    out = np.full(len(column.missing), -np.inf)
    for odds in (padded_odds, dressed_odds, ambiguous_odds):
        out = np.maximum(out, odds(column))
    return out


def padded_odds(column: CodedColumn) -> NDArray[np.float64]:
    """Numbers with zeros that say nothing, in a column whose numbers are not all written to the same width."""
    out = np.full(len(column.missing), -np.inf)
    if not column.is_numeric or column.type != "text":
        return out
    known = ~np.isnan(column.numbers)
    widths = column.texts.str.len_chars().to_numpy().astype(np.int64)
    for pattern, size in ((_PADDED, decimals(column.texts)), (_LEADING, widths)):
        found = column.texts.str.contains(pattern).to_numpy() & known
        alike = np.bincount(size[known], weights=column.counts[known]) / column.counts[known].sum()
        if found.any() and alike.max() < FIXED:
            out[found] = otherwise_odds(column.counts[found].sum() / column.filled)
    return out


def otherwise_odds(share: float) -> float:
    """Log odds of a notation that this share of the column has, where the rest is written otherwise."""
    wrong = LIKELY * (1.0 - share)
    return float(np.log(max(wrong, 1e-9) / (1.0 - wrong)))


def decimals(texts: pl.Series) -> NDArray[np.int64]:
    """How many digits follow the decimal point."""
    return texts.str.extract(r"\.(\d+)\s*$", 1).str.len_chars().fill_null(0).to_numpy().astype(np.int64)


def dressed_odds(column: CodedColumn) -> NDArray[np.float64]:
    """Numbers with a unit, a sign or commas, in a column in which others are bare or are dressed otherwise."""
    out = np.full(len(column.missing), -np.inf)
    dressed = column.texts.str.contains(_DRESSED).to_numpy() & ~column.missing
    if column.type != "text" or not column.filled or column.counts[dressed].sum() < 0.8 * column.filled:
        return out
    ways = column.texts.str.strip_chars().str.replace_all(r"\d[\d.]*", "9").str.replace_all("9(,9)+", "9,9")
    codes = ways.rank("dense").to_numpy().astype(np.int64) - 1
    several = dressed & (np.bincount(codes, weights=dressed)[codes] >= 2)
    few = len(np.unique(codes[several])) <= MOST_WAYS
    if not few or column.counts[several].sum() < 0.8 * column.counts[dressed].sum():
        return out
    share = np.bincount(codes[several], weights=column.counts[several], minlength=codes.max() + 1) / column.filled
    told = several & ~column.texts.str.contains(_BARE).to_numpy()
    out[told] = [otherwise_odds(one) for one in share[codes[told]].tolist()]
    return out


def ambiguous_odds(column: CodedColumn) -> NDArray[np.float64]:
    """Dates of three numbers of which any may be the year, so that the reader has to guess."""
    out = np.full(len(column.missing), -np.inf)
    parts = [
        column.texts.str.extract(_DATE, i).cast(pl.Int64, strict=False).fill_null(99).to_numpy() for i in (1, 2, 3)
    ]
    out[(parts[0] <= 31) & (parts[1] <= 31) & (parts[2] <= 31)] = AMBIGUOUS
    return out
