"""How a log is written: what was found out, as plain data that can be kept with a model."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.sources.logs import access, plain, syslog, text
from anomaly_detection.sources.logs._pattern import Patterns, groups_of
from anomaly_detection.sources.logs.columns import LogColumns
from anomaly_detection.sources.logs.containers import Cri, Docker
from anomaly_detection.sources.logs.json_lines import JsonLines
from anomaly_detection.sources.logs.logfmt import Logfmt
from anomaly_detection.sources.logs.times import checked_zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.sources.logs._fields import Decoder
    from anomaly_detection.sources.logs.containers import Envelope

NAMES = (
    "json", "logfmt", "syslog", "syslog5424", "common", "combined", "text", "regex", "plain", "cri", "docker", "table",
)  # fmt: skip
"""The formats of logs."""

_PATTERNS: dict[str, tuple[type[Patterns], tuple[str, ...], LogColumns, str]] = {
    "syslog": (syslog.Syslog, (syslog.QUICK, syslog.OLD), syslog.COLUMNS, "trace"),
    "syslog5424": (syslog.Syslog, (syslog.NEW,), syslog.COLUMNS, "trace"),
    "common": (access.Access, access.patterns(combined=False), access.COLUMNS, "trace"),
    "combined": (access.Access, access.patterns(combined=True), access.COLUMNS, "trace"),
}


@dataclass(frozen=True, slots=True)
class LogFormat:
    """How a log is written.

    Parameters
    ----------
    name : one of NAMES; ``cri`` and ``docker`` wrap another format, ``table`` is Parquet, CSV or a JSON document.
    columns : the fields, groups or columns of the file that hold each column of a log frame.
    patterns : of formats of text, the regular expressions, tried in turn.
    zone : of time stamps that name none.
    inner : what is wrapped.
    share : of the first lines, the share that could be decoded; None where nobody looked.

    >>> kept = LogFormat("json", LogColumns(time=("ts",))).to_json()
    >>> LogFormat.from_json(kept).columns.time
    ('ts',)
    """

    name: str
    columns: LogColumns = field(default_factory=LogColumns)
    patterns: tuple[str, ...] = ()
    zone: str = "UTC"
    inner: LogFormat | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise UnknownNameError("log format", self.name, NAMES)
        checked_zone(self.zone)
        if self.name in ("text", "regex") and not self.patterns:
            raise ParameterError(f"The log format {self.name!r} needs a regular expression with named groups.")

    @property
    def innermost(self) -> LogFormat:
        """The format of the lines themselves."""
        return self.inner.innermost if self.inner is not None else self

    def __str__(self) -> str:
        """Such as ``cri with json inside (time: ts, message: msg)``."""
        names = self.name if self.inner is None else f"{self.name} with {self.innermost.name} inside"
        return f"{names} ({self.innermost.columns})"

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "name": self.name,
            "columns": self.columns.as_dict(),
            "patterns": list(self.patterns),
            "zone": self.zone,
            "inner": None if self.inner is None else self.inner.as_dict(),
            "share": self.share,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LogFormat:
        """From plain data.

        Raises
        ------
        ParameterError
            for data that describes no format.
        """
        try:
            inner = data.get("inner")
            return cls(
                name=data["name"],
                columns=LogColumns.of(data.get("columns", {})),
                patterns=tuple(data.get("patterns", ())),
                zone=data.get("zone", "UTC"),
                inner=None if inner is None else cls.from_dict(inner),
                share=data.get("share"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ParameterError(f"This describes no log format: {str(data)[:200]} ({error!r}).") from None

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(self.as_dict())

    @classmethod
    def from_json(cls, text: str) -> LogFormat:
        """From JSON.

        Raises
        ------
        ParameterError
            for text that describes no format.
        """
        try:
            return cls.from_dict(json.loads(text))
        except (json.JSONDecodeError, RecursionError) as error:
            raise ParameterError(f"This describes no log format: {text[:200]!r} ({error}).") from None


def usual_format(name: str) -> LogFormat:
    """A format with the columns it usually has, for those that need no look at the lines."""
    if name in _PATTERNS:
        _, patterns, columns, _ = _PATTERNS[name]
        return LogFormat(name, columns, patterns)
    return LogFormat(name, plain.COLUMNS if name == "plain" else LogColumns())


def with_columns(format: LogFormat, given: LogColumns) -> LogFormat:
    """A format with some columns as the user says.

    Raises
    ------
    ParameterError
        for a group that a format of text does not have.
    """
    if not given.as_dict():
        return format
    if format.inner is not None:
        return replace(format, inner=with_columns(format.inner, given))
    known = set(given.as_dict())
    columns = {**format.columns.as_dict(), **given.as_dict()}
    if format.patterns:
        groups = dict.fromkeys(name for pattern in format.patterns for name in groups_of(pattern))
        groups |= dict.fromkeys(name for paths in format.columns.as_dict().values() for name in paths)
        for column in known:
            for name in columns[column]:
                if name not in groups:
                    shown = ", ".join(groups)
                    raise ParameterError(f"The log format {format.name!r} has no group {name!r}. It has {shown}.")
    return replace(format, columns=LogColumns.of(columns))


def with_zone(format: LogFormat, zone: str | None) -> LogFormat:
    """A format with the zone that the user says, if any."""
    return format if zone is None else replace(format, zone=checked_zone(zone))


@lru_cache(maxsize=64)
def decoder_of(format: LogFormat) -> Decoder:
    """What reads the lines of a format; it keeps nothing of them, so that all readers may share it."""
    if format.name == "json":
        return JsonLines(format.columns)
    if format.name == "logfmt":
        return Logfmt(format.columns)
    if format.name == "plain":
        return plain.Plain()
    if format.name == "regex":
        return Patterns(format.patterns, format.columns)
    if format.name == "text":
        return text.Text(format.patterns, format.columns)
    kind, patterns, _, joins = _PATTERNS[format.name]
    return kind(format.patterns or patterns, format.columns, joins=joins)


def envelope_of(format: LogFormat) -> Envelope | None:
    """What takes the lines of a format out of what is wrapped around them."""
    if format.inner is None:
        return None
    return Cri() if format.name == "cri" else Docker()
