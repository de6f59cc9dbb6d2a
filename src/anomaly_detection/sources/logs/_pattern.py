"""Lines of text taken apart by regular expressions with named groups.

The expressions are run by polars in Rust: by automata, without backtracking, so that no expression takes more than time
proportional to the length of a line; and of a line only the first LINE_BYTES count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs._fields import Decoded, Found
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs.columns import FIELDS, LogColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Lines

LINE_BYTES = 1 << 16
"""Bytes of a line that are looked at."""

_GROUP = re.compile(r"\(\?<(\w+)>")
_WHOLE = "whole_match_"


class Patterns:
    """Regular expressions with named groups; a line is read by the first of them that fits.

    Parameters
    ----------
    patterns : the expressions.
    columns : the groups that hold each column.
    joins : which other lines belong to the line before them: ``trace`` or ``any``.

    Raises
    ------
    ParameterError
        for an expression that is none.
    """

    orphans = False
    needs: tuple[str, ...] | None = None
    """Groups that ``prepared`` looks at; where this is given, other groups that no column needs are not captured."""

    def __init__(self, patterns: Sequence[str], columns: LogColumns, *, joins: str = "any") -> None:
        self.columns = columns
        self.patterns = tuple(patterns if self.needs is None else map(self._lean, patterns))
        self.joins = joins
        for pattern in self.patterns:
            groups_of(pattern)

    def decode(self, lines: Lines) -> Decoded:
        """Take each line apart."""
        texts = cut(lines.spans, LINE_BYTES)[0].series("line")
        ok, groups = _matched(texts, self.patterns[0])
        for pattern in self.patterns[1:]:
            rest = np.flatnonzero(~ok)
            if rest.size == 0:
                break
            more, found = _matched(texts.gather(rest), pattern)
            ok[rest[more]] = True
            groups = _filled(groups, found, rest)
        return Decoded(ok, self._found(self.prepared(groups)))

    def prepared(self, groups: pl.DataFrame) -> pl.DataFrame:
        """Add what follows from several groups."""
        return groups

    def _lean(self, pattern: str) -> str:
        """An expression of ours that captures no more than what is needed, which is quicker."""
        wanted = {name for field in FIELDS for name in self.columns.of_field(field)} | set(self.needs or ())
        return _GROUP.sub(lambda found: found.group() if found[1] in wanted else "(?:", pattern)

    def _found(self, groups: pl.DataFrame) -> dict[str, Found]:
        return {field: self._column(field, groups) for field in FIELDS if self.columns.of_field(field)}

    def _column(self, field: str, groups: pl.DataFrame) -> Found:
        names = [name for name in self.columns.of_field(field) if name in groups.columns]
        if not names:
            return Found(Spans.missing(groups.height))
        if len(names) == 1 == len(self.columns.of_field(field)):
            spans = Spans.of(groups[names[0]])
            return Found(spans if field == "message" else spans.without_empty())
        filled = [groups[name] if field == "message" else _not_empty(groups[name]) for name in names]
        places = [self.columns.of_field(field).index(name) for name in names]
        which = pl.coalesce(
            [pl.when(each.is_not_null()).then(place) for each, place in zip(filled, places, strict=True)]
        )
        chosen = pl.select(pl.coalesce(filled), which=which.fill_null(0))
        return Found(Spans.of(chosen.to_series(0)), chosen["which"].cast(pl.Int64).to_numpy())


def groups_of(pattern: str) -> list[str]:
    r"""The names of the groups of an expression.

    >>> groups_of(r"(?<time>\S+) (?<message>.*)")
    ['time', 'message']

    Raises
    ------
    ParameterError
        for an expression that is none, or one that is too large.
    """
    try:
        struct = pl.Series([""]).str.extract_groups(pattern)
    except pl.exceptions.PolarsError as error:
        why = " ".join(str(error).split())[:300]
        raise ParameterError(
            f"{pattern[:80]!r} is not a regular expression of Rust's kind, which knows no look-around and no "
            f"back-references: {why}"
        ) from None
    return [name for name in struct.struct.fields if not name.isdigit()]


def cut(spans: Spans, most: int) -> tuple[Spans, NDArray[np.bool_]]:
    """Texts of at most so many bytes, none of them cut within a character; and which were cut."""
    long = spans.ends - spans.starts > most
    if not long.any():
        return spans, long
    ends = spans.ends.copy()
    for row in np.flatnonzero(long).tolist():
        end = int(spans.starts[row]) + most
        while spans.text[end] & 0xC0 == 0x80:
            end -= 1
        ends[row] = end
    return spans._replace(ends=ends), long


def _matched(texts: pl.Series, pattern: str) -> tuple[NDArray[np.bool_], pl.DataFrame]:
    """Which texts an expression fits, and its groups."""
    groups = texts.str.extract_groups(f"(?<{_WHOLE}>{pattern})").struct.unnest()
    return groups[_WHOLE].is_not_null().to_numpy().copy(), groups.drop(_WHOLE)


def _filled(groups: pl.DataFrame, more: pl.DataFrame, rows: NDArray[np.int64]) -> pl.DataFrame:
    """Groups of all lines, with those of some lines from another expression."""
    empty = pl.Series([None], dtype=pl.String)
    columns = []
    for name in dict.fromkeys([*groups.columns, *more.columns]):
        column = groups[name] if name in groups.columns else empty.new_from_index(0, groups.height)
        values = more[name] if name in more.columns else empty.new_from_index(0, more.height)
        columns.append(column.scatter(rows, values).alias(name))
    return pl.DataFrame(columns)


def _not_empty(column: pl.Series) -> pl.Series:
    return column.set(column == "", None)
