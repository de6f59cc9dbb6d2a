"""JSON Lines: one object a line, as columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.sources._json_columns import JsonTypes, columns_of, frame_of
from anomaly_detection.sources._json_text import lenient_json
from anomaly_detection.sources._text import encoding_of, utf8_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from anomaly_detection.sources._bytes import Bytes
    from anomaly_detection.sources._json_columns import Columns


class JsonlTable:
    """Records of a file with a JSON object on each line.

    Parameters
    ----------
    file : the bytes.
    encoding : of the text, unless a byte order mark says otherwise.
    """

    def __init__(self, file: Bytes, encoding: str) -> None:
        self.file = file
        self.notes: list[str] = []
        self._encoding = encoding_of(file.head(), encoding)
        self._types: JsonTypes | None = None
        if next(self._chunks(), None) is None:
            raise NoRecordsError(f"{file.name} has no records: every line is blank.")

    @property
    def columns(self) -> list[str]:
        """The names of all columns that occur in the file, in the order they first occur."""
        return self._seen().names()

    def inferred(self, known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """The types of the columns that are not known, from every record of the file."""
        return {name: dtype for name, dtype in self._seen().dtypes().items() if name not in known}

    def frames(self, dtypes: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
        """The records in file order, a few MiB of text at a time."""
        for records, line, length in self._chunks():
            place = f"{self.file.name}, in the records from line {line:,}"
            yield frame_of(self._columns(records, length), len(records), dtypes, place)

    def _seen(self) -> JsonTypes:
        if self._types is None:
            self._types = JsonTypes()
            rows = size = 0
            for records, _, length in self._chunks():
                self._types.see(self._columns(records, length))
                rows, size = rows + len(records), size + length
                self.file.check_cells(len(self._types.names()), rows, size)
        return self._types

    def _columns(self, records: list[dict[str, Any]], length: int) -> Columns:
        return columns_of(records, lambda columns: self.file.check_cells(columns, len(records), length))

    def _chunks(self) -> Iterator[tuple[list[dict[str, Any]], int, int]]:
        """Decoded records with the line the first one is in and the bytes they take."""
        line = 1
        rest = b""
        for block in utf8_blocks(self.file, self._encoding):
            end = block.rfind(b"\n") + 1
            text, rest = (rest + block[:end], block[end:]) if end else (b"", rest + block)
            self._refuse_long(rest, line)
            if text.strip():
                yield self._decoded(text, line), line, len(text)
            line += text.count(b"\n")
        if rest.strip():
            yield self._decoded(rest, line), line, len(rest)

    def _decoded(self, text: bytes, line: int) -> list[dict[str, Any]]:
        try:
            return _DECODER.decode_lines(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pairs = enumerate(text.split(b"\n"), line)
            return [self._one(each, number) for number, each in pairs if each.strip()]

    def _one(self, text: bytes, line: int) -> dict[str, Any]:
        place = f"{self.file.name}, line {line:,}"
        try:
            value = lenient_json(text, place)
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{place}, column {error.colno}: broken JSON ({error.msg}). Each line has to be one JSON object."
            ) from None
        if not isinstance(value, dict):
            shown = text[:60].decode(errors="replace")
            raise SourceError(f"{place}: each line has to be one JSON object, and this one is {shown!r}.")
        return value

    def _refuse_long(self, rest: bytes, line: int) -> None:
        if len(rest) > self.file.limits.line:
            raise SourceError(
                f"{self.file.name}, line {line:,} is longer than {self.file.limits.line >> 20} MiB. "
                "Is it one JSON document? Then name the format: --format json."
            )


_DECODER = msgspec.json.Decoder(dict[str, Any])
