"""Tables that were sent as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.sources.files import open_source
from anomaly_detection.workflows.runs import without_place
from anomaly_detection.workflows.uploads import ending_of


def read_table(file: IO[bytes], name: str, most_rows: int, *, as_text: bool) -> pl.DataFrame:
    """The rows of a table that was sent.

    Parameters
    ----------
    file, name : the table, and what the sender calls it.
    most_rows : larger ones are refused.
    as_text : whether what is written in a text stays text, so that 007 and 7 are two values.

    Raises
    ------
    InputError
        where it cannot be read, or has too many rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{ending_of(name)}"
        path.write_bytes(file.read())
        try:
            frame = _read(path, as_text=as_text)
        except InputError as error:
            raise InputError(without_place(str(error), path.parent, name)) from None
    if len(frame) > most_rows:
        raise InputError(f"{name} has {len(frame):,} rows; this service takes {most_rows:,} at once.")
    return frame


def _read(path: Path, *, as_text: bool) -> pl.DataFrame:
    with open_source(str(path)) as source:
        if as_text and source.format.split(".")[0] in ("csv", "tsv"):
            source.with_dtypes(dict.fromkeys(source.columns, pl.String))
        return source.read()
