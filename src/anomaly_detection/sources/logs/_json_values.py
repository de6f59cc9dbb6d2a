"""One JSON object, or one dict, as raw values: what the general parser does where the scanner gives up."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECODER = msgspec.json.Decoder()
_OTHER = str.maketrans({"\0": "\ufffd"} | {chr(each): "\ufffd" for each in range(0xD800, 0xE000)})


def parsed(line: bytes) -> dict[str, Any] | None:
    """The object on a line; None if there is none.

    As Python's json reads it: NaN, Infinity and control characters in texts are fine, and the last of equal names
    counts.
    """
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        value = _DECODER.decode(line)
    except (msgspec.DecodeError, RecursionError, ValueError):
        value = _lenient(line)
    return value if type(value) is dict else None


def _lenient(line: bytes) -> Any:
    try:
        return json.loads(line.decode(errors="replace"), strict=False)
    except (ValueError, RecursionError):
        return None


def value_of(record: Mapping[str, Any], paths: tuple[str, ...], field: str) -> tuple[Any, int]:
    """The first usable value under the names of a column, and which name it was; None for none.

    Not usable is null, an empty text, or an object or array; but a message may be any of the latter.
    """
    for place, path in enumerate(paths):
        for value in (record.get(path), _nested(record, path)):
            if value is not None and _usable(value, field):
                return value, place
    return None, 0


def _usable(value: Any, field: str) -> bool:
    return field == "message" or not (value == "" or isinstance(value, (dict, list, tuple)))


def _nested(record: Mapping[str, Any], path: str) -> Any:
    if "." not in path:
        return None
    value: Any = record
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str | None:
    """A value as text, without NUL and halves of characters.

    >>> text_of(5.0), text_of(True), text_of({"a": [1]}), text_of("x")
    ('5', 'true', '{"a": [1]}', 'x')
    """
    if value is None:
        return None
    text = value if type(value) is str else _written(value)
    return text if text.isascii() and "\0" not in text else text.translate(_OTHER)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, float):
        return _whole(int(value)) if value.is_integer() and abs(value) < 1e19 else repr(value)
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, (dict, list, tuple)):
        return _dumped(value)
    inner = getattr(value, "item", None)
    return _written(inner()) if inner is not None and type(inner()) in (bool, int, float) else str(value)


def _whole(value: int) -> str:
    return str(value) if abs(value) < 10**300 else ("inf" if value > 0 else "-inf")


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return str(type(value).__name__)
