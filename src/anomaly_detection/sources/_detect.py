"""What format a file is of: what the user says, else what its first bytes say, else what its name says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from anomaly_detection import formats
from anomaly_detection.errors import SourceError
from anomaly_detection.sources._csv import found_delimiter
from anomaly_detection.sources._text import decoded_head, encoding_of

if TYPE_CHECKING:
    from anomaly_detection.formats import Kind
    from anomaly_detection.sources._bytes import Bytes

_FOREIGN = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook; save the table in it as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the table in it as CSV",
    b"%PDF": "a PDF document; it holds no records",
    b"SQLite format 3": "an SQLite database; export the table in it as CSV",
    b"ARROW1": "an Arrow IPC file; write it as Parquet",
    b"\x89HDF": "an HDF5 file; write the table in it as Parquet",
    b"Obj\x01": "an Avro file; write it as Parquet or JSON Lines",
    b"ORC": "an ORC file; write it as Parquet",
    b"\x89PNG": "a picture; it holds no records",
    b"BZh": "compressed with bzip2; unpack it, or use gzip or Zstandard",
    b"\xfd7zXZ": "compressed with xz; unpack it, or use gzip or Zstandard",
    b"\x80\x04\x95": "a Python pickle, which is never loaded; write the table in it as Parquet",
}


def kind_of(file: Bytes, asked: str | None, encoding: str, notes: list[str]) -> Kind:
    """The kind of a file; adds a note where its content is not what its name says.

    Raises
    ------
    SourceError
        for content that is no table in any format known.
    UnknownNameError
        for an unknown ``asked``.
    """
    wanted = formats.named(asked) if asked is not None else None
    head = file.head()
    if wanted is None or wanted.kind == "parquet" or not head.startswith(b"PAR1"):
        _refuse_foreign(head, file.name, encoding)
    if wanted is not None:
        return wanted.kind
    by_name, by_name_compression = formats.of_path(file.path if file.name != "standard input" else "-")
    if by_name_compression != file.compression:
        notes.append(_compression_note(file, by_name_compression))
    by_content = _by_content(head, encoding)
    kind = _agreed(by_name, by_content, head, file, encoding)
    if by_name is not None and kind != by_name and {kind, by_name} != {"csv", "tsv"}:
        notes.append(f"{file.name} is named like {by_name} and holds {kind}; it is read as {kind}.")
    return kind


def _agreed(by_name: Kind | None, by_content: Kind | None, head: bytes, file: Bytes, encoding: str) -> Kind:
    text = decoded_head(head, encoding_of(head, encoding))
    if by_name == "jsonl" and text.lstrip().startswith("{") and _may_be_object(text.lstrip().partition("\n")):
        return by_name
    if by_content is not None:
        return by_content
    if by_name in ("csv", "tsv") or (by_name in ("json", "jsonl") and text.lstrip().startswith(("{", "["))):
        return by_name
    delimiter = found_delimiter(text)
    first = text.lstrip("\r\n").partition("\n")[0]
    if delimiter in first:
        return "tsv" if delimiter == "\t" else "csv"
    if by_name in ("json", "jsonl"):
        return by_name
    what = "it is not Parquet" if by_name == "parquet" else f"its name does not end in one of {_endings()}"
    raise SourceError(
        f"The format of {file.name} cannot be told: {what}, and it does not look like a table. "
        "Name the format with --format csv, tsv, json, jsonl or parquet."
    )


def _by_content(head: bytes, encoding: str) -> Kind | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    text = decoded_head(head, encoding_of(head, encoding)).lstrip()
    if not text.startswith(("{", "[")):
        return None
    first, _, rest = text.partition("\n")
    if text.startswith("{") and rest.strip() and _is_object(first):
        return "jsonl"
    closer = text[1:].lstrip()[:1]
    if text.startswith("{") and (closer in ('"', "}", "")):
        return "json"
    if text.startswith("[") and (closer in ("{", "[", "]", "")):
        return "json"
    return None


def _may_be_object(first: tuple[str, str, str]) -> bool:
    line, line_break, _ = first
    return not line_break or _is_object(line)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (json.JSONDecodeError, RecursionError):
        return False
    except ValueError:  # a whole number with too many digits
        return line.lstrip().startswith("{")


def _refuse_foreign(head: bytes, name: str, encoding: str) -> None:
    if head.startswith(b"PAR1"):
        return
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise SourceError(f"{name} is {what}.")
    text = decoded_head(head, encoding_of(head, encoding))
    odd = sum(character < " " and character not in "\t\r\n\f" for character in text)
    if odd > max(8, len(text) // 20):
        raise SourceError(
            f"{name} is binary and of no format known here ({odd} control characters in its first {len(head):,} "
            "bytes). Records are read from CSV, TSV, JSON, JSON Lines and Parquet, plain or in .gz or .zst."
        )


def _compression_note(file: Bytes, named: formats.Compression | None) -> str:
    if file.compression is None:
        return f"{file.name} is named .{named} and is not compressed; it is read as it is."
    return f"{file.name} is compressed ({file.compression}), which its name does not say; it is unpacked."


def _endings() -> str:
    return ", ".join(f".{kind}" for kind in formats.KINDS)
