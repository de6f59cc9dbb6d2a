"""What the scanner of JSON lines should find, by Python's json: slow, and plain to see."""

from __future__ import annotations

import json


def record_of(line):
    """The object on a line of bytes, None if there is none."""
    if not line.strip(b" \t\r").startswith(b"{"):
        return None
    try:
        value = json.loads(line.decode(), strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def value_of(record, paths, field):
    """The first usable value under some names, and which name it was."""
    for place, path in enumerate(paths):
        nested = record
        for name in path.split("."):
            nested = nested.get(name) if isinstance(nested, dict) else None
        for value in (record.get(path), nested):
            usable = value is not None and (field == "message" or (value != "" and not isinstance(value, dict | list)))
            if usable:
                return value, place
    return None, None


def text_of(value):
    """A value as text; halves of characters and NUL replaced."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e19 else repr(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**300 else "inf" if value > 0 else "-inf"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return "".join("\ufffd" if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in value)
