"""Tables read as they are written, for checks of their cells: a file, the latest of daily ones, rows of a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.sources.files import open_source
from anomaly_detection.sources.sql import SqlTable
from anomaly_detection.sources.sql_sample import MOST_ROWS, sample_sql
from anomaly_detection.workflows.quality_history import MOST_RUNS, data_files
from anomaly_detection.workflows.reading import check_columns
from anomaly_detection.workflows.table_reading import check_place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.workflows.quality_history import DataFile

DELIMITED = ("csv", "tsv")


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table.

    Parameters
    ----------
    frame : its rows, or some of them.
    notes : how it was read.
    of_rows : how many rows it has, where only some were read; else 0.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]
    of_rows: int = 0


@dataclass(frozen=True, slots=True)
class TableReading:
    """How to read a table as it is written.

    Parameters
    ----------
    data : a file, a directory of daily files, or ``-`` for standard input.
    format, encoding, delimiter : how files are written.
    columns : the columns to read; all when empty.
    url, table : a database and its table, in place of ``data``.
    rows : the most rows to read of a database's table.
    until : microseconds since 1970; later ones of daily files are left out.
    """

    data: str | None = None
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    url: str | None = None
    table: str | None = None
    rows: int = MOST_ROWS
    until: int | None = None

    def __post_init__(self) -> None:
        check_place(self.data, self.url, self.table)

    def read(self, also: Sequence[str] = ()) -> TableRead:
        """The table; delimited text stays text, so that 007 and 7.0 remain what they are.

        Parameters
        ----------
        also : columns that are needed besides those that were asked for.

        Raises
        ------
        SourceError
            if it cannot be read as records, or a database refuses.
        SchemaError
            for a column that is not there, with the nearest ones that are.
        """
        if self.url is not None:
            return self._of_database(also)
        if not self._is_folder:
            return self._of_file(str(self.data))
        if not (files := self._files()):
            raise SourceError(f"The directory {self.data} has no data files{'' if self.until is None else ' by then'}.")
        try:
            return self._of_file(str(files[-1].path))
        except NoRecordsError as error:
            return TableRead(pl.DataFrame(), (str(error),))

    def frame_of(self, path: Path) -> pl.DataFrame:
        """Another file, read alike but with all its columns; one without a record has none."""
        try:
            return TableReading(str(path), self.format, self.encoding, self.delimiter).read().frame
        except NoRecordsError:
            return pl.DataFrame()

    def earlier_files(self) -> list[DataFile]:
        """Of a directory of daily files all but the latest, 30 at most."""
        return self._files()[:-1][-MOST_RUNS:] if self._is_folder else []

    @property
    def _is_folder(self) -> bool:
        return self.data is not None and self.data != "-" and Path(self.data).is_dir()

    def _files(self) -> list[DataFile]:
        files = data_files(Path(str(self.data)))
        return [one for one in files if self.until is None or one.time <= self.until]

    def _of_file(self, path: str) -> TableRead:
        with open_source(path, format=self.format, encoding=self.encoding, delimiter=self.delimiter) as source:
            check_columns(self.columns, source)
            if source.format.split(".")[0] in DELIMITED:
                source.with_dtypes(dict.fromkeys(source.columns, pl.String))
            return TableRead(source.read(), tuple(source.notes))

    def _of_database(self, also: Sequence[str]) -> TableRead:
        with SqlTable(str(self.url), str(self.table)) as table:
            found = sample_sql(table, self.rows, (*self.columns, *also) if self.columns else ())
        note = found.note()
        return TableRead(found.frame, () if note is None else (note,), found.total if note else 0)
