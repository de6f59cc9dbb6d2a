"""Texts as places in one buffer of UTF-8, so that kernels can read them; to and from columns of polars.

No text has a NUL character in it: wherever one is met, it becomes U+FFFD. So NUL can stand between texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np
import polars as pl

from anomaly_detection.sources.logs._lines_kernels import put_together, trim_lines
from anomaly_detection.sources.logs._scan_kernels import unescape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bytes8 = NDArray[np.uint8]
    Places = NDArray[np.int64]


FEW = 500
"""Texts that are quicker made one by one than by an expression of polars."""


class Spans(NamedTuple):
    """Texts in a buffer; a start of -1 is a missing one.

    >>> spans = Spans.of(["a", None, "", "bc"])
    >>> spans.series().to_list()
    ['a', None, '', 'bc']
    """

    text: Bytes8
    starts: Places
    ends: Places

    @classmethod
    def of(cls, texts: Sequence[str | None] | pl.Series) -> Self:
        """The texts of a column."""
        if len(texts) <= FEW:
            return cls._of_few(texts.to_list() if isinstance(texts, pl.Series) else texts)
        series = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
        joined = series.str.join("").item()
        lengths = series.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        if series.null_count():
            missing = series.is_null().to_numpy()
            starts[missing] = ends[missing] = -1
        return cls(np.frombuffer(joined.encode(), np.uint8), starts, ends)

    @classmethod
    def _of_few(cls, texts: Sequence[str | None]) -> Self:
        raw = [None if text is None else text.encode() for text in texts]
        lengths = np.array([0 if text is None else len(text) for text in raw], np.int64)
        gone = np.array([text is None for text in raw], np.bool_)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        starts[gone] = ends[gone] = -1
        return cls(np.frombuffer(b"".join(filter(None, raw)), np.uint8), starts, ends)

    @classmethod
    def missing(cls, rows: int) -> Self:
        """So many missing texts."""
        return cls(np.empty(0, np.uint8), np.full(rows, -1, np.int64), np.full(rows, -1, np.int64))

    @property
    def any(self) -> bool:
        """Whether a text is there."""
        return bool((self.starts >= 0).any())

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Self:
        """Some of the texts."""
        return self._replace(starts=self.starts[rows], ends=self.ends[rows])

    def raw(self, row: int) -> bytes:
        """The bytes of one text."""
        return self.text[self.starts[row] : self.ends[row]].tobytes()

    def without_empty(self) -> Self:
        """The texts, the empty ones missing."""
        starts = np.where(self.ends > self.starts, self.starts, -1)
        return self._replace(starts=starts, ends=np.where(starts >= 0, self.ends, -1))

    def or_else(self, other: Spans) -> Spans:
        """The texts, and those of others where they are missing."""
        gone = self.starts < 0
        if not gone.any():
            return self
        shift = np.where(other.starts >= 0, self.text.size, 0)
        starts = np.where(gone, other.starts + shift, self.starts)
        ends = np.where(gone, other.ends + shift, self.ends)
        return Spans(np.concatenate([self.text, other.text]), starts, ends)

    def series(self, name: str = "") -> pl.Series:
        """The texts as a column."""
        rows = self.starts.size
        if rows == 0:
            return pl.Series(name, [], dtype=pl.String)
        out = np.empty(int((self.ends - self.starts).sum()) + rows - 1, np.uint8)
        put_together(self.text, self.starts, self.ends, 0, out)
        text, here = out.tobytes().decode(), self.starts >= 0
        if rows <= FEW:
            pairs = zip(text.split("\0"), here.tolist(), strict=True)
            return pl.Series(name, [each if there else None for each, there in pairs], dtype=pl.String)
        column = pl.Series(name, [text]).str.split("\0").explode()
        return column if here.all() else column.set(pl.Series(~here), None)

    def unescaped(self, rows: NDArray[np.bool_]) -> Self:
        """The texts, those of some rows without their escapes."""
        if not rows.any():
            return self
        starts, ends = self.starts[rows], self.ends[rows]
        out = np.empty(int((ends - starts).sum()), np.uint8)
        places = np.empty((starts.size, 2), np.int64)
        size = unescape(self.text, starts, ends, out, places)
        return self.placed(rows, out[:size], places)

    def replaced(self, rows: NDArray[np.int64], texts: Sequence[bytes | None]) -> Self:
        """The texts, those of some rows others."""
        lengths = np.array([-1 if text is None else len(text) for text in texts], np.int64)
        ends = np.cumsum(np.maximum(lengths, 0))
        places = np.stack([ends - lengths, ends], axis=1)
        more = np.frombuffer(b"".join(text for text in texts if text is not None), np.uint8)
        placed = self.placed(rows, more, places)
        placed.starts[rows[lengths < 0]] = placed.ends[rows[lengths < 0]] = -1
        return placed

    def placed(self, rows: NDArray[np.bool_] | NDArray[np.int64], more: Bytes8, places: Places) -> Self:
        """The texts, those of some rows at places in further bytes."""
        starts, ends = self.starts.copy(), self.ends.copy()
        starts[rows] = places[:, 0] + self.text.size
        ends[rows] = places[:, 1] + self.text.size
        return self._replace(text=np.concatenate([self.text, more]), starts=starts, ends=ends)


class Lines(NamedTuple):
    """Lines of a file, or what is wrapped in them.

    Attributes
    ----------
    spans : where they stand; blank ones are empty.
    numbers : (lines,) of the first line of the file that each comes from, from 1.
    parts : (lines,) how many lines of the file each comes from.
    """

    spans: Spans
    numbers: NDArray[np.int64]
    parts: NDArray[np.int64]

    @classmethod
    def of(cls, block: bytes, first: int) -> Self:
        """The lines of a text that starts with line ``first`` of a file."""
        text = np.frombuffer(block, np.uint8)
        breaks = np.flatnonzero(text == 10)
        last = [text.size] if text.size and text[-1] != 10 else []
        ends = np.concatenate([breaks, np.array(last, np.int64)])
        starts = np.concatenate([np.zeros(min(1, ends.size), np.int64), ends[:-1] + 1])
        trim_lines(text, starts, ends)
        numbers = np.arange(first, first + ends.size, dtype=np.int64)
        return cls(Spans(text, starts, ends), numbers, np.ones(ends.size, np.int64))

    @property
    def size(self) -> int:
        """How many lines there are."""
        return int(self.numbers.size)

    @property
    def blank(self) -> NDArray[np.bool_]:
        """(lines,) which have nothing on them."""
        blank: NDArray[np.bool_] = self.spans.starts == self.spans.ends
        return blank

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Self:
        """Some of the lines."""
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_ and rows.all():
            return self
        return self._replace(spans=self.spans.take(rows), numbers=self.numbers[rows], parts=self.parts[rows])
