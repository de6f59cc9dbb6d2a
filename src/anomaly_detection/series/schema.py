"""Which columns of a table are the channels of its series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError, SchemaError, UnknownNameError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.records import Column, Schema, SetAside, named_columns, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl


def series_schema(
    frame: pl.DataFrame,
    timestamp: str,
    *,
    columns: Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    label: str | None = None,
    ignore: Iterable[str] = (),
) -> Schema:
    """Say which columns are channels: all numbers that have no role, or those that were named.

    A column that never varied stays a channel, for it may begin to; one without any value is set aside.

    Raises
    ------
    SchemaError
        for a column that is not there, a named one that is no number, or if no channel is left.

    >>> import polars as pl
    >>> series_schema(pl.DataFrame({"t": [0, 1], "cpu": [1.0, 1.0], "host": ["a", "b"]}), "t", key="host").feature_names
    ('cpu',)
    """
    taken = {timestamp, *named_columns(key), *([label] if label else []), *ignore}
    wanted = [name for name in frame.columns if name not in taken and (columns is None or name in columns)]
    missing = [name for name in (timestamp, *(columns or ())) if name not in frame.columns]
    if missing:
        raise SchemaError(f"There is no column {missing[0]!r}. The columns are {quoted(frame.columns)}.")
    identifiers = set() if columns is not None else _identifiers(frame.select(wanted))
    channels: list[Column] = []
    aside: list[SetAside] = []
    for name in wanted:
        reason = "an identifier: it only counts the rows" if name in identifiers else _not_a_channel(frame, name)
        if reason is None:
            channels.append(Column(name, "number"))
        elif columns is not None and "empty" not in reason:
            raise SchemaError(f"A series consists of numbers, and column {name!r} {reason}. Leave it out of --columns.")
        else:
            aside.append(SetAside(name, reason))
    if not channels:
        shown = ", ".join(f"{one.name!r} ({one.reason})" for one in aside[:12]) or "there are no other columns"
        raise SchemaError(f"No column of numbers is left to make a series of: {shown}. Name some with --columns.")
    keys = named_columns(key)
    return Schema(tuple(channels), timestamp, keys[0] if len(keys) == 1 else keys or None, label, tuple(aside))


def check_channels(names: Iterable[str] | None, known: Sequence[str]) -> None:
    """Make sure that named channels are there.

    Raises
    ------
    ParameterError
        for one that is not, with the nearest that is.
    """
    for name in names or ():
        if name not in known:
            raise ParameterError(str(UnknownNameError("channel", name, known)))


def _identifiers(frame: pl.DataFrame) -> set[str]:
    """Columns of whole numbers that only count the rows."""
    try:
        return {one.name for one in infer_schema(frame).set_aside if one.reason.startswith("an identifier")}
    except SchemaError:
        return set()


def _not_a_channel(frame: pl.DataFrame, name: str) -> str | None:
    column = frame[name]
    if column.dtype.is_numeric():
        empty = column.null_count() == len(column) or bool(column.is_nan().all() if column.dtype.is_float() else False)
        return "empty: every value is missing" if empty and len(column) else None
    try:
        kinds = {one.name: one.kind for one in infer_schema(frame.select(name), columns=[name]).features}
    except SchemaError:
        return "empty or constant, and holds no numbers"
    return None if kinds.get(name) in ("number", "boolean") else f"holds {column.dtype} values, not numbers"
