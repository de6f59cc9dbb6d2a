"""JSON that knows when it was changed: a format, its version, a body, and a SHA-256 over every byte before it.

Strict JSON: numbers that JSON lacks are written as ``{"$float": "nan"}``, and a key of the caller that begins with
``$`` gets a second one.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.errors import ArtifactError

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = ',\n"seal":"%s"}\n'
_TAIL_BYTES = len(_TAIL % ("0" * 64))
AGAIN = "Copy it again from where it came from, or train the model again."


def seal(form: str, version: int, body: Mapping[str, Any]) -> tuple[bytes, str]:
    """Encode a body; returns the bytes and their digest.

    Raises
    ------
    ArtifactError
        naming the first value that JSON cannot hold.
    """
    every = {"format": form, "format_version": version, **body}
    lines = [f"{json.dumps(key)}:{_dumps(plain(value, key))}" for key, value in every.items()]
    head = ("{" + ",\n".join(lines)).encode("ascii")
    digest = hashlib.sha256(head).hexdigest()
    return head + (_TAIL % digest).encode("ascii"), digest


def _dumps(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def unseal(data: bytes, path: Path, form: str, version: int) -> tuple[dict[str, Any], str]:
    """Decode what :func:`seal` made; returns the body and its digest.

    Raises
    ------
    ArtifactError
        if it is not JSON, of another format, of a newer version, or was changed.
    """
    found = _parse(data, path)
    _check_format(found, path, form, version)
    digest = hashlib.sha256(data[:-_TAIL_BYTES]).hexdigest()
    if data[-_TAIL_BYTES:] != (_TAIL % digest).encode("ascii"):
        raise ArtifactError(f"{path} was changed after it was written: its SHA-256 does not match. {AGAIN}")
    return {key: value for key, value in found.items() if key not in ("format", "format_version", "seal")}, digest


def _parse(data: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(data.decode("ascii"), object_hook=_from_plain)
    except (ValueError, TypeError, RecursionError) as error:
        raise ArtifactError(f"{path} is not the JSON that was written ({type(error).__name__}). {AGAIN}") from error
    if not isinstance(found, dict):
        raise ArtifactError(f"{path} holds no model: a JSON object was expected. {AGAIN}")
    return found


def _check_format(head: Mapping[str, Any], path: Path, form: str, version: int) -> None:
    if head.get("format") != form:
        raise ArtifactError(f"{path} has the format {head.get('format')!r:.80}; this package reads {form!r}.")
    found = head.get("format_version")
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise ArtifactError(f"{path} has the format version {found!r:.80}, which does not exist. {AGAIN}")
    if found > version:
        raise ArtifactError(
            f"{path} was made by a newer version of anomaly-detection (format {found}; this one reads up to "
            f"{version}). Upgrade with: pip install --upgrade anomaly-detection"
        )


def plain(value: Any, where: str) -> Any:
    """Make plain JSON values of mappings, sequences, numbers and NumPy scalars.

    Raises
    ------
    ArtifactError
        naming the place and the value that cannot be written.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if is_dataclass(value):
        value = {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Mapping):
        return {_plain_key(key, where): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{where}[{index}]") for index, item in enumerate(value)]
    raise ArtifactError(
        f"{where} cannot be saved: {type(value).__name__} is not a JSON value. Use text, numbers, lists and dicts; "
        f"put arrays among the arrays."
    )


def _plain_key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise ArtifactError(f"{where} cannot be saved: its key {key!r} is not text. Use text for keys.")
    return f"${key}" if key.startswith("$") else key


def _from_plain(found: dict[str, Any]) -> Any:
    if not any(key.startswith("$") for key in found):
        return found
    if list(found) == ["$float"]:
        return float(found["$float"])
    return {key.removeprefix("$"): value for key, value in found.items()}
