"""Delimited text as frames of text columns, each record checked against the header."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.records import counted, quoted
from anomaly_detection.sources._records_kernels import split_records
from anomaly_detection.sources._text import decoded_head, encoding_of, utf8_blocks
from anomaly_detection.sources._types import MISSING, ColumnTypes, as_type, without_nan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.sources._bytes import Bytes

DELIMITERS = (",", "\t", ";", "|")
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar", " ": "space"}


class _Split(NamedTuple):
    """Where each record of a text ends, its number of fields, and whether it has quotes at odd places."""

    ends: NDArray[np.int64]
    fields: NDArray[np.int64]
    stray: NDArray[np.bool_]


class _Chunk(NamedTuple):
    """Whole records as text, the line the first one starts in, and their number."""

    text: bytes
    line: int
    records: int


class CsvTable:
    """Records of a file of delimited text.

    Parameters
    ----------
    file : the bytes.
    encoding : of the text, unless a byte order mark says otherwise.
    delimiter : between the fields; None finds it from the first lines.
    """

    def __init__(self, file: Bytes, encoding: str, delimiter: str | None = None) -> None:
        self.file = file
        self.notes: list[str] = []
        self._unfitting: dict[str, pl.DataType] | None = None
        head = file.head()
        self._encoding = encoding_of(head, encoding)
        text = decoded_head(head, self._encoding)
        self._old_line_breaks = "\n" not in text and "\r" in text
        lines = text.replace("\r", "\n") if self._old_line_breaks else text
        self.delimiter = delimiter or found_delimiter(lines)
        record = self._header()
        header = _fields(record, self.delimiter)
        self._has_header = b'"' in record or not _is_data(header)
        self.columns = self._named(header)
        if next(self._chunks(), None) is None:
            raise NoRecordsError(f"{file.name} has a header ({quoted(self.columns)}) and no records below it.")

    def inferred(self, known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """The types of the columns that are not known, from every record of the file."""
        asked = [name for name in self.columns if name not in known]
        types = ColumnTypes(asked)
        for chunk in self._chunks() if asked else ():
            types.see(self._parsed(chunk, types.likely()).select(asked))
        return types.dtypes()

    def frames(self, dtypes: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
        """The records in file order, a few MiB of text at a time."""
        for chunk in self._chunks():
            yield self._typed(chunk, dtypes)

    def _typed(self, chunk: _Chunk, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
        frame = without_nan(self._parsed(chunk, dtypes))
        place = f"{self.file.name}, in the records from line {chunk.line:,}"
        return frame.with_columns(
            as_type(column, dtypes[column.name], place)
            for column in frame
            if column.dtype == pl.String or column.dtype != dtypes[column.name]
        )

    def _parsed(self, chunk: _Chunk, likely: Mapping[str, pl.DataType]) -> pl.DataFrame:
        """The records of one chunk: numbers where all fit the likely types, else every column as text."""
        schema = {name: _number(likely.get(name)) for name in self.columns}
        if schema != self._unfitting:
            try:
                return self._read(chunk, schema)
            except pl.exceptions.ComputeError:
                self._unfitting = schema
        return self._read(chunk, dict.fromkeys(self.columns, pl.String()))

    def _read(self, chunk: _Chunk, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
        frame = pl.read_csv(chunk.text, has_header=False, schema=schema, separator=self.delimiter)
        if frame.height != chunk.records:
            raise SourceError(
                f"{self.file.name}: the {counted(chunk.records, 'record')} from line {chunk.line:,} on are quoted in a "
                "way that cannot be told apart. Put double quotes only around whole fields."
            )
        return frame

    def _chunks(self) -> Iterator[_Chunk]:
        """Whole records after the header, with the line the first one starts in."""
        line = 1
        rest = b""
        skip = self._has_header
        for block, final in _with_last(self._lines()):
            text = rest + block
            split = self._split(text, line, final=final)
            consumed = int(split.ends[-1]) if split.ends.size else 0
            skipped, skip = _header_end(split.fields) if skip else (0, False)
            chunk = self._chunk(text, line, split, skipped)
            if chunk.records:
                yield chunk
            line += text.count(b"\n", 0, consumed)
            rest = text[consumed:]

    def _lines(self) -> Iterator[bytes]:
        for block in utf8_blocks(self.file, self._encoding):
            yield block.replace(b"\r", b"\n") if self._old_line_breaks else block

    def _split(self, text: bytes, line: int, *, final: bool) -> _Split:
        split = _split(text, self.delimiter, final=final)
        if split.ends.size == 0:
            self._refuse_long(text, line)
        self._check(text, line, split)
        return split

    def _chunk(self, text: bytes, line: int, split: _Split, skipped: int) -> _Chunk:
        begin = int(split.ends[skipped - 1]) if skipped and split.ends.size else 0
        ends, fields, stray = split.ends[skipped:], split.fields[skipped:], split.stray[skipped:]
        if np.all(fields) and not stray.any():
            whole = text[begin : int(ends[-1])] if ends.size else b""
        else:
            whole = _tidied(text, np.concatenate([[begin], ends]), fields, stray, self.delimiter)
        return _Chunk(whole, line + text.count(b"\n", 0, begin), int(np.count_nonzero(fields)))

    def _check(self, text: bytes, line: int, split: _Split) -> None:
        width = len(self.columns)
        wrong = np.flatnonzero((split.fields != width) & (split.fields != 0))
        if wrong.size == 0:
            return
        at = int(wrong[0])
        line += text.count(b"\n", 0, int(split.ends[at - 1]) if at else 0)
        place = f"{self.file.name}, line {line:,}"
        found = int(split.fields[at])
        if found == -1:
            raise SourceError(f"{place} has a NUL byte: it is binary, or was cut off while being written.")
        if found == -2:
            raise SourceError(f'{place}: a quoted field starts here and is never closed. Add the missing ".')
        raise SourceError(
            f"{place} has {counted(found, 'field')} where the header has {width}, with the "
            f"{_NAMES.get(self.delimiter, self.delimiter)} as delimiter. Put fields that contain it in double quotes, "
            "or name another one with --delimiter."
        )

    def _refuse_long(self, text: bytes, line: int) -> None:
        if len(text) > self.file.limits.line:
            raise SourceError(
                f"{self.file.name}, line {line:,}: the record that starts here is longer than "
                f"{self.file.limits.line >> 20} MiB. Is it a table, and is every quoted field closed?"
            )

    def _refuse_wide(self, fields: int) -> None:
        most = self.file.limits.columns
        if fields > most:
            raise SourceError(f"{self.file.name} has {fields:,} columns in its first line; at most {most:,} are read.")

    def _header(self) -> bytes:
        """The first record that is not a blank line."""
        text = b""
        for block in self._lines():
            text += block
            head = text.lstrip(b"\r\n")
            split = _split(head, self.delimiter, final=False)
            if split.ends.size:
                self._refuse_wide(int(split.fields[0]))
                return head[: int(split.ends[0])]
            self._refuse_long(text, 1)
        return text.lstrip(b"\r\n")

    def _named(self, header: list[str]) -> list[str]:
        if not self._has_header:
            self.notes.append(
                f"{self.file.name} has no header: its first line holds only numbers. It is read as a record, and the "
                f"columns are called f0 to f{len(header) - 1}."
            )
            return [f"f{i}" for i in range(len(header))]
        names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(header)]
        refuse_duplicates(names, self.file.name)
        return names


def _number(dtype: pl.DataType | None) -> pl.DataType:
    return dtype if dtype in (pl.Int64, pl.Float64) and dtype is not None else pl.String()


def refuse_duplicates(names: list[str], place: str) -> None:
    """Make sure that every column has a name of its own.

    Raises
    ------
    SourceError
        naming the names that occur more than once.
    """
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise SourceError(f"{place} has more than one column with the same name: {quoted(twice)}. Rename them.")


def found_delimiter(text: str) -> str:
    r"""The delimiter that gives the first lines of a text the same number of fields, more than one; else a comma.

    >>> found_delimiter("a;b\n1,5;2\n")
    ';'
    """
    best, best_share = ",", 0.0
    for delimiter in DELIMITERS:
        widths = _split(text.encode(), delimiter, final=True).fields
        widths = widths[widths != 0][:50]
        share = float(np.mean(widths == widths[0])) if widths.size and widths[0] > 1 else 0.0
        if share > best_share:
            best, best_share = delimiter, share
    return best


def _fields(record: bytes, delimiter: str) -> list[str]:
    """The fields of one record; a quote at an odd place stands for itself."""
    text = record.decode().removesuffix("\n").removesuffix("\r")
    fields: list[str] = []
    at = 0
    while True:
        inside, at = _quoted_part(text, at + 1) if text.startswith('"', at) else ("", at)
        end = text.find(delimiter, at)
        end = len(text) if end < 0 else end
        fields.append(inside + text[at:end])
        if end == len(text):
            return fields
        at = end + 1


def _quoted_part(text: str, at: int) -> tuple[str, int]:
    """What stands between quotes, from behind the opening one, and the position behind the closing one."""
    parts: list[str] = []
    while (end := text.find('"', at)) >= 0:
        parts.append(text[at:end])
        at = end + 1
        if not text.startswith('"', at):
            return "".join(parts), at
        parts.append('"')
        at += 1
    return "".join([*parts, text[at:]]), len(text)


def _header_end(fields: NDArray[np.int64]) -> tuple[int, bool]:
    """How many records to skip, blank lines and the header, and whether the header is still to come."""
    records = np.flatnonzero(fields)
    return (int(records[0]) + 1, False) if records.size else (fields.size, True)


def _is_data(header: list[str]) -> bool:
    names = [name.strip() for name in header]
    if len(names) > 2 and names == [str(i) for i in range(len(names))]:
        return False
    return all(_is_number(name) for name in names) and len(set(names) - set(MISSING)) > 0


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in MISSING
    return "_" not in text


def _split(text: bytes, delimiter: str, *, final: bool) -> _Split:
    most = text.count(b"\n") + 1
    ends, fields, stray = np.empty(most, np.int64), np.empty(most, np.int64), np.zeros(most, np.bool_)
    count = split_records(np.frombuffer(text, np.uint8), ord(delimiter), final, ends, fields, stray)
    return _Split(ends[:count], fields[:count], stray[:count])


def _tidied(
    text: bytes, bounds: NDArray[np.int64], fields: NDArray[np.int64], stray: NDArray[np.bool_], delimiter: str
) -> bytes:
    """The records of a text without blank lines, and with quotes only where RFC 4180 has them."""
    parts = []
    for i in np.flatnonzero(fields):
        record = text[int(bounds[i]) : int(bounds[i + 1])]
        parts.append(_requoted(record, delimiter) if stray[i] else record)
    return b"".join(parts)


def _requoted(record: bytes, delimiter: str) -> bytes:
    fields = (f'"{field.replace(chr(34), chr(34) * 2)}"' for field in _fields(record, delimiter))
    return (delimiter.join(fields) + "\n").encode()


def _with_last(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each block, and whether it is the last."""
    block = next(blocks, None)
    while block is not None:
        following = next(blocks, None)
        yield block, following is None
        block = following
