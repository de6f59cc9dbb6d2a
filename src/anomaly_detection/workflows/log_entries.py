"""Log entries as requests bring them: JSON to the values that a pipeline of logs takes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import InputError
from anomaly_detection.sources.logs.joining import MESSAGE_BYTES
from anomaly_detection.sources.logs.levels import scale_of
from anomaly_detection.sources.logs.records import record_of
from anomaly_detection.sources.logs.single import level_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anomaly_detection.workflows.log_models import TrainedLog

LONGEST_ID = 200
"""Characters of an id that a caller gives."""

ROLES = {
    "timestamp": "time",
    "level": "level",
    "service": "service",
    "message": "message",
    "session": "session",
    "response_time": "response_time",
    "latency_ms": "response_time",
    "status_code": "status_code",
}
"""What the fields of a :class:`Plain` entry hold."""

_Z_LENGTHS = (20, 24, 27)
_LARGEST = 1e300
_MOST_DIGITS = 10**15
_USUAL = scale_of("level")


class Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An entry with the usual names and types: most are like that, and are read without looking at names."""

    timestamp: str | None = None
    level: str | None = None
    service: str | None = None
    message: str | None = None
    session: str | None = None
    response_time: float | None = None
    latency_ms: float | None = None
    status_code: int | None = None
    log_id: str | None = None


class Entry(msgspec.Struct, gc=False):
    """An entry that was read: the values of a line that the model knows, the caller's id, and the time it has."""

    line: dict[str, Any]
    id: str | None
    time: datetime | None
    stamp: str | None = None


def arrived(entries: Iterable[Entry]) -> None:
    """Give entries that name no time that of their arrival, which is now, where the model looks at times.

    Whoever sends what happens as it happens need not say when; without any time no window would ever go by.

    >>> entry = Entry({"time": None, "level": "INFO"}, None, None)
    >>> arrived([entry])
    >>> entry.line["time"] == entry.time, entry.time is None
    (True, False)
    """
    now = None
    for entry in entries:
        if entry.time is None and "time" in entry.line:
            now = now or datetime.now(UTC)
            entry.line["time"] = entry.time = now


class Several(msgspec.Struct):
    """``{"logs": [...]}``, each still text."""

    logs: list[msgspec.Raw]


_PLAIN = msgspec.json.Decoder(Plain)
_ANY = msgspec.json.Decoder()
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_PLAINS = msgspec.json.Decoder(list[Plain])
_SEVERAL = msgspec.json.Decoder(Several)


