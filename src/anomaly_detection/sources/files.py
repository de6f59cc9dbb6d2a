"""Files and standard input as records, whole or in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.formats import Format
from anomaly_detection.sources._bytes import Bytes, Limits
from anomaly_detection.sources._csv import CsvTable
from anomaly_detection.sources._detect import kind_of
from anomaly_detection.sources._json import JsonTable
from anomaly_detection.sources._jsonl import JsonlTable
from anomaly_detection.sources._parquet import ParquetTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from anomaly_detection.formats import Kind

__all__ = ["FileSource", "Limits", "open_source"]


def open_source(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    limits: Limits | None = None,
) -> FileSource:
    """Open a file of records.

    Parameters
    ----------
    path : the file; ``-`` is standard input.
    format : ``csv``, ``tsv``, ``json``, ``jsonl`` or ``parquet``; None tells it from the first bytes and the name.
        Whether the file is compressed (gzip, Zstandard) is always told from its first bytes.
    encoding : of text; a byte order mark goes before it.
    delimiter : between the fields of CSV, one character; None finds it.
    limits : how much a file may make this process do.

    Raises
    ------
    SourceError
        where the file cannot be read as records; the message names the place and the way out.
    """
    return FileSource(path, format=format, encoding=encoding, delimiter=delimiter, limits=limits)


class FileSource:
    r"""Records of one file; see :func:`open_source` for the parameters.

    The types of columns are told from every record of the file, so that reading it in batches of any size gives the
    same rows and types as reading it whole.

    Attributes
    ----------
    name : the file as the user named it, or ``standard input``.
    format : such as ``csv`` or ``jsonl.gz``.
    notes : what the user should know about how the file was read.
    size : its bytes as they lie there.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_text("id,amount\n1,2.5\n2,NA\n")
    >>> with open_source(path) as source:
    ...     source.read()["amount"].to_list()
    [2.5, None]
    """

    def __init__(
        self,
        path: str | Path,
        *,
        format: str | None = None,
        encoding: str = "utf-8",
        delimiter: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._notes: list[str] = []
        self._dtypes: dict[str, pl.DataType] | None = None
        self._given: dict[str, pl.DataType] = {}
        self._file = Bytes(path, limits or Limits())
        try:
            kind = kind_of(self._file, format, encoding, self._notes)
            self._table = _table(self._file, kind, encoding, _delimiter(delimiter))
        except BaseException:
            self._file.close()
            raise
        self.name = self._file.name
        self.format = str(Format(kind, self._file.compression))
        self.size = self._file.size

    @property
    def notes(self) -> list[str]:
        """What the user should know about how the file was read."""
        return [*self._notes, *self._table.notes]

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self._table.columns)

    @property
    def rows(self) -> int | None:
        """The number of records, where the file says it without being read (Parquet)."""
        return self._table.height if isinstance(self._table, ParquetTable) else None

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """The type of each column; text formats are read once for it."""
        if self._dtypes is None:
            columns = self.columns
            given = {name: self._given[name] for name in columns if name in self._given}
            known = given | self._table.inferred(given)
            self._dtypes = {name: known[name] for name in columns}
        return dict(self._dtypes)

    def with_dtypes(self, dtypes: Mapping[str, pl.DataType | type[pl.DataType]]) -> Self:
        """Read these columns as these types; names that are not in the file do not matter.

        A text file whose columns are all given is read once instead of twice. A value that is not of its column's
        type is a :class:`~anomaly_detection.errors.SourceError` when it is met.
        """
        self._given = {name: dtype() if isinstance(dtype, type) else dtype for name, dtype in dtypes.items()}
        self._dtypes = None
        return self

    def read(self, rows: int | None = None) -> pl.DataFrame:
        """All records, or the first ``rows`` of them."""
        if rows is not None:
            return next(self.batches(max(1, rows))).head(rows)
        return pl.concat(list(self._table.frames(self.dtypes)))

    def batches(self, rows: int = 100_000) -> Iterator[pl.DataFrame]:
        """The records in file order, ``rows`` at a time (the last batch is smaller), with bounded memory.

        A plain JSON document is read whole.
        """
        if rows < 1:
            raise ParameterError(f"A batch has at least 1 row, not {rows}.")
        return _rebatched(self._table.frames(self.dtypes), rows)

    def fingerprint(self) -> str:
        """SHA-256 of the file's bytes, in hexadecimal."""
        return self._file.fingerprint()

    def close(self) -> None:
        """Delete the temporary copy of standard input, if there is one."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Table(Protocol):
    """A file of one format."""

    notes: list[str]

    @property
    def columns(self) -> list[str]: ...

    def inferred(self, known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]: ...

    def frames(self, dtypes: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]: ...


def _table(file: Bytes, kind: Kind, encoding: str, delimiter: str | None) -> _Table:
    if kind == "parquet":
        return ParquetTable(file)
    if kind == "json":
        return JsonTable(file, encoding)
    if kind == "jsonl":
        return JsonlTable(file, encoding)
    return CsvTable(file, encoding, delimiter)


def _delimiter(asked: str | None) -> str | None:
    given = {"\\t": "\t", "tab": "\t"}.get(asked, asked) if asked is not None else None
    if given is not None and (len(given) != 1 or not given.isascii() or given in '"\r\n\0'):
        raise ParameterError(f"A delimiter is one character, such as ',' or ';' or 'tab', not {asked!r}.")
    return given


def _rebatched(frames: Iterable[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    held: list[pl.DataFrame] = []
    height = 0
    for frame in frames:
        height += frame.height
        held.append(frame)
        del frame
        if height < rows:
            continue
        joined = pl.concat(held, rechunk=False)
        held.clear()
        yield from joined.head(height - height % rows).iter_slices(rows)
        height %= rows
        held.append(joined.tail(height).gather_every(1))  # a copy, so that the rest is let go of
        del joined
    if height:
        yield pl.concat(held)
