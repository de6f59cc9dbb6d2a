"""What a user says about a log file, and the file opened accordingly."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from anomaly_detection.errors import ParameterError, SourceError
from anomaly_detection.pipeline import silent
from anomaly_detection.sources.logs import LogFormat, LogSource
from anomaly_detection.sources.logs.session_pattern import SessionPattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from anomaly_detection.pipeline import Progress


@dataclass(frozen=True, slots=True)
class LogReading:
    """How to read a log.

    Parameters
    ----------
    data : the file; ``-`` is standard input.
    format : as :class:`~anomaly_detection.sources.logs.LogSource` takes it; told from the first lines when not given.
    pattern : a regular expression with named groups; then the format is ``regex``.
    columns : which field holds what; the others are told from their usual names.
    zone : of time stamps that name none.
    aside : a file for lines that cannot be decoded.
    session_pattern : a regular expression for the session of a line, as
        :class:`~anomaly_detection.sources.logs.LogSource` takes it.
    """

    data: str
    format: str | LogFormat | None = None
    pattern: str | None = None
    columns: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    zone: str | None = None
    aside: str | None = None
    session_pattern: str | None = None

    def open(self) -> LogSource:
        """The file, its format told; raises as :class:`~anomaly_detection.sources.logs.LogSource` does.

        Raises
        ------
        ParameterError
            where a pattern is given for a format that has none.
        """
        if self.pattern is not None and self.format not in {None, "auto", "regex"}:
            raise ParameterError(f"--pattern is for the format regex, not for {self.format}. Leave out one of the two.")
        return LogSource(
            self.data,
            "regex" if self.pattern is not None else self.format or "auto",
            self.columns,
            pattern=self.pattern,
            zone=self.zone,
            session_pattern=self.session_pattern,
            aside=self.aside,
        )

    def sessions(self) -> SessionPattern | None:
        """What finds the session of a line that was not read from a file; raises ParameterError for a bad pattern."""
        named = bool(self.columns.get("session"))
        return SessionPattern(self.session_pattern, named=named) if self.session_pattern else None

    def after(self, training: LogReading) -> LogReading:
        """What is said here, and where nothing is, what was said and found out in training.

        A format of its own is told anew, with the names that were given in training.
        """
        told = replace(
            self,
            columns={**training.columns, **self.columns},
            zone=self.zone or training.zone,
            session_pattern=self.session_pattern or training.session_pattern,
        )
        own = self.format is not None or self.pattern is not None or training.format is None
        return told if own else replace(told, format=training.format)

    def told(self, found: LogFormat) -> LogReading:
        """What a model keeps of it: no file, but the format that was found."""
        return replace(self, data="", format=replace(found, share=None), pattern=None, aside=None)

    def to_dict(self) -> dict[str, Any]:
        """What is kept with a model: the format that was found; the names, the zone, the sessions that were given."""
        told = self.format.as_dict() if isinstance(self.format, LogFormat) else None
        kept = {"format": told, "columns": dict(self.columns), "zone": self.zone}
        return kept if self.session_pattern is None else {**kept, "session_pattern": self.session_pattern}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`, of no file in particular.

        Raises
        ------
        InputError
            for data that describes no reading.
        """
        told = data["format"]
        format_ = None if told is None else LogFormat.from_dict(told)
        pattern = data.get("session_pattern") and str(data["session_pattern"])
        return cls("", format_, None, dict(data["columns"]), data["zone"], session_pattern=pattern)


def read_file(path: str, reading: LogReading) -> tuple[pl.DataFrame, LogReading]:
    """All rows of a log file, and how it was read, for a model to keep.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    """
    with replace(reading, data=path).open() as source:
        return rows_of(source, silent), reading.told(source.format)


def rows_of(source: LogSource, progress: Progress) -> pl.DataFrame:
    """All rows of a log."""
    parts, rows = [], 0
    for batch in source.batches():
        parts.append(batch.frame)
        rows += len(batch.frame)
        progress(f"reading, {rows:,} rows", rows, None)
    return pl.concat(parts, how="diagonal")


@contextmanager
def explained(reading: LogReading) -> Iterator[None]:
    """Say of a log that cannot be read as the training log of a model how to read it another way."""
    try:
        yield
    except SourceError as error:
        if not isinstance(reading.format, LogFormat):
            raise
        told = "The training log of the model was written so; --format auto tells the format of this one."
        raise SourceError(f"{error} {told}") from error