class EntryReader:
    """Reads entries for one model.

    Parameters
    ----------
    trained : the model; what its training did not have is left out, as in files.
    """

    def __init__(self, trained: TrainedLog) -> None:
        self._fields, self._zone = trained.fields, trained.reading.zone
        self._columns = frozenset(trained.columns)
        names = self._fields.as_dict().items()
        known = all(ROLES.get(path, field) == field for field, paths in names for path in paths)
        self._unknown = tuple(name for name in NAMES if name not in self._columns)
        self._is_plain = known and self._zone in (None, "UTC")

    def one(self, body: bytes | msgspec.Raw) -> Entry:
        """The entry that is a JSON object.

        Raises
        ------
        InputError
            for what is none, has none of the fields of a log line, or a value of another type in one.
        """
        if self._is_plain:
            try:
                found = self._of_plain(_PLAIN.decode(body))
            except (msgspec.DecodeError, RecursionError):
                found = None
            if found is not None:
                return found
        return self._of_any(_decoded(body))

    def several(self, body: bytes) -> list[Entry]:
        """The entries that are a JSON array, or under ``logs`` of an object.

        Raises
        ------
        InputError
            as for :meth:`one`, with the number of the entry.
        """
        if self._is_plain and body[:1] == b"[":
            try:
                plain = [self._of_plain(each) for each in _PLAINS.decode(body)]
            except (msgspec.DecodeError, RecursionError):
                plain = [None]
            if None not in plain:
                return plain  # type: ignore[return-value]
        return list(self._each(raw_entries(body)))

    def of(self, record: Any) -> Entry:
        """The entry that is a dict already; raises as :meth:`one`."""
        if self._is_plain:
            try:
                found = self._of_plain(msgspec.convert(record, Plain))
            except (msgspec.ValidationError, UnicodeEncodeError):
                found = None
            if found is not None:
                return found
        return self._of_any(record)

    def _each(self, raws: Iterable[msgspec.Raw]) -> Iterable[Entry]:
        for place, raw in enumerate(raws):
            try:
                yield self.one(raw)
            except InputError as error:
                raise InputError(f"Entry {place} (counted from 0): {error}") from error

    def _of_plain(self, plain: Plain) -> Entry | None:
        """The same values as the general way would find; None where only that way can tell."""
        stamp, duration, code, message, own = (
            plain.timestamp, plain.response_time, plain.status_code, plain.message, plain.log_id,
        )  # fmt: skip
        if stamp is None and message is None and _says_nothing(plain):
            return None
        time = None
        if stamp:
            time = _instant(stamp)
            if time is None:
                return None
        if duration is None:
            duration = plain.latency_ms
        elif plain.latency_ms is not None:
            return None
        if (
            (message is not None and not _is_simple(message))
            or not (_is_known(plain.service) and _is_known(plain.session))
            or (duration is not None and not 0 <= duration < _LARGEST)
            or (code is not None and not -_MOST_DIGITS < code < _MOST_DIGITS)
            or (own is not None and len(own) > LONGEST_ID)
        ):
            return None
        line = {
            "time": time,
            "level": level_of(plain.level, _USUAL) if plain.level else None,
            "service": plain.service or None,
            "message": message,
            "session": plain.session or None,
            "response_time": duration,
            "status_code": code,
        }
        for name in self._unknown:
            del line[name]
        return Entry(line, own or None, time, stamp or None)

    def _of_any(self, record: Any) -> Entry:
        own = record.get("log_id") if isinstance(record, dict) else None
        if own is not None and (not isinstance(own, str) or len(own) > LONGEST_ID):
            raise InputError(f"The field log_id is text of at most {LONGEST_ID} characters; got {own!r:.100}.")
        rest = {name: value for name, value in record.items() if name != "log_id"} if own is not None else record
        values = record_of(rest, self._fields, self._zone)
        line = {name: value for name, value in values.items() if name in self._columns}
        return Entry(line, own or None, values.get("time"))


NAMES = ("time", "level", "service", "message", "session", "response_time", "status_code")


def _says_nothing(plain: Plain) -> bool:
    """Whether an entry has no field of a log line."""
    return all(getattr(plain, name) is None for name in ROLES)


def raw_entries(body: bytes) -> list[msgspec.Raw]:
    """The elements of a JSON array, or of ``logs`` in an object, as they are written.

    Raises
    ------
    InputError
        for what is neither.
    """
    try:
        return _LIST.decode(body) if body.lstrip()[:1] == b"[" else _SEVERAL.decode(body).logs
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"The body has to be a JSON array of log entries, or {{'logs': [...]}}: {error}.") from error


def is_several(body: bytes) -> bool:
    """Whether a body holds several entries.

    >>> is_several(b'[{"level": "INFO"}]'), is_several(b'{"logs": []}'), is_several(b'{"level": "INFO"}')
    (True, True, False)
    """
    start = body.lstrip()[:64]
    return start[:1] == b"[" or (start[:1] == b"{" and start[1:].lstrip().startswith(b'"logs"'))


def _instant(stamp: str) -> datetime | None:
    """A time as most write it; None for other forms, which the general way reads."""
    if len(stamp) not in _Z_LENGTHS or stamp[-1] != "Z" or stamp[10] != "T" or stamp[4] != "-":
        return None
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _is_known(text: str | None) -> bool:
    return text is None or _is_simple(text)


def _is_simple(text: str) -> bool:
    return text.isascii() and "\0" not in text and 4 * len(text) <= MESSAGE_BYTES


def _decoded(body: bytes | msgspec.Raw) -> Mapping[str, Any]:
    try:
        record: Any = _ANY.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"The body is not JSON: {error}.") from error
    return record  # type: ignore[no-any-return]
