"""Results into files, whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import polars as pl

from anomaly_detection import formats
from anomaly_detection.errors import InputError, SinkError
from anomaly_detection.formats import Format
from anomaly_detection.records import quoted
from anomaly_detection.sinks._aside import Aside, not_written, refuse_input, refuse_unwritable
from anomaly_detection.sinks._encoders import Encoder, encoder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


class FileSink:
    """Results into one file, written aside and put in its place when all is done.

    On any error, and on Ctrl-C, nothing is left and what was there before is as it was.

    Parameters
    ----------
    path : the file, whose folder exists.
    format : ``csv``, ``tsv``, ``json``, ``jsonl`` or ``parquet``, each also with ``.gz`` or ``.zst``; None tells it
        from the name.
    source : the file the records come from, which is never overwritten.

    Raises
    ------
    InputError
        where the file could not be written: no such folder, a directory, an unknown format, the input itself.
    SinkError
        where writing is not allowed, or fails.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "results.csv"
    >>> with FileSink(path) as sink:
    ...     sink.write(pl.DataFrame({"row": [0, 1], "score": [0.5, 2.0]}))
    >>> path.read_text().splitlines()
    ['row,score', '0,0.5', '1,2.0']
    """

    def __init__(
        self,
        path: str | Path,
        format: str | None = None,
        *,
        source: str | Path | None = None,
    ) -> None:
        self.path = Path(path)
        self.format = _format(self.path, format)
        self._target = self.path.resolve()
        refuse_unwritable(self.path, self._target, "results.csv")
        refuse_input(self._target, source)
        self._made: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._columns: list[str] | None = None
        self._aside: Aside | None = None
        self._stream: IO[bytes] | None = None
        self._encoder: Encoder | None = None

    def made(self, how: Mapping[str, Any]) -> None:
        """Say how the results were made; JSON results carry it as ``made``."""
        self._made.update(how)

    def summary(self, found: Mapping[str, Any]) -> None:
        """Say what was found in all rows together; JSON results carry it as ``summary``."""
        self._summary.update(found)

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows; every frame has the same columns.

        Raises
        ------
        SinkError
            where the columns differ, or the bytes cannot be written.
        """
        if self._encoder is None:
            raise SinkError(f"{self.path} is not open: use `with FileSink(...) as sink:`.")
        if self._columns is not None and frame.columns != self._columns:
            raise SinkError(
                f"{self.path} has the columns {quoted(self._columns)}; rows with {quoted(frame.columns)} do not fit."
            )
        self._columns = frame.columns
        try:
            self._encoder.write(frame)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise not_written(self.path, error) from error

    def __enter__(self) -> Self:
        try:
            self._aside = Aside(self._target)
            self._stream = formats.writer(self._aside.file, self.format.compression)
            self._encoder = encoder(self.format.kind, self._stream, self._target.parent)
        except BaseException as error:
            self._drop()
            if isinstance(error, OSError) and not isinstance(error, SinkError):
                raise not_written(self.path, error) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._put_in_place()
        except (OSError, pl.exceptions.PolarsError) as failure:
            raise not_written(self.path, failure) from failure
        finally:
            self._drop()

    def _put_in_place(self) -> None:
        if self._aside is None or self._stream is None or self._encoder is None:
            return
        self._encoder.finish({**({"summary": self._summary} if self._summary else {}), "made": self._made})
        if self._stream is not self._aside.file:
            self._stream.close()
        self._aside.put_in_place()

    def _drop(self) -> None:
        """Let go of everything that is still open; after success there is nothing left to delete."""
        if self._encoder is not None:
            self._encoder.close()
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.close()
        if self._aside is not None:
            self._aside.drop()
        self._encoder = self._stream = self._aside = None


def _format(path: Path, asked: str | None) -> Format:
    if asked is not None:
        named = formats.named(asked)
        return named if named.compression else Format(named.kind, formats.of_path(path)[1])
    kind, compression = formats.of_path(path)
    if kind is None:
        known = ", ".join(f".{each}" for each in formats.KINDS)
        raise InputError(
            f"The format of {str(path)!r} cannot be told from its name. End it in one of {known} "
            "(also with .gz or .zst), or name the format."
        )
    return Format(kind, compression)
