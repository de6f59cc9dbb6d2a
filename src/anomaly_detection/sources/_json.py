"""A JSON document that holds records, in the shapes that programs write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.records import counted, quoted
from anomaly_detection.sources._json_columns import JsonTypes, columns_of, frame_of
from anomaly_detection.sources._json_text import lenient_json
from anomaly_detection.sources._text import encoding_of, utf8_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

    from anomaly_detection.sources._bytes import Bytes
    from anomaly_detection.sources._json_columns import Columns

Records = list[dict[str, Any]]

HOLDERS = ("data", "results", "records", "rows", "items")
"""Fields of a document in which its records are looked for, in order."""

_SHAPES = (
    "an array of objects, an object of columns ({'a': [1, 2]}), or either inside 'data', 'results', 'records', 'rows' "
    "or 'items'"
)


class JsonTable:
    """Records of one JSON document, read whole.

    Parameters
    ----------
    file : the bytes.
    encoding : of the text, unless a byte order mark says otherwise.
    """

    def __init__(self, file: Bytes, encoding: str) -> None:
        self.file = file
        self.notes: list[str] = []
        found = encoding_of(file.head(), encoding)
        text = b"".join(_bounded(file, utf8_blocks(file, found)))
        held = _found(_decoded(text, file.name), file.name)
        self._columns = held if isinstance(held, dict) else self._of_records(held, len(text))
        self._height = len(next(iter(self._columns.values()), []))
        if not self._height:
            raise NoRecordsError(f"{file.name} has no records: the JSON in it is empty.")
        self._types = JsonTypes()
        self._types.see(self._columns)

    def _of_records(self, records: Records, size: int) -> Columns:
        return columns_of(records, lambda columns: self.file.check_cells(columns, len(records), size))

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def inferred(self, known: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
        """The types of the columns that are not known."""
        return {name: dtype for name, dtype in self._types.dtypes().items() if name not in known}

    def frames(self, dtypes: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
        """All records, as one frame."""
        yield frame_of(self._columns, self._height, dtypes, self.file.name)


def _bounded(file: Bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > file.limits.whole:
            raise SourceError(
                f"{file.name} has more than {file.limits.whole >> 20:,} MiB of JSON, which has to be read whole. "
                "JSON Lines (one object a line) can be read in parts: convert it, for example with jq -c '.[]'."
            )
        yield block


def _decoded(text: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return lenient_json(text, name)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{name}, line {error.lineno:,}, column {error.colno:,}: broken JSON ({error.msg}). "
            "Was the file cut short, or is it of another format? Then name it with --format."
        ) from None


def _found(document: Any, name: str) -> Columns | Records:
    if isinstance(document, dict):
        return _of_object(document, name)
    if isinstance(document, list):
        return _of_array(document, name, None)
    raise SourceError(f"{name} holds no records but {_shown(document)}. Records are {_SHAPES}.")


def _of_object(document: dict[str, Any], name: str) -> Columns | Records:
    for key in HOLDERS:
        inner = document.get(key)
        if isinstance(inner, list) and (not inner or isinstance(inner[0], (dict, list))):
            return _of_array(inner, name, document.get("columns") or document.get("feature_names"))
        if isinstance(inner, dict) and _is_columns(inner):
            return _of_object(inner, name)
    if _is_columns(document):
        _refuse_uneven(document, name)
        return dict(document)
    if document and all(not isinstance(value, (dict, list)) for value in document.values()):
        return [document]
    raise SourceError(f"{name} holds no records but {_shown(document)}. Records are {_SHAPES}.")


def _refuse_uneven(columns: Columns, name: str) -> None:
    first, length = next((key, len(values)) for key, values in columns.items())
    other = next((key for key, values in columns.items() if len(values) != length), None)
    if other is not None:
        raise SourceError(
            f"{name} holds columns of different lengths: {quoted([first])} has {counted(length, 'value')} and "
            f"{quoted([other])} {len(columns[other]):,}. They have to be equal."
        )


def _of_array(rows: list[Any], name: str, names: Any) -> Columns | Records:
    if all(type(row) is dict for row in rows):
        return rows
    if all(type(row) is list for row in rows):
        return _of_lists(rows, name, names)
    at = next(i for i, row in enumerate(rows) if type(row) is not type(rows[0]) or type(row) not in (dict, list))
    raise SourceError(f"{name}: item {at} of the array is {_shown(rows[at])}, not a record. Records are {_SHAPES}.")


def _of_lists(rows: list[list[Any]], name: str, names: Any) -> Columns:
    width = len(rows[0])
    at = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if at is not None:
        raise SourceError(f"{name}: row {at} has {counted(rows[at], 'value')} where row 0 has {width}.")
    given = names if isinstance(names, list) and len(names) == width else [f"f{i}" for i in range(width)]
    if len(set(map(str, given))) < width:
        raise SourceError(f"{name} names a column more than once: {quoted(map(str, given))}.")
    return {str(each): [row[j] for row in rows] for j, each in enumerate(given)}


def _is_columns(document: dict[str, Any]) -> bool:
    return bool(document) and all(isinstance(values, list) for values in document.values())


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {quoted(value, 6)}" if value else "an empty object"
    kind = {list: "an array", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return kind.get(type(value), "null")
