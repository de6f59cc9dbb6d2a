"""Which fields of a log hold what: the user's words, else the usual names."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from anomaly_detection.errors import UnknownNameError
from anomaly_detection.sources.logs.numbers import without_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FIELDS = ("time", "level", "service", "message", "session", "response_time", "status_code")
"""What a log line can say, as the columns of a log frame."""

ALWAYS = ("time", "level", "service", "message")
"""The columns that every log frame has; the others are there where the log has them."""

TEXTS = ("service", "message", "session")
"""The columns of text."""

ALIASES: dict[str, tuple[str, ...]] = {
    "time": (
        "timestamp", "time", "ts", "datetime", "asctime", "date", "eventtime", "logtime", "logdate", "timegenerated",
        "timestampms", "timems", "epoch", "epochms", "created", "createdat", "isodate", "t",
    ),
    "level": (
        "level", "levelname", "severity", "severitytext", "lvl", "loglevel", "log.level", "logseverity", "priority",
        "levelno", "severitynumber", "l",
    ),
    "service": (
        "service", "servicename", "service.name", "app", "application", "appname", "applicationname", "component",
        "kubernetes.containername", "containername", "container", "logger", "loggername", "log.logger", "module",
        "program", "unit", "name", "source",
    ),
    "message": (
        "message", "msg", "text", "body", "log", "event", "shortmessage", "textpayload", "jsonpayload.message",
        "content", "description", "request",
    ),
    "session": (
        "session", "sessionid", "session.id", "sid", "traceid", "trace.id", "requestid", "reqid", "correlationid",
    ),
    "response_time": (
        "responsetime", "responsetimems", "latency", "latencyms", "duration", "durationms", "elapsed", "elapsedms",
        "elapsedtime", "took", "tookms", "requesttime", "requestduration", "upstreamresponsetime", "timetaken",
        "processingtime", "event.duration", "rt",
    ),
    "status_code": (
        "status", "statuscode", "httpstatus", "httpstatuscode", "http.response.statuscode", "http.status",
        "responsecode", "httpresponsecode", "responsestatus", "code",
    ),
}  # fmt: skip
"""The usual names of fields, without ``_``, ``-``, ``@`` and in small letters; first choice first."""

MOST_PATHS = 4
"""Names that are looked for in each line for one column."""


@dataclass(frozen=True, slots=True)
class LogColumns:
    """The fields of a log that hold each column, by name or dotted path; the first that is there counts.

    >>> LogColumns.of({"time": "ts", "service": ["app", "k8s.app"]}).service
    ('app', 'k8s.app')
    """

    time: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    response_time: tuple[str, ...] = ()
    status_code: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Mapping[str, str | Sequence[str] | None]) -> LogColumns:
        """From a mapping of columns to fields; None or ``""`` for none.

        Raises
        ------
        UnknownNameError
            for a column that a log frame does not have.
        """
        for name in names:
            if name not in FIELDS:
                raise UnknownNameError("column of a log", name, FIELDS)
        return cls(**{name: _paths(given) for name, given in names.items()})

    def of_field(self, field: str) -> tuple[str, ...]:
        """The names for one column."""
        found: tuple[str, ...] = getattr(self, field)
        return found

    @property
    def named(self) -> tuple[str, ...]:
        """The columns that a frame of this log has."""
        return tuple(field for field in FIELDS if field in ALWAYS or self.of_field(field))

    def as_dict(self) -> dict[str, list[str]]:
        """As plain data."""
        return {name: list(paths) for name, paths in asdict(self).items() if paths}

    def __str__(self) -> str:
        """Such as ``time: ts, message: msg``."""
        shown = ((each.name, self.of_field(each.name)) for each in fields(self))
        return ", ".join(f"{name}: {' or '.join(paths)}" for name, paths in shown if paths)


def usual(field: str, names: Iterable[str]) -> list[str]:
    """The names among some that usually hold a column: first choice first, names on the top before nested ones.

    >>> usual("time", ["msg", "ts", "@timestamp", "meta.time"])
    ['@timestamp', 'ts', 'meta.time']
    """
    found = {name: _rank(field, name) for name in names}
    return sorted(
        (name for name, rank in found.items() if rank is not None), key=lambda name: found[name] or (0, 0, "")
    )


def _rank(field: str, name: str) -> tuple[int, int, str] | None:
    """How good a name is for a field: how deep, which alias, the name."""
    aliases = ALIASES[field]
    names = (name, without_unit(name)) if field == "response_time" else (name,)
    ways = ((0, each) for each in names), ((name.count("."), each.rpartition(".")[2]) for each in names)
    for depth, tried in (way for group in ways for way in group):
        plain = _plain(tried)
        if plain in aliases and len(plain) > (1 if depth else 0):
            return depth, aliases.index(plain), name
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())


def _paths(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if not given:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)
