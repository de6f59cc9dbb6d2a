"""Log files as log frames."""

from __future__ import annotations

import datetime as dt
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Self

import polars as pl

from anomaly_detection import formats
from anomaly_detection.errors import ParameterError, SourceError, UnknownNameError
from anomaly_detection.sources._bytes import Bytes, Limits
from anomaly_detection.sources.logs import times
from anomaly_detection.sources.logs._spans import Lines
from anomaly_detection.sources.logs._text_lines import as_utf8, repaired
from anomaly_detection.sources.logs.aside import AsideFile
from anomaly_detection.sources.logs.columns import LogColumns
from anomaly_detection.sources.logs.counts import LogCounts, Tolerance
from anomaly_detection.sources.logs.detection import detected, named
from anomaly_detection.sources.logs.format import NAMES, LogFormat, with_columns, with_zone
from anomaly_detection.sources.logs.reader import LogReader, empty_frame
from anomaly_detection.sources.logs.session_pattern import SessionPattern
from anomaly_detection.sources.logs.tables import TableLog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

HEAD = 1 << 20
"""Bytes that the format is told from."""

_TABLES = ("csv", "tsv", "parquet")


class LogBatch(NamedTuple):
    """Rows of a log.

    Attributes
    ----------
    frame : time, level, service, message; where the log has them session, response_time (milliseconds), status_code;
        line, the number of the first line of the file that a row is from (of a table, of the record).
    counts : what became of the lines since the batch before.
    format : how the log is written.
    """

    frame: pl.DataFrame
    counts: LogCounts
    format: LogFormat


