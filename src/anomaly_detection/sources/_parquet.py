"""Parquet files in slices of bounded size, whatever the size of their row groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.records import counted
from anomaly_detection.sources._types import cast_or_missing, unfitting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from anomaly_detection.sources._bytes import Bytes

SLICE = 128 << 20
"""Bytes of decoded values in one slice, and of encoded values read at once."""

_FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


class ParquetTable:
    """Records of a Parquet file.

    Polars reads a whole row group of all asked columns at once, and some writers put all rows in a single one. So the
    columns are read a few at a time, and the rows in slices.

    Parameters
    ----------
    file : the bytes.

    Attributes
    ----------
    height : the number of records.
    """

    def __init__(self, file: Bytes) -> None:
        self.file = file
        self.notes: list[str] = []
        self._path = file.plain_path()
        try:
            self._scan = pl.scan_parquet(self._path, glob=False)
            self._schema = dict(self._scan.collect_schema())
            self.height = int(self._scan.select(pl.len()).collect().item())
        except _FAILURES as error:
            raise self._damaged(error) from None
        if not self.height or not self._schema:
            raise NoRecordsError(f"{file.name} has {counted(len(self._schema), 'column')} and no records.")
        file.check_expansion(self.height * sum(_width(dtype) for dtype in self._schema.values()))

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._schema)

    def inferred(self, known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """The types of the columns that are not known, as the file has them."""
        return {name: dtype for name, dtype in self._schema.items() if name not in known}

    def frames(self, dtypes: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
        """The records in file order, about 128 MiB of values at a time."""
        rows = self._rows_of_slice()
        groups = self._column_groups()
        for start in range(0, self.height, rows):
            yield self._slice(groups, start, rows, dtypes)

    def _slice(self, groups: list[list[str]], start: int, rows: int, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
        parts = [self._read(names, start, rows) for names in groups]
        frame = pl.concat(parts, how="horizontal") if len(parts) > 1 else parts[0]
        return self._cast(frame, dtypes, start)

    def _read(self, names: list[str], start: int, rows: int) -> pl.DataFrame:
        try:
            return self._scan.select(names).slice(start, rows).collect()
        except _FAILURES as error:
            raise self._damaged(error) from None

    def _cast(self, frame: pl.DataFrame, dtypes: Mapping[str, pl.DataType], start: int) -> pl.DataFrame:
        return frame.with_columns(
            self._cast_column(frame[name], dtypes[name], start)
            for name, dtype in self._schema.items()
            if dtypes[name] != dtype
        )

    def _cast_column(self, column: pl.Series, dtype: pl.DataType, start: int) -> pl.Series:
        cast = cast_or_missing(column, dtype)
        lost = (column.is_not_null() & cast.is_null()).arg_true()
        if len(lost):
            at = int(lost[0])
            raise unfitting(column[at], dtype, f"{self.file.name}, row {start + at:,}, column {column.name!r}")
        return cast

    def _rows_of_slice(self) -> int:
        width = max(sum(_width(dtype) for dtype in self._schema.values()), self._bytes() // self.height)
        return max(1000, SLICE // max(1, width))

    def _column_groups(self) -> list[list[str]]:
        names = list(self._schema)
        count = min(len(names), -(-self._bytes() // SLICE))
        size = -(-len(names) // count)
        return [names[i : i + size] for i in range(0, len(names), size)]

    def _bytes(self) -> int:
        return self._path.stat().st_size

    def _damaged(self, error: BaseException) -> SourceError:
        return SourceError(
            f"{self.file.name} is not a readable Parquet file: it is damaged or was cut short ({_first_line(error)}). "
            "Copy or write it again."
        )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:160].rstrip(".")


def _width(dtype: pl.DataType) -> int:
    sizes = {pl.Boolean: 1, pl.Int8: 1, pl.UInt8: 1, pl.Int16: 2, pl.UInt16: 2, pl.Int32: 4, pl.UInt32: 4}
    sizes |= {pl.Float32: 4, pl.Date: 4}
    return 32 if dtype.is_nested() or dtype in (pl.String, pl.Binary) else sizes.get(dtype.base_type(), 8)
