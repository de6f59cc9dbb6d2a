"""How a user's table is to be read: where it is, and which column is what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anomaly_detection.calibration import check_rows
from anomaly_detection.errors import SchemaError, UnknownNameError
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.features.inference import check_finite, check_roles, infer_schema
from anomaly_detection.records import named_columns, quoted
from anomaly_detection.sources.files import FileSource, open_source

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from anomaly_detection.records import Schema

PROBE = 1_000
"""How many records are looked at to estimate how long one is in the file."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the records are and which column is what; everything but ``data`` is inferred when not given.

    Parameters
    ----------
    data : a file, or ``-`` for standard input.
    format, encoding, delimiter : how the file is written.
    columns : the feature columns, in place of all.
    categorical : columns to read as categories.
    timestamp, key, label : columns with these roles; a key of several columns names them from the coarsest to the
        finest.
    ignore : columns to leave out.
    called : what the data is called in results, where ``data`` says nothing to whom reads them.
    """

    data: str
    format: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    timestamp: str | None = None
    key: str | tuple[str, ...] | None = None
    label: str | None = None
    ignore: tuple[str, ...] = ()
    called: str | None = None

    @property
    def name(self) -> str:
        """What the data is called."""
        return self.called or self.data

    def open(self, *also_named: str | None) -> FileSource:
        """Open the file, and make sure that it has every column that was named.

        Raises
        ------
        SourceError
            if it cannot be read as records.
        SchemaError
            for a column that has two roles, or is not there, with the nearest ones that are.
        """
        check_roles(self.timestamp, self.key, self.label)
        source = open_source(self.data, format=self.format, encoding=self.encoding, delimiter=self.delimiter)
        roles = (self.timestamp, *named_columns(self.key), self.label, *also_named)
        try:
            check_columns([*self.columns, *self.categorical, *self.ignore, *filter(None, roles)], source)
        except BaseException:
            source.close()
            raise
        return source

    def schema(self, frame: pl.DataFrame, *also_ignore: str | None) -> Schema:
        """Say which column of the rows to learn from is what, and make sure the numbers are finite.

        Raises
        ------
        InputError
            if there are fewer than 8 rows, or a label is missing or not understood.
        SchemaError
            if a named column does not exist, no column can be used, or a number is infinite.
        """
        check_rows(len(frame))
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
        if self.label is not None:
            parse_labels(frame[self.label])
        return schema


def check_columns(names: Iterable[str], source: FileSource) -> None:
    """Make sure that a file has these columns.

    Raises
    ------
    SchemaError
        naming the first one that is missing, and the nearest ones or all that there are.
    """
    known = source.columns
    every = frozenset(known)
    missing = next((name for name in names if name not in every), None)
    if missing is None:
        return
    nearest = UnknownNameError("column", missing, known).nearest
    way_out = f"Did you mean {' or '.join(map(repr, nearest))}?" if nearest else f"Its columns are {quoted(known)}."
    raise SchemaError(f"{source.name} has no column {missing!r}. {way_out}")


def estimated_rows(source: FileSource, first: pl.DataFrame) -> int | None:
    """About how many records a file has, for progress; None where neither the format nor the size tells.

    Parameters
    ----------
    source : the file.
    first : its first records.
    """
    if source.rows is not None:
        return source.rows
    if "." in source.format or not len(first):  # compressed: its size says nothing
        return None
    probe = first.head(PROBE)
    text = probe.write_csv() if source.format in ("csv", "tsv") else probe.write_ndjson()
    return max(len(first), round(source.size * len(probe) / len(text.encode())))