class LogSource:
    r"""A log file, or standard input.

    Parameters
    ----------
    path : the file, plain or compressed (gzip, Zstandard); ``-`` is standard input.
    format : a name such as ``json``, ``logfmt``, ``syslog``, ``combined``, ``text``, ``cri``, ``docker``, ``csv`` or
        ``parquet``; ``regex``, with ``pattern``; a LogFormat; or ``auto``, which tells it from the first lines.
    columns : which field, group or column holds what, such as ``{"time": "ts", "message": "log.msg"}``; the others are
        told from their usual names.
    pattern : a regular expression with named groups, for ``regex``.
    zone : the time zone of time stamps that name none; None is the one of the format, or UTC.
    service : of lines that name none.
    session_pattern : a regular expression for the session of a line, looked for in the field that ``columns`` names for
        ``session``, else in the message; see :class:`~anomaly_detection.sources.logs.session_pattern.SessionPattern`.
    aside : a file to keep undecodable lines in.
    tolerance : how many undecodable lines stop the reading.
    reference : a time that time stamps without a year are near, the latest at most a day after it; None is when the
        file was last changed, of standard input now.
    encoding : of the text; a byte order mark goes before it.
    limits : how much a file may make this process do.

    Raises
    ------
    SourceError
        for a file that cannot be read, that has no lines, or too many undecodable ones.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "app.log"
    >>> _ = path.write_text("2024-05-01 10:00:00,250 - shop - WARNING - Slow\n  twice\n")
    >>> LogSource(path).read().frame.select("level", "message").rows()
    [('WARN', 'Slow\n  twice')]
    """

    def __init__(
        self,
        path: str | Path,
        format: str | LogFormat = "auto",
        columns: Mapping[str, str | Sequence[str] | None] | LogColumns | None = None,
        *,
        pattern: str | None = None,
        zone: str | None = None,
        service: str | None = None,
        session_pattern: str | None = None,
        aside: str | Path | None = None,
        tolerance: Tolerance | None = None,
        reference: dt.datetime | None = None,
        encoding: str = "utf-8",
        limits: Limits | None = None,
    ) -> None:
        self.counts = LogCounts()
        self._service, self._encoding = service, encoding
        self._tolerance = tolerance or Tolerance()
        self._aside = aside
        given = as_columns(columns)
        self._sessions = SessionPattern(session_pattern, named=bool(given.session)) if session_pattern else None
        self._file = Bytes(path, limits or Limits())
        self.name = self._file.name
        self._reference = _microseconds(reference, self._file)
        self._table: TableLog | None = None
        try:
            self._open(_asked(format, pattern), given, zone, pattern)
        except BaseException:
            self.close()
            raise

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file is read, and what became of the lines read last."""
        share = "" if self.format.share is None else f", which fits {self.format.share:.0%} of its first lines"
        told = f"{self.name} is read as {self.format}{share}"
        return [told, *(self._table.notes if self._table else ()), *self.counts.notes()]

    def read(self) -> LogBatch:
        """All rows."""
        return LogBatch(pl.concat(list(self._rows())), self.counts, self.format)

    def batches(self, lines: int = 100_000) -> Iterator[LogBatch]:
        """The rows in file order, ``lines`` at a time (the last batch is smaller), with bounded memory."""
        if lines < 1:
            raise ParameterError(f"A batch has at least 1 line, not {lines}.")
        told = LogCounts()
        held: list[pl.DataFrame] = []
        height = 0
        for frame in self._rows():
            held.append(frame)
            height += frame.height
            if height < lines:
                continue
            joined = pl.concat(held)
            full = height - height % lines
            for start in range(0, full, lines):
                yield LogBatch(joined.slice(start, lines), self.counts.since(told), self.format)
                told = self.counts
            held, height = [joined.slice(full).gather_every(1)], height - full
        if height or told != self.counts:
            yield LogBatch(pl.concat(held), self.counts.since(told), self.format)

    def fingerprint(self) -> str:
        """SHA-256 of the file's bytes, in hexadecimal."""
        return self._file.fingerprint()

    def close(self) -> None:
        """Delete the temporary copy of standard input, if there is one."""
        if self._table is not None:
            self._table.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, asked: str | LogFormat, given: LogColumns, zone: str | None, pattern: str | None) -> None:
        kind = _table_kind(self._file, asked, self._encoding)
        if kind is not None:
            if isinstance(asked, LogFormat):
                given = LogColumns.of({**asked.columns.as_dict(), **given.as_dict()})
                zone = zone or asked.zone
            limits = self._file.limits
            self._table = TableLog(
                self._file.path, kind, given, times.checked_zone(zone or "UTC"), self._reference, self._service,
                self._encoding, limits,
            )  # fmt: skip
            self.format = self._table.format
            return
        self.format = format_of(self._sample(), asked, given, zone, pattern)

    def _sample(self) -> Lines:
        """The first lines, without blank ones; the last one only where it is whole, or the only one."""
        for size in (HEAD, self._file.limits.line):
            head = self._file.head(size)
            text = b"".join(as_utf8([head], head, self._encoding))
            if b"\n" in text.lstrip() or len(head) < size:
                break
        whole = text if len(head) < size else text[: text.rfind(b"\n") + 1] or text
        lines = Lines.of(repaired(whole)[0], 1)
        return lines.take(~lines.blank)

    def _rows(self) -> Iterator[pl.DataFrame]:
        """A frame without rows, then the rows, with the sessions that the user's pattern finds."""
        frames = chain([empty_frame(self.format.innermost.columns)], self._frames())
        return frames if self._sessions is None else map(self._sessions.of, frames)

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The rows, a few MiB of text at a time; the counts grow meanwhile."""
        self.counts = LogCounts()
        if self._table is not None:
            for frame in self._table.frames():
                self.counts = self._table.counts
                yield frame
            return
        aside = AsideFile(self._aside) if self._aside is not None else None
        try:
            yield from self._read(aside)
        except SourceError:
            if aside is not None:
                aside.keep()
            raise
        finally:
            if aside is not None:
                aside.discard()

    def _read(self, aside: AsideFile | None) -> Iterator[pl.DataFrame]:
        reader = LogReader(
            self.format, reference=self._reference, service=self._service, tolerance=self._tolerance, aside=aside,
            name=self.name, longest=self._file.limits.line,
        )  # fmt: skip
        for block in as_utf8(self._file.blocks(), self._file.head(4), self._encoding):
            frame = reader.feed(block)
            self.counts = reader.counts
            yield frame
        frame = reader.finish()
        self.counts = reader.counts
        if not self.counts.decoded and not self.counts.aside:
            raise SourceError(f"{self.name} has {self.counts.lines:,} lines, and all of them are blank.")
        if aside is not None:
            aside.keep()
        yield frame


def decode_lines(
    lines: Iterable[bytes | str],
    format: str | LogFormat = "auto",
    columns: Mapping[str, str | Sequence[str] | None] | LogColumns | None = None,
    *,
    pattern: str | None = None,
    zone: str | None = None,
    service: str | None = None,
    reference: dt.datetime | None = None,
) -> LogBatch:
    """Decode lines that are held in memory; an undecodable one is counted, however many there are.

    The parameters are those of LogSource; ``reference`` is now unless it is given. A line break within a line ends it.

    >>> decode_lines(['level=warn msg="disk full"']).frame.select("level", "message").rows()
    [('WARN', 'disk full')]
    """
    parts = [line.encode(errors="replace") if isinstance(line, str) else bytes(line) for line in lines]
    text = b"\n".join(parts)
    sample = Lines.of(repaired(b"\n".join(parts[:2000]))[0], 1)
    asked = _asked(format, pattern)
    found = format_of(sample.take(~sample.blank), asked, as_columns(columns), zone, pattern)
    reader = LogReader(found, reference=_microseconds(reference, None), service=service, longest=max(1, len(text)))
    return LogBatch(reader.read(text), reader.counts, found)


def format_of(
    sample: Lines, asked: str | LogFormat, given: LogColumns, zone: str | None, pattern: str | None
) -> LogFormat:
    """The format of lines: the one that is asked for, else the one that fits them."""
    if isinstance(asked, LogFormat):
        return with_zone(with_columns(asked, given), zone)
    zone = times.checked_zone(zone or "UTC")
    return detected(sample, given, zone) if asked == "auto" else named(asked, sample, given, zone, pattern)


def as_columns(columns: Mapping[str, str | Sequence[str] | None] | LogColumns | None) -> LogColumns:
    """Columns as a user gives them."""
    return columns if isinstance(columns, LogColumns) else LogColumns.of(columns or {})


def _asked(format: str | LogFormat, pattern: str | None) -> str | LogFormat:
    if isinstance(format, LogFormat):
        return format
    if pattern is not None and format in ("auto", "regex"):
        return "regex"
    if format not in (*NAMES, *_TABLES, "auto") or (pattern is not None):
        known = (*NAMES, *_TABLES, "auto")
        if format not in known:
            raise UnknownNameError("log format", format, known)
        raise ParameterError(f"A pattern is for the log format 'regex', not for {format!r}.")
    return format


def _table_kind(file: Bytes, asked: str | LogFormat, encoding: str) -> str | None:
    """The kind of table that a file is, None where it is lines of a log."""
    if isinstance(asked, LogFormat) and asked.name != "table":
        return None
    if asked in _TABLES:
        return str(asked)
    table = asked == "table" or isinstance(asked, LogFormat)
    if table or asked in ("auto", "json"):
        head = file.head(1 << 12)
        text = b"".join(as_utf8([head], head, encoding)).lstrip()
        if head.startswith(b"PAR1"):
            return "parquet"
        if text.startswith(b"[") and text[1:].lstrip()[:1] in (b"{", b"]"):
            return "json"
    by_name = formats.of_path(file.name)[0]
    if by_name in ("csv", "tsv") and (table or asked == "auto"):
        return by_name
    return "csv" if table else None


def _microseconds(reference: dt.datetime | None, file: Bytes | None) -> int:
    if reference is not None:
        aware = reference if reference.tzinfo is not None else reference.replace(tzinfo=dt.UTC)
        return (aware - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    if file is not None and file.name != "standard input":
        return file.path.stat().st_mtime_ns // 1000
    return times.now()
