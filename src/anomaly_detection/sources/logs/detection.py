"""Which format a log has, told from its first lines: the one that decodes most of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import ParameterError
from anomaly_detection.sources.logs import levels, numbers, text, times
from anomaly_detection.sources.logs._json_values import parsed, text_of, value_of
from anomaly_detection.sources.logs._pattern import LINE_BYTES, Patterns, cut, groups_of
from anomaly_detection.sources.logs._spans import Spans
from anomaly_detection.sources.logs._values_kernels import UNREADABLE
from anomaly_detection.sources.logs.columns import FIELDS, MOST_PATHS, LogColumns, usual
from anomaly_detection.sources.logs.containers import Cri, Docker
from anomaly_detection.sources.logs.format import LogFormat, decoder_of, usual_format, with_columns
from anomaly_detection.sources.logs.joining import trace_like

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Lines

SAMPLE = 1000
"""Lines that the format is told from."""

_COLUMN_SAMPLE = 300
_ENOUGH = 0.5
_NEARLY = 0.9
_DEEPEST = 4
_PLAIN_FORMATS = ("json", "syslog5424", "combined", "common", "syslog", "logfmt")
_PAIR = re.compile(r'([A-Za-z_@][\w.@/:-]*)=("(?:[^"\\]|\\.)*"|\S*)')


def detected(lines: Lines, given: LogColumns, zone: str = "UTC") -> LogFormat:
    """The format of a log.

    Parameters
    ----------
    lines : the first ones, without blank ones.
    given : the columns that the user named.
    zone : of time stamps that name none.
    """
    sample = lines.take(slice(SAMPLE))
    found = _outer(sample) or _inner(sample)
    return finished(found, sample, given, zone)


def named(name: str, lines: Lines, given: LogColumns, zone: str, pattern: str | None) -> LogFormat:
    """The format that a user named, with what has to be told from the first lines.

    Raises
    ------
    UnknownNameError, ParameterError
        for a format that does not exist or needs more words.
    """
    sample = lines.take(slice(SAMPLE))
    if name in ("cri", "docker"):
        inner = (Cri() if name == "cri" else Docker()).unwrap(sample).inner
        found = LogFormat(name, inner=_inner(inner.take(~inner.blank)))
    elif name == "text":
        found = _text(sample) or usual_format("plain")
    elif name == "regex":
        found = _of_user(pattern)
    else:
        found = usual_format(name)
    return finished(found, sample, given, zone)


def finished(format: LogFormat, sample: Lines, given: LogColumns, zone: str) -> LogFormat:
    """A format with its columns and its zone."""
    if format.inner is not None:
        inside = (Cri() if format.name == "cri" else Docker()).unwrap(sample).inner
        return replace(format, zone=zone, inner=finished(format.inner, inside.take(~inside.blank), given, zone))
    usual_columns = format.columns
    if format.name in ("json", "logfmt"):
        usual_columns = columns_of(_json_records(sample) if format.name == "json" else _logfmt_records(sample))
    return replace(with_columns(replace(format, columns=usual_columns), given), zone=zone)


def columns_of(records: list[dict[str, Any]]) -> LogColumns:
    """The columns of records, by the usual names of fields and what their values can be read as."""
    names = dict.fromkeys(name for record in records for name in _names(record, ""))
    found: dict[str, list[str]] = {}
    taken: set[str] = set()
    for field in FIELDS:
        fitting = (name for name in usual(field, names) if name not in taken and _fits(field, name, records))
        found[field] = [name for _, name in zip(range(MOST_PATHS), fitting, strict=False)]
        taken |= set(found[field])
    return LogColumns.of(found)


def _outer(sample: Lines) -> LogFormat | None:
    """A format that wraps another."""
    for name, envelope in (("docker", Docker()), ("cri", Cri())):
        unwrapped = envelope.unwrap(sample)
        share = float(unwrapped.ok.mean()) if sample.size else 0.0
        if share >= _ENOUGH:
            inner = unwrapped.inner
            return LogFormat(name, inner=_inner(inner.take(~inner.blank)), share=share)
    return None


def _inner(sample: Lines) -> LogFormat:
    """A format that wraps no other."""
    best = usual_format("plain")
    most = 0.0
    trace = trace_like(cut(sample.spans, LINE_BYTES)[0])
    for name in _PLAIN_FORMATS:
        tried = usual_format(name)
        share = _share(decoder_of(tried).decode(sample).ok, trace)
        if share > most + 0.02 and share >= _ENOUGH:
            best, most = replace(tried, share=share), share
        if most > 1 - 0.02:
            return best
    found = _text(sample)
    if found is not None and (found.share or 0.0) > most + 0.02:
        return found
    return best if most else replace(best, share=1.0)


def _text(sample: Lines) -> LogFormat | None:
    """The layout of lines of text, and a more general one for the lines that have another."""
    trace = trace_like(cut(sample.spans, LINE_BYTES)[0])
    shares = [_share(_fitting(sample, text.every(layout)), trace) for layout in text.LAYOUTS]
    best = max(shares)
    if best < _ENOUGH:
        return None
    first = next(i for i, share in enumerate(shares) if share >= _NEARLY * best)
    chosen = [first, *(() if shares[first] == best else (shares.index(best),))]
    patterns = tuple(_narrow(sample, text.LAYOUTS[i], shares[i], trace) for i in chosen)
    return LogFormat("text", text.COLUMNS, patterns, share=best)


def _narrow(sample: Lines, layout: text.Layout, share: float, trace: NDArray[np.bool_]) -> str:
    """The expression of a layout for the one kind of time stamp that the lines have, which is faster."""
    for pattern in text.narrow(layout):
        if _share(_fitting(sample, pattern), trace) == share:
            return pattern
    return text.every(layout)


def _fitting(sample: Lines, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = cut(sample.spans, LINE_BYTES)[0].series().str.contains(pattern).to_numpy()
    return found


def _share(ok: NDArray[np.bool_], trace: NDArray[np.bool_]) -> float:
    """The share of lines that were decoded, those of stack traces not counted."""
    counted = ok | ~trace
    return float(ok[counted].mean()) if counted.any() else 0.0


def _of_user(pattern: str | None) -> LogFormat:
    if pattern is None:
        raise ParameterError(r"Give the regular expression of the log, such as '(?<time>\S+) (?<message>.*)'.")
    groups = groups_of(pattern)
    columns = {field: usual(field, groups)[:MOST_PATHS] for field in FIELDS}
    if not any(columns.values()) and not groups:
        raise ParameterError(f"{pattern[:80]!r} has no named group, such as (?<message>.*).")
    Patterns((pattern,), LogColumns())
    return LogFormat("regex", LogColumns.of(columns), (pattern,))


def _json_records(sample: Lines) -> list[dict[str, Any]]:
    rows = range(min(sample.size, _COLUMN_SAMPLE))
    return [record for record in (parsed(sample.spans.raw(row)) for row in rows) if record]


def _logfmt_records(sample: Lines) -> list[dict[str, Any]]:
    rows = range(min(sample.size, _COLUMN_SAMPLE))
    lines = (sample.spans.raw(row)[:LINE_BYTES].decode(errors="replace") for row in rows)
    return [{name: value.strip('"') for name, value in _PAIR.findall(line)} for line in lines]


def _names(record: Mapping[str, Any], before: str, depth: int = 1) -> Iterable[str]:
    for name, value in record.items():
        path = f"{before}{name}"
        yield path
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _names(value, f"{path}.", depth + 1)


def _fits(field: str, name: str, records: list[dict[str, Any]]) -> bool:
    """Whether most values of a field can be read as what the column holds."""
    values = [value_of(record, (name,), field)[0] for record in records]
    texts = [text_of(value) for value in values if value is not None and value != ""]
    if field == "message":
        return any(type(value) is str for value in values)
    spans = Spans.of(texts)
    return bool(texts) and _readable(field, name, spans) >= _ENOUGH * len(texts)


def _readable(field: str, name: str, spans: Spans) -> int:
    if field == "time":
        return int((times.instants(spans, "UTC", 0)[0] != times.MISSING_TIME).sum())
    if field == "level":
        scales = np.full(spans.starts.size, levels.scale_of(name))
        return int((levels.level_codes(spans, scales) >= 0).sum())
    if field == "response_time":
        states = numbers.durations(spans, np.zeros(spans.starts.size, np.int64))[1]
        return int(np.count_nonzero(states != UNREADABLE))
    if field == "status_code":
        values = numbers.wholes(spans)[0]
        return int(((values >= 100) & (values < 1000)).sum())
    return int(spans.starts.size)
