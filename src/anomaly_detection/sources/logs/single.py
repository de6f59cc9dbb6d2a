"""One log line at a time: the same values as in a batch, without a frame."""

from __future__ import annotations

import datetime as dt
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import SourceError
from anomaly_detection.sources.logs import levels, numbers, times
from anomaly_detection.sources.logs._json_values import parsed, text_of, value_of
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs._times_kernels import ABSENT, INSTANT, UNREADABLE, read_time
from anomaly_detection.sources.logs.columns import FIELDS, LogColumns, usual
from anomaly_detection.sources.logs.joining import MESSAGE_BYTES
from anomaly_detection.sources.logs.source import as_columns, decode_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anomaly_detection.sources.logs.format import LogFormat

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_COLUMNS = 4


def decode_one(
    line: Mapping[str, Any] | str | bytes,
    format: LogFormat | None = None,
    columns: Mapping[str, str | Sequence[str] | None] | LogColumns | None = None,
    *,
    zone: str | None = None,
    reference: int | None = None,
) -> dict[str, Any]:
    """Decode one line, or one record that is a dict already.

    Parameters
    ----------
    line : a dict with fields as in JSON lines; or a line of text, of this format or of the one that fits it.
    format : of the log; of a dict, its columns and zone count.
    columns : which field holds what; the others are those of the format, or the usual ones.
    zone : of time stamps that name none.
    reference : microseconds since 1970 that a time without a year is near; None for now.

    Returns
    -------
    The columns of a log frame without ``line``; ``time`` is a datetime in UTC; None where a value is missing.

    Raises
    ------
    SourceError
        for text that is not of the format.

    >>> decode_one({"severity": "warning", "msg": "slow", "latency_ms": 1200})["level"]
    'WARN'
    """
    if isinstance(line, (str, bytes)):
        inner = format.innermost.name if format is not None and format.inner is None else "json"
        record = parsed(line.encode(errors="replace") if isinstance(line, str) else line) if inner == "json" else None
        if record is None or (format is not None and format.inner is not None):
            return _of_text(line, format, columns, zone, reference)
        line = record
    chosen = _columns(line, format, columns)
    where = zone or (format.zone if format is not None else "UTC")
    return _of_record(line, chosen, where, times.now() if reference is None else reference)


def _columns(
    record: Mapping[str, Any],
    format: LogFormat | None,
    given: Mapping[str, str | Sequence[str] | None] | LogColumns | None,
) -> LogColumns:
    if given is None and format is not None:
        return format.innermost.columns
    found = _usual(tuple(record)) if format is None else format.innermost.columns
    return found if given is None else LogColumns.of({**found.as_dict(), **as_columns(given).as_dict()})


@lru_cache(maxsize=1024)
def _usual(names: tuple[str, ...]) -> LogColumns:
    """The usual columns of a record with these fields."""
    taken: set[str] = set()
    found: dict[str, list[str]] = {}
    for field in FIELDS:
        found[field] = [name for name in usual(field, names) if name not in taken][:_MOST_COLUMNS]
        taken |= set(found[field])
    return LogColumns.of(found)


def _of_record(record: Mapping[str, Any], columns: LogColumns, zone: str, reference: int) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for field in columns.named:
        paths = columns.of_field(field)
        value, place = value_of(record, paths, field)
        if field == "time":
            decoded[field] = _time(value, zone, reference)
        elif field == "level":
            decoded[field] = None if value is None else level_of(text_of(value) or "", levels.scale_of(paths[place]))
        elif field == "response_time":
            decoded[field] = None if value is None else _duration(value, numbers.unit_of(paths[place]))
        elif field == "status_code":
            decoded[field] = value if _is_code(value) else _whole(value)
        else:
            decoded[field] = shortened(text_of(value))
    return decoded


def _time(value: Any, zone: str, reference: int) -> dt.datetime | None:
    if value is None:
        return None
    raw = np.frombuffer((text_of(value) or "").encode(), np.uint8)
    micros, state = read_time(raw, 0, raw.size, reference)
    if state in (ABSENT, UNREADABLE):
        return None
    if state != INSTANT and zone != "UTC":
        found = times.instants(Spans.of([text_of(value)]), zone, reference)[0][0]
        if found == times.MISSING_TIME:
            return None
        micros = int(found)
    return _EPOCH + dt.timedelta(microseconds=micros)


@lru_cache(maxsize=4096)
def level_of(text: str, scale: int) -> str | None:
    """One of the five levels, read from text of any dialect on a scale of :data:`levels.SCALES`; None for none."""
    code = int(levels.level_codes(Spans.of([text]), np.array([scale]))[0])
    return levels.LEVELS[code] if code >= 0 else None


def _duration(value: Any, unit: str) -> float | None:
    if type(value) in (int, float) and unit == "ms":
        return float(value) + 0.0 if 0 <= value < 1e300 and math.isfinite(value) else _duration_text(value, unit)
    return _duration_text(value, unit)


def _duration_text(value: Any, unit: str) -> float | None:
    found = numbers.durations(Spans.of([text_of(value)]), np.array([numbers.POWERS[unit]]))[0][0]
    return None if math.isnan(found) else float(found)


def _is_code(value: Any) -> bool:
    return type(value) is int and abs(value) < 10**15


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    found = int(numbers.wholes(Spans.of([text_of(value)]))[0][0])
    return None if found == numbers.MISSING_WHOLE else found


def shortened(text: str | None) -> str | None:
    """Text of at most as many bytes as a message of a log frame has."""
    if text is None or len(text) * 4 <= MESSAGE_BYTES:
        return text
    return text.encode()[:MESSAGE_BYTES].decode(errors="ignore")


def _of_text(
    line: str | bytes,
    format: LogFormat | None,
    columns: Mapping[str, str | Sequence[str] | None] | LogColumns | None,
    zone: str | None,
    reference: int | None,
) -> dict[str, Any]:
    near = None if reference is None else _EPOCH + dt.timedelta(microseconds=reference)
    batch = decode_lines([line], format or "auto", columns, zone=zone, reference=near)
    if batch.frame.height == 0:
        number, shown = (batch.counts.first_aside or ((1, ""),))[0]
        raise SourceError(f"Line {number} could not be decoded as {batch.format.name}: {shown!r}.")
    row = batch.frame.drop("line").row(0, named=True)
    return dict(row)
