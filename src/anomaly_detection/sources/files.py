"""Files and standard input as records (first version: the signatures are final, the inside is not)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from anomaly_detection.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def open_source(
    path: str | Path,
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,  # noqa: A002
) -> FileSource:
    """Open a file of records; ``-`` is standard input."""
    return FileSource(path, format=format, encoding=encoding, delimiter=delimiter)


class FileSource:
    """Records from a file, whole or in batches."""

    def __init__(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002
        encoding: str = "utf-8",
        delimiter: str | None = None,
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SourceError(f"There is no file {str(path)!r}.")
        suffixes = [s for s in self.path.suffixes if s not in (".gz", ".zst")]
        self.format = format or suffixes[-1].lstrip(".")
        self.encoding = encoding
        self.delimiter = delimiter
        self.notes: list[str] = []
        self.size = self.path.stat().st_size
        self._dtypes: dict[str, Any] = {}
        self._frame: pl.DataFrame | None = None

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self.read().columns

    @property
    def dtypes(self) -> dict[str, Any]:
        """The type of each column, over the whole file."""
        return dict(self.read().schema)

    def with_dtypes(self, dtypes: Mapping[str, Any]) -> Self:
        """Read these columns as these types."""
        self._dtypes = dict(dtypes)
        self._frame = None
        return self

    def read(self, rows: int | None = None) -> pl.DataFrame:
        """All records, or the first ``rows``."""
        if self._frame is None:
            self._frame = self._read().cast({k: v for k, v in self._dtypes.items()})
        return self._frame if rows is None else self._frame.head(rows)

    def batches(self, rows: int = 100_000) -> Iterator[pl.DataFrame]:
        """The records in file order, at most ``rows`` at a time."""
        yield from self.read().iter_slices(rows)

    def fingerprint(self) -> str:
        """SHA-256 of the bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> pl.DataFrame:
        if self.format == "parquet":
            return pl.read_parquet(self.path)
        if self.format == "json":
            return pl.read_json(self.path, infer_schema_length=None)
        if self.format in ("jsonl", "ndjson"):
            return pl.read_ndjson(self.path, infer_schema_length=None)
        separator = self.delimiter or ("\t" if self.format == "tsv" else ",")
        return pl.read_csv(self.path, separator=separator, infer_schema_length=None, try_parse_dates=True)
