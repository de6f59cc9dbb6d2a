"""Rows as a service gets them: lists or objects of plain values, bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.inference import check_finite, infer_schema
from anomaly_detection.frames import as_frame
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from anomaly_detection.records import Schema


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most of a table in a request."""

    rows: int
    columns: int


def table_of_rows(data: Sequence[Any], names: Sequence[str] | None, bounds: Bounds) -> pl.DataFrame:
    """A table from rows of values or objects.

    Raises
    ------
    SchemaError
        for what is no table, or a larger one than the bounds allow.
    """
    if not data:
        raise SchemaError("There are no rows in data. Give at least one.")
    check_size(data, bounds)
    _check_rows(data)
    return as_frame(data, names)


def check_size(data: Any, bounds: Bounds) -> None:
    """Refuse a table, rows or columns of values, that is larger than the bounds allow; other things pass.

    Raises
    ------
    SchemaError
        saying how large it may be.
    """
    if isinstance(data, dict):
        rows, width = max((len(one) for one in data.values() if isinstance(one, list)), default=0), len(data)
    elif isinstance(data, list):
        rows, width = len(data), max((len(row) for row in data if isinstance(row, dict | list)), default=1)
    else:
        return
    if rows > bounds.rows:
        raise SchemaError(
            f"The data has {rows:,} rows, and {bounds.rows:,} are the most of a request. Send them in parts, or as a "
            "job."
        )
    if width > bounds.columns:
        raise SchemaError(f"The data has {width:,} columns, and {bounds.columns:,} are the most. Leave some out.")


def schema_of_rows(frame: pl.DataFrame, *, named: bool) -> Schema:
    """What each column is; columns without names of their own are all features.

    Raises
    ------
    SchemaError
        if no column can be used, or a number is infinite.
    """
    schema = infer_schema(frame, columns=None if named else frame.columns)
    check_finite(frame, schema)
    return schema


def _check_rows(data: Sequence[Any]) -> None:
    """All rows are lists, or all are objects."""
    kinds = {type(row) for row in data}
    if kinds not in ({list}, {dict}):
        raise SchemaError(
            f"A row has to be a list of values or an object, and all of them alike; {counted(len(data), 'row')} are "
            f"{', '.join(sorted(_WORDS.get(kind, 'values') for kind in kinds))}."
        )


_WORDS: dict[type, str] = {list: "lists", dict: "objects"}
