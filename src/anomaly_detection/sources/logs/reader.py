"""Bytes of a log in, rows of a log frame out; however the bytes are cut, the rows are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from anomaly_detection.errors import SourceError
from anomaly_detection.records import counted
from anomaly_detection.sources.logs._fields import Clock, Found, typed
from anomaly_detection.sources.logs._lines_kernels import owners_of
from anomaly_detection.sources.logs._pattern import LINE_BYTES, Patterns, cut
from anomaly_detection.sources.logs._spans import Lines, Spans
from anomaly_detection.sources.logs._text_lines import WholeLines, repaired
from anomaly_detection.sources.logs.counts import SHOWN, LogCounts, Tolerance, shown
from anomaly_detection.sources.logs.format import decoder_of, envelope_of
from anomaly_detection.sources.logs.joining import JOINED_BYTES, JOINED_LINES, MESSAGE_BYTES, joined, may_join
from anomaly_detection.sources.logs.times import UTC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.sources.logs.aside import AsideFile
    from anomaly_detection.sources.logs.columns import LogColumns
    from anomaly_detection.sources.logs.format import LogFormat

CHECKED_LINES = 65_536
"""The share of undecodable lines is looked at whenever so many lines more have been read."""


class _Taken(NamedTuple):
    """Lines without their wrapping.

    Attributes
    ----------
    lines : those with something on them.
    times : of the wrapping, where there is one.
    outside : lines of the file that are not wrapped.
    blank : the numbers of the lines with nothing on them, as often as they stand for lines of the file.
    end : the number of the first line that is left for later.
    """

    lines: Lines
    times: Spans | None
    outside: Lines
    blank: NDArray[np.int64]
    end: int


class LogReader:
    r"""Reads a log in blocks of bytes.

    Parameters
    ----------
    format : how the log is written.
    reference : the time that time stamps without a year are near, in microseconds since 1970.
    service : of lines that name none.
    tolerance : how many undecodable lines are too many; None for any number.
    aside : where those are kept.
    name : of the log, for messages.
    longest : bytes of a line; of a longer one the rest is left out.

    Attributes
    ----------
    counts : what became of the lines so far.

    >>> from anomaly_detection.sources.logs import LogColumns, LogFormat
    >>> reader = LogReader(LogFormat("json", LogColumns(level=("lvl",), message=("msg",))))
    >>> _ = reader.feed(b'{"lvl": "warn", "msg": "disk')
    >>> _ = reader.feed(b' full"}\n')
    >>> reader.finish()["message"].to_list()
    ['disk full']
    """

    def __init__(
        self,
        format: LogFormat,
        *,
        reference: int = 0,
        service: str | None = None,
        tolerance: Tolerance | None = None,
        aside: AsideFile | None = None,
        name: str = "the log",
        longest: int = 64 << 20,
    ) -> None:
        self.format = format
        self.counts = LogCounts()
        self._columns = format.innermost.columns
        self._decoder = decoder_of(format.innermost)
        self._envelope = envelope_of(format)
        self._clock = Clock(format.zone, reference)
        self._service = service
        self._tolerance = tolerance
        self._aside = aside
        self._name = name
        self._whole = WholeLines(longest)
        self._rest = b""
        self._line = 1

    def feed(self, block: bytes) -> pl.DataFrame:
        """The rows that are complete with this block."""
        return self._read(self._whole.feed(block, self._rest), final=False)

    def finish(self) -> pl.DataFrame:
        """The last rows.

        Raises
        ------
        SourceError
            where too many lines, or all of them, could not be decoded.
        """
        return self._finished(self._read(self._whole.finish(self._rest), final=True))

    def read(self, text: bytes) -> pl.DataFrame:
        """All rows of a log that is held in memory."""
        text = self._whole.feed(text, self._rest) or self._rest
        return self._finished(self._read(self._whole.finish(text), final=True))

    def _finished(self, frame: pl.DataFrame) -> pl.DataFrame:
        counts = self.counts
        if self._tolerance is not None and self._tolerance.exceeded(counts.aside, counts.lines):
            raise self._too_many(f"{self._tolerance.share:.0%} of the lines")
        if self._tolerance is not None and counts.aside and not counts.decoded:
            raise self._too_many("all but one")
        return frame

    def _read(self, text: bytes, *, final: bool) -> pl.DataFrame:
        if not text:
            return empty_frame(self._columns)
        text, changed = repaired(text)
        lines = Lines.of(text, self._line)
        taken = self._taken(lines, final=final)
        frame, end = self._records(taken, final=final)
        end = min(end, self._line + lines.size)
        blank = int((taken.blank < end).sum())
        self.counts += LogCounts(lines=end - self._line, blank=blank, replaced=changed, shortened=self._whole.cut)
        self._whole.cut = 0
        self._rest = lines.spans.text[_start_of(lines, end - self._line) :].tobytes()
        self._line = end
        return frame

    def _taken(self, lines: Lines, *, final: bool) -> _Taken:
        blank = lines.blank
        filled = lines.take(~blank)
        end = self._line + lines.size
        if self._envelope is None:
            return _Taken(filled, None, filled.take(slice(0)), lines.numbers[blank], end)
        ok, inner, times, last = self._envelope.unwrap(filled)
        if last >= 0 and not final and end - inner.numbers[last] <= JOINED_LINES:
            end = int(inner.numbers[last])
            inner, times = inner.take(slice(last)), times.take(slice(last))
        empty = inner.blank
        gone = np.concatenate([lines.numbers[blank], np.repeat(inner.numbers[empty], inner.parts[empty])])
        return _Taken(inner.take(~empty), times.take(~empty), filled.take(~ok), gone, end)

    def _records(self, taken: _Taken, *, final: bool) -> tuple[pl.DataFrame, int]:
        """The rows among lines, and the number of the first line that is left for later."""
        lines, end = taken.lines, taken.end
        ok, fields = self._decoder.decode(lines)
        joining = may_join(lines, ok, self._decoder.joins)
        owners, lengths = np.empty(lines.size, np.int64), lines.spans.ends - lines.spans.starts
        last = owners_of(ok, joining, lines.numbers, lengths, JOINED_LINES, JOINED_BYTES, owners)
        if self._decoder.orphans:
            owners = np.where(owners < 0, np.arange(owners.size), owners)
        if last >= 0 and not final and end - lines.numbers[last] <= JOINED_LINES:
            end = int(lines.numbers[last])
        kept = lines.numbers < end
        heads = kept & (owners == np.arange(owners.size))
        more = kept & (owners >= 0) & ~heads
        self._put_aside(lines.take(kept & (owners < 0)), taken.outside.take(taken.outside.numbers < end), end)
        place = np.cumsum(heads) - 1
        fields = dict(fields)
        if not heads.all():
            fields = {name: found.take(np.flatnonzero(heads)) for name, found in fields.items()}
        if taken.times is not None:
            times = fields["time"].spans if "time" in fields else Spans.missing(int(heads.sum()))
            names = fields["time"].names if "time" in fields else None
            fields["time"] = Found(times.or_else(taken.times.take(heads)), names)
        frame = self._frame(fields, lines.take(heads), lines.spans.take(more), place[owners[more]])
        parts = int(lines.parts[heads].sum()) + int(lines.parts[more].sum())
        self.counts += LogCounts(decoded=frame.height, joined=parts - frame.height)
        return frame, end

    def _frame(
        self, fields: Mapping[str, Found], lines: Lines, more: Spans, owners: NDArray[np.int64]
    ) -> pl.DataFrame:  # fmt: skip
        rows = lines.size
        found = fields.get("message", Found(Spans.missing(rows)))
        messages, long = cut(joined(found.spans, owners, more), MESSAGE_BYTES)
        fields = {**fields, "message": Found(messages, found.names)}
        if isinstance(self._decoder, Patterns):
            long |= lines.spans.ends - lines.spans.starts > LINE_BYTES
        made = typed(fields, self._columns, rows, self._clock)
        self.counts += LogCounts(
            shortened=int(long.sum()),
            unknown_levels=made.unknown_levels,
            unreadable_times=made.unreadable_times,
            unusable_values=made.unusable_values,
        )
        columns = made.columns
        if self._service is not None:
            columns["service"] = columns["service"].fill_null(self._service)
        numbers = pl.Series("line", lines.numbers.astype(np.uint64))
        return pl.DataFrame([*(columns[name].alias(name) for name in self._columns.named), numbers])

    def _put_aside(self, lines: Lines, outside: Lines, end: int) -> None:
        """Keep undecodable lines, and see whether they are too many."""
        before, counted_before = self.counts.aside, self.counts.lines
        numbers = np.concatenate([lines.numbers, outside.numbers])
        if numbers.size:
            order = np.argsort(numbers, kind="stable")
            both = [(part, row) for part in (lines, outside) for row in range(part.size)]
            texts = [(int(numbers[i]), both[i][0].spans.raw(both[i][1])) for i in order.tolist()]
            if self._aside is not None:
                self._aside.write(texts)
            parts = int(lines.parts.sum() + outside.parts.sum())
            first = tuple((number, shown(text)) for number, text in texts[:SHOWN])
            self.counts += LogCounts(aside=parts, first_aside=first)
        self._check(np.sort(numbers), before, counted_before, end)

    def _check(self, numbers: NDArray[np.int64], before: int, lines: int, end: int) -> None:
        limit = self._tolerance
        if limit is None:
            return
        if self.counts.aside > limit.lines:
            raise self._too_many(f"the limit of {limit.lines:,}")
        for at in range((lines // CHECKED_LINES + 1) * CHECKED_LINES, end, CHECKED_LINES):
            if limit.exceeded(before + int(np.searchsorted(numbers, at, side="right")), at):
                raise self._too_many(f"{limit.share:.0%} of the first {counted(at, 'line')}")

    def _too_many(self, limit: str) -> SourceError:
        number, text = self.counts.first_aside[0]
        kept = "" if self._aside is None else f" They are kept in {self._aside.path}."
        return SourceError(
            f"{self._name}: {counted(self.counts.aside, 'line')} could not be decoded as {self.format.name}, more than "
            f"{limit}. The first is line {number:,}: {text!r}.{kept} Name another format, or raise the tolerance."
        )


def empty_frame(columns: LogColumns) -> pl.DataFrame:
    """A log frame without rows."""
    kinds: dict[str, pl.DataType] = {
        "time": UTC,
        "response_time": pl.Float64(),
        "status_code": pl.Int64(),
    }
    schema = {name: kinds.get(name, pl.String()) for name in columns.named}
    return pl.DataFrame(schema={**schema, "line": pl.UInt64()})


def _start_of(lines: Lines, row: int) -> int:
    """Where a line starts in the bytes."""
    return int(lines.spans.starts[row]) if row < lines.size else int(lines.spans.text.size)
