"""Frames as bytes of one format, a frame at a time."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import IO, TYPE_CHECKING, Any, Protocol

import polars as pl

from anomaly_detection.sinks._parquet import ParquetEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from anomaly_detection.formats import Kind


class Encoder(Protocol):
    """Writes frames with equal columns into one stream."""

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""

    def finish(self, about: Mapping[str, Mapping[str, Any]]) -> None:
        """Write what comes after the last row; ``about`` are parts about all rows, by name."""

    def close(self) -> None:
        """Let go of whatever is held beside the stream."""


def encoder(kind: Kind, stream: IO[bytes], folder: Path) -> Encoder:
    """The encoder of a format; ``folder`` is where it may keep something for a while."""
    if kind == "parquet":
        return ParquetEncoder(stream, folder)
    if kind == "json":
        return JsonEncoder(stream)
    if kind == "jsonl":
        return JsonlEncoder(stream)
    return CsvEncoder(stream, "\t" if kind == "tsv" else ",")


class CsvEncoder:
    """Delimited text with a header; missing values and NaN are empty fields, quoted where they are the whole line."""

    def __init__(self, stream: IO[bytes], delimiter: str) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._header = False

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows, the header before the first ones."""
        if not self._header:
            self._stream.write(_header(frame.columns, self._delimiter))
            self._header = True
        plain = frame.select(_flat(column) for column in frame).fill_nan(None)
        if plain.height:
            missing = '""' if plain.width == 1 else ""
            text = plain.write_csv(separator=self._delimiter, include_header=False, null_value=missing)
            self._stream.write(text.encode())

    def finish(self, about: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing comes after the last row."""

    def close(self) -> None:
        """Nothing is held."""


class JsonlEncoder:
    """One JSON object a line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""
        self._stream.write(_json_lines(frame).encode())

    def finish(self, about: Mapping[str, Mapping[str, Any]]) -> None:
        """Nothing comes after the last row."""

    def close(self) -> None:
        """Nothing is held."""


class JsonEncoder:
    """One document, ``{"results": [{…}, …], "summary": {…}, "made": {…}}``, an object a line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first = True
        stream.write(b'{"results": [')

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""
        if frame.is_empty():
            return
        rows = _json_lines(frame).rstrip("\n").replace("\n", ",\n")
        self._stream.write(f"{'' if self._first else ','}\n{rows}".encode())
        self._first = False

    def finish(self, about: Mapping[str, Mapping[str, Any]]) -> None:
        """Close the array and add the parts about all rows."""
        told = ",\n".join(f'"{name}": {_strict_json(part)}' for name, part in about.items())
        self._stream.write(f"\n],\n{told}}}\n".encode())

    def close(self) -> None:
        """Nothing is held."""


def _strict_json(part: Mapping[str, Any]) -> str:
    return json.dumps(_finite(part), ensure_ascii=False, default=str, allow_nan=False)


def _json_lines(frame: pl.DataFrame) -> str:
    """An object a line; columns of Python objects come last, as the JSON they are."""
    loose = [column for column in frame if column.dtype == pl.Object]
    text = frame.select(_json_ready(column) for column in frame if column.dtype != pl.Object).write_ndjson()
    if not loose:
        return text
    rows = zip(text.removesuffix("\n").split("\n"), *loose, strict=True)
    names = [json.dumps(column.name, ensure_ascii=False) for column in loose]
    return "".join(_with_objects(line, names, values) for line, *values in rows)


def _with_objects(line: str, names: list[str], values: list[Any]) -> str:
    parts = (f"{name}:{_json_text(value) or 'null'}" for name, value in zip(names, values, strict=True))
    return f"{line[:-1]},{','.join(parts)}}}\n"


def _header(names: list[str], delimiter: str) -> bytes:
    out = io.StringIO()
    all_numbers = all(_is_number(name) for name in names)
    csv.writer(
        out, delimiter=delimiter, quoting=csv.QUOTE_ALL if all_numbers else csv.QUOTE_MINIMAL, lineterminator="\n"
    ).writerow(names)
    return out.getvalue().encode()


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _flat(column: pl.Series) -> pl.Series:
    """A column that CSV can hold."""
    if column.dtype.is_nested():
        return pl.Series(column.name, [_json_text(value) for value in column], dtype=pl.String)
    return _json_ready(column)


def _json_ready(column: pl.Series) -> pl.Series:
    """A column whose values are numbers, booleans, text, or lists and objects of those."""
    to_text = _TO_TEXT.get(column.dtype.base_type())
    return to_text(column) if to_text is not None else column


def _json_text(value: Any) -> str | None:
    if value is None:
        return None
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(_finite(plain), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    """The same values with null for numbers JSON does not know."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value


def _datetime_text(column: pl.Series) -> pl.Series:
    if getattr(column.dtype, "time_zone", None) is None:
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.f")
    return column.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.fZ")


def _cast_text(column: pl.Series) -> pl.Series:
    return column.cast(pl.String)


_TO_TEXT: dict[Any, Callable[[pl.Series], pl.Series]] = {
    pl.Datetime: _datetime_text,
    pl.Duration: lambda column: column.dt.to_string("iso"),
    pl.Time: _cast_text,
    pl.Date: _cast_text,
    pl.Categorical: _cast_text,
    pl.Enum: _cast_text,
    pl.Int128: _cast_text,
    pl.Decimal: lambda column: column.cast(pl.Float64),
    pl.Binary: lambda column: column.bin.encode("hex"),
    pl.Null: _cast_text,
}
