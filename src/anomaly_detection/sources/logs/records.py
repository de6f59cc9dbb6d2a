"""Log lines that Python holds already: dicts and tables, with names of their own, checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.frames import as_frame
from anomaly_detection.sources.logs import times
from anomaly_detection.sources.logs._fields import Clock
from anomaly_detection.sources.logs._json_values import value_of
from anomaly_detection.sources.logs.columns import ALIASES, FIELDS, MOST_PATHS, LogColumns, usual
from anomaly_detection.sources.logs.format import LogFormat
from anomaly_detection.sources.logs.single import decode_one
from anomaly_detection.sources.logs.tables import columns_of, typed_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

DTYPES: dict[str, pl.DataType] = {
    **dict.fromkeys(FIELDS, pl.String()),
    "time": times.UTC,
    "response_time": pl.Float64(),
    "status_code": pl.Int64(),
}
"""The types of the columns of a log frame."""

DECODED = frozenset({"time", "response_time", "status_code"})
"""Fields that are no text: what was decoded says whether the value fits."""

WANTED = {
    "time": "a datetime, a time stamp such as 2026-01-31T12:00:00Z, or seconds since 1970",
    "level": "text such as ERROR, or a number",
    "service": "text",
    "message": "text",
    "session": "text, or a whole number",
    "response_time": "milliseconds as a number, or text with a unit such as 1.5s",
    "status_code": "a whole number",
}
"""What the fields of a record hold."""


def record_of(record: Any, columns: LogColumns, zone: str | None = None) -> dict[str, Any]:
    """A log line that is a dict, as a dict with the names of the columns; other keys are left out.

    Parameters
    ----------
    record : fields by name, as in JSON lines.
    columns : the names that hold what; after them the usual ones count, such as ``timestamp`` or ``latency_ms``.
    zone : of time stamps that name none; UTC.

    Raises
    ------
    InputError
        for what is no dict, has none of the fields of a log line, or has a value of another type in one.

    >>> record_of({"level": "warning", "latency_ms": 1200, "colour": "red"}, LogColumns())["response_time"]
    1200.0
    """
    if not isinstance(record, Mapping):
        raise InputError(f"A log line is a dict with fields such as level and message, not {record!r:.200}.")
    format_ = _format(tuple(record), columns, zone or "UTC")
    decoded = decode_one(record, format_)
    for field, value in decoded.items():
        names = format_.columns.of_field(field)
        if value is None or not _is_plain(field, record.get(names[0])):
            _check(field, record, value, names)
    return decoded


def frame_of(data: Any, columns: LogColumns, zone: str | None = None, needed: LogColumns | None = None) -> pl.DataFrame:
    """Log lines that are a list of dicts, or a table of any kind, as a log frame.

    Parameters
    ----------
    data : dicts as :func:`record_of` takes them; or a data frame or Arrow table, or a dict of columns.
    columns, zone : as for :func:`record_of`.
    needed : names that have to be there.

    Raises
    ------
    InputError
        for what is neither, with the number of the line that is at fault, or has none of the columns of a log, or lacks
        one that is needed.
    """
    if isinstance(data, (list, tuple)):
        return _of_records(data, columns, zone, needed or LogColumns())
    table = as_frame(data)
    there = {field: [name for name in names if name in table.columns] for field, names in columns.as_dict().items()}
    asked = {**there, **(needed.as_dict() if needed else {})}
    found = columns_of(
        table.columns, LogColumns.of({name: paths for name, paths in asked.items() if paths}), "The table"
    )
    if not found.as_dict():
        raise SchemaError(f"The table has none of the columns of a log; it has {', '.join(table.columns[:20])}.")
    made, _ = typed_rows(table, found, Clock(times.checked_zone(zone or "UTC"), times.now()))
    return pl.DataFrame([made.columns[name].alias(name) for name in found.named])


def _of_records(records: Sequence[Any], columns: LogColumns, zone: str | None, needed: LogColumns) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for record in records:
        try:
            rows.append(record_of(record, columns, zone))
        except InputError as error:
            raise InputError(f"Line {len(rows)} (counted from 0): {error}") from error
    for field, names in needed.as_dict().items():
        if not any(value_of(record, tuple(names), field)[0] is not None for record in records):
            raise SchemaError(
                f"No line has a field {' or '.join(map(repr, names))} for {field}. Name one that is there."
            )
    there = {name for row in rows for name in row} if rows else set(FIELDS)
    return pl.DataFrame(rows, schema={name: dtype for name, dtype in DTYPES.items() if name in there})


@lru_cache(maxsize=1024)
def _format(names: tuple[Any, ...], columns: LogColumns, zone: str) -> LogFormat:
    """How a record with these fields is read."""
    given = columns.as_dict()
    taken = {path for paths in given.values() for path in paths}
    chosen: dict[str, list[str]] = {}
    for field in FIELDS:
        free = [name for name in names if isinstance(name, str) and name not in taken]
        chosen[field] = [*given.get(field, ()), *usual(field, free)][:MOST_PATHS]
        taken |= set(chosen[field])
    if not {part for paths in chosen.values() for path in paths for part in (path, path.partition(".")[0])} & set(
        names
    ):
        shown = ", ".join(str(name) for name in names[:20]) or "nothing"
        raise InputError(
            f"This record has none of the fields of a log line ({', '.join(FIELDS)}, or usual names such as "
            f"{ALIASES['time'][0]} and latency_ms); it has {shown}."
        )
    return LogFormat("json", LogColumns.of(chosen), zone=zone)


def _is_plain(field: str, value: Any) -> bool:
    """Whether what was decoded of a value cannot be of another type than the field has: most are like that."""
    return bool(value) and (type(value) is str or (field in DECODED and type(value) in {int, float, dt.datetime}))


def _check(field: str, record: Mapping[str, Any], decoded: Any, names: tuple[str, ...]) -> None:
    """Refuse a value of another type than the field has; what is missing, or no number, is fine."""
    value, place = value_of(record, names, field)
    if value is None:
        value = record.get(field)
        wrong = isinstance(value, (dict, list, tuple))
    elif isinstance(value, float) and value != value:  # noqa: PLR0124  NaN
        return
    else:
        wrong = isinstance(value, bool) or not _fits(field, value, decoded, own=names[place] == field)
    if wrong:
        raise InputError(f"The field {field} of a log line is {WANTED[field]}; got {value!r:.200}.")


def _fits(field: str, value: Any, decoded: Any, *, own: bool) -> bool:
    if field == "message":
        return isinstance(value, str) or (not own and isinstance(value, (dict, list)))
    if field in {"level", "session"}:
        return isinstance(value, (str, Integral))
    if field == "service":
        return isinstance(value, str)
    if field == "response_time":
        return decoded is not None or isinstance(value, Real)
    return decoded is not None or isinstance(value, dt.datetime)
