"""How a user's table is to be read: where it is, and which column is what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anomaly_detection.features.inference import check_finite, infer_schema
from anomaly_detection.sources.files import FileSource, open_source

if TYPE_CHECKING:
    import polars as pl

    from anomaly_detection.records import Schema


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the records are and which column is what; everything but ``data`` is inferred when not given.

    Parameters
    ----------
    data : a file, or ``-`` for standard input.
    format, encoding, delimiter : how the file is written.
    columns : the feature columns, in place of all.
    categorical : columns to read as categories.
    timestamp, key, label : columns with these roles.
    ignore : columns to leave out.
    """

    data: str
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    timestamp: str | None = None
    key: str | None = None
    label: str | None = None
    ignore: tuple[str, ...] = ()

    def open(self) -> FileSource:
        """Open the file.

        Raises
        ------
        SourceError
            if it cannot be read as records.
        """
        return open_source(self.data, format=self.format, encoding=self.encoding, delimiter=self.delimiter)

    def schema(self, frame: pl.DataFrame, *also_ignore: str | None) -> Schema:
        """Say which column is what, and make sure the numbers are finite.

        Raises
        ------
        SchemaError
            if a named column does not exist, no column can be used, or a number is infinite.
        """
        schema = infer_schema(
            frame,
            columns=self.columns or None,
            categorical=self.categorical,
            timestamp=self.timestamp,
            key=self.key,
            label=self.label,
            ignore=[*self.ignore, *(name for name in also_ignore if name)],
        )
        check_finite(frame, schema)
        return schema
