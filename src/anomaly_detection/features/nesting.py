"""Records within records: a field is a column of its own, named by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from anomaly_detection.errors import SchemaError


def flatten(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every struct column replaced by its fields; the frame itself when there is none.

    Raises
    ------
    SchemaError
        if a field's path is also the name of a column.

    Examples
    --------
    >>> flatten(pl.DataFrame({"user": [{"age": 30, "home": {"city": "Oslo"}}]})).to_dicts()
    [{'user.age': 30, 'user.home.city': 'Oslo'}]
    """
    while any(dtype == pl.Struct for dtype in frame.dtypes):
        fields = [field for name, dtype in frame.schema.items() for field in _fields(name, dtype)]
        try:
            frame = frame.select(fields)
        except pl.exceptions.DuplicateError as error:
            raise SchemaError(
                f"A field within a record has the path of a column: {error}. Rename the column."
            ) from error
    return frame


def _fields(name: str, dtype: pl.DataType) -> Iterator[pl.Expr]:
    if not isinstance(dtype, pl.Struct):
        yield pl.col(name)
        return
    for field in dtype.fields:
        yield pl.col(name).struct.field(field.name).alias(f"{name}.{field.name}")


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """The value that :func:`flatten` would put in a column; None where there is none.

    Raises
    ------
    SchemaError
        if the path leads into something that is not a record.

    Examples
    --------
    >>> value_at({"user": {"age": 30}}, "user.age"), value_at({"user": None}, "user.age"), value_at({"a.b": 1}, "a.b")
    (30, None, 1)
    """
    if path in record:
        return record[path]
    for end, sign in enumerate(path):
        if sign == "." and path[:end] in record:
            inner = record[path[:end]]
            if isinstance(inner, Mapping):
                return value_at(inner, path[end + 1 :])
            if inner is not None:
                raise SchemaError(f"Column {path!r}: {path[:end]!r} must hold a record; it holds {inner!r}.")
    return None


def heads(path: str) -> Iterator[str]:
    """The path and every beginning of it that a record may have as a key.

    >>> list(heads("user.home.city"))
    ['user.home.city', 'user.home', 'user']
    """
    while path:
        yield path
        path = path.rpartition(".")[0]
