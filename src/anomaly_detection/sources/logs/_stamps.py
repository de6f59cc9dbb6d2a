"""Regular expressions for time stamps and levels in text."""

from __future__ import annotations

_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,:][0-9]{1,9})?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? "

_ISO = r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}[T _]"
ISO = _ISO + _CLOCK + _ZONE
SYSLOG = rf"{_MONTH} [ 0-9]?[0-9] (?:[0-9]{{4}} )?{_CLOCK}"

STAMPS: tuple[str, ...] = (
    _ISO + _CLOCK,
    _ISO + _CLOCK + r"(?:Z|[+-][0-9]{2}:?[0-9]{2})",
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
"""Each kind of time stamp, as it stands at the head of a line; quicker ones, which leave no choice, before others."""

LEVEL = (
    r"(?i:ALERT|CRIT(?:ICAL)?|DEBUG|E(?:RR(?:OR)?|MERG(?:ENCY)?)|F(?:ATAL|INE(?:R|ST)?)|INFO(?:RMATION)?|NOTICE|PANIC"
    r"|SEVERE|TRACE|VERBOSE|WARN(?:ING)?)"
)
"""A level, as a word in letters of any case; the words share no beginnings, so that a letter leaves no choice."""
