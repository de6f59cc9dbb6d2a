"""Secrets stay out of what the service says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

HIDDEN = "***"

NAMED = re.compile(r"passw|secret|token|authori[sz]ation|cookie|api_?key|credential|dsn", re.IGNORECASE)
"""Fields whose value is not shown."""

SPELLED = re.compile(
    r"(?P<before>://[^/\s:@]*:)[^@\s/]+(?=@)"
    r"|(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"
    r"|(?P<key>\badt?_)[\w-]{8,}"
    r"|(?P<name>\b(?:password|passwd|secret|token|api_?key)\b[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;)]+",
    re.IGNORECASE,
)
"""Secrets within a text: in an address, after a scheme, a key of ours, after a name."""

MARKS = (":", "=", " ", "ad_", "adt_")
"""Without any of these there is none; asking for them is quicker."""


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of secrets, at any depth: a step of structlog."""
    for name, value in event.items():
        if NAMED.search(name):
            event[name] = HIDDEN
        elif name != "timestamp" and not isinstance(value, int | float):
            event[name] = cleaned(value)
    return event


def cleaned(value: Any) -> Any:
    """A value in which no secret can be read.

    >>> cleaned({"said": "connect(password=abc)", "session_token": "abc", "n": 3})
    {'said': 'connect(password=***)', 'session_token': '***', 'n': 3}
    """
    if isinstance(value, str):
        return SPELLED.sub(_hidden, value) if any(mark in value for mark in MARKS) else value
    if isinstance(value, dict):
        return {name: HIDDEN if NAMED.search(str(name)) else cleaned(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return value


def _hidden(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group) + HIDDEN
