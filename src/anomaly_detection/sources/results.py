"""Results that ``detection run`` and ``logs score --output results.json`` wrote, read back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from anomaly_detection.errors import SourceError
from anomaly_detection.reports.document import Document, Row
from anomaly_detection.sources._bytes import Bytes, Limits

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 512 << 20
"""Larger documents, unpacked, are not read."""

_LINES = re.compile(rb"\{[^\n]*\}\s*\n\s*\{")
_WAY_OUT = (
    "Results for a report are written by: detection run --data FILE --explain --output results.json, and of a log by: "
    "logs score FILE --output results.json"
)


def read_results(path: str | Path, most_bytes: int = MOST_BYTES) -> Document:
    """Read the results of one run.

    Parameters
    ----------
    path : a JSON file, also compressed as ``.gz`` or ``.zst``; ``-`` is standard input. Only the rows have to be
        there: ``{"results": [...]}``, or the list by itself.
    most_bytes : refuse more than this, unpacked.

    Raises
    ------
    SourceError
        if the file is missing, empty, too large, cut short, or something else than such results.
    """
    file = Bytes(path, Limits())
    try:
        text = b"".join(_bounded(file, most_bytes))
    finally:
        file.close()
    try:
        found = msgspec.json.decode(text, type=Document | list[Row])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(f"{file.name} {_problem(text, error)}. {_WAY_OUT}") from None
    return found if isinstance(found, Document) else Document(found)


def _bounded(file: Bytes, most: int) -> list[bytes]:
    blocks, total = [], 0
    for block in file.blocks():
        total += len(block)
        if total > most:
            raise SourceError(
                f"{file.name} has more than {most >> 20:,} MiB of JSON, too much for one page. Report on fewer rows: "
                "score them with --model in parts."
            )
        blocks.append(block)
    return blocks


def _problem(text: bytes, error: Exception) -> str:
    """What is wrong with what was read."""
    start = text[: 1 << 16].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _LINES.match(start):
        return "is JSON Lines, not one JSON document"
    if isinstance(error, msgspec.ValidationError):
        return f"is JSON, but not the results of a run: {error}"
    if start[:1] in (b"{", b"["):
        return f"is broken JSON, perhaps cut short ({error})"
    if start.startswith(b"PAR1"):
        return "is Parquet"
    return f"is not JSON: it begins with {start[:40].decode(errors='replace')!r}"
