"""Regular expressions for time stamps and levels in text."""

from __future__ import annotations

_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]{1,9})?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? "

ISO = rf"[0-9]{{4}}[-/.][0-9]{{2}}[-/.][0-9]{{2}}[T _]{_CLOCK}{_ZONE}"
SYSLOG = rf"{_MONTH} [ 0-9]?[0-9] (?:[0-9]{{4}} )?{_CLOCK}"

STAMPS: tuple[str, ...] = (
    ISO,
    rf"{SYSLOG}(?: [0-9]{{4}})?",
    rf"{_DAY}{SYSLOG}(?: [0-9]{{4}})?",
    rf"(?:{_DAY})?[0-9]{{1,2}}[ /-]{_MONTH}[ /-][0-9]{{4}}[: ]{_CLOCK}{_ZONE}",
    rf"[0-9]{{2}}/[0-9]{{2}}/[0-9]{{2,4}} {_CLOCK}{_ZONE}",
    rf"[0-9]{{2}}-[0-9]{{2}}-[0-9]{{4}} {_CLOCK}{_ZONE}",
    rf"[0-9]{{2}}-[0-9]{{2}} {_CLOCK}",
    rf"[0-9]{{8}}[T -]{_CLOCK}{_ZONE}",
    r"[0-9]{6} [0-9]{6}",
    r"[0-9]{10}(?:[.,][0-9]{1,9}|[0-9]{3})?",
    _CLOCK,
)
"""Each kind of time stamp, as it stands at the head of a line."""

LEVEL = (
    r"(?i:TRACE|DEBUG|INFO(?:RMATION)?|NOTICE|WARN(?:ING)?|ERR(?:OR)?|SEVERE|CRIT(?:ICAL)?|FATAL|ALERT|EMERG(?:ENCY)?"
    r"|FINE(?:R|ST)?|VERBOSE|PANIC)"
)
"""A level, as a word in letters of any case."""
