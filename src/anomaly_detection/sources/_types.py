"""What the text of a column means: a type that fits every value of a file, however the file is cut into batches.

A type is possible for a column while every value seen so far can be read as it, so that the order of the values and
the size of the batches cannot matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "NaN", "nan", "None", "-")
"""Texts that stand for a missing value in every column that is not text; in text columns only ``""`` does."""

YES = ("true", "yes")
NO = ("false", "no")

_DATE = r"^\d{4}-\d{2}-\d{2}$"
_DATETIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?$"
_INSTANT = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$"
_UTC = pl.Datetime("us", "UTC")
_NAIVE = pl.Datetime("us")

POSSIBLE: tuple[pl.DataType, ...] = (pl.Boolean(), pl.Int64(), pl.Float64(), pl.Date(), _NAIVE, _UTC)
"""The types text is tried as, first choice first; else it stays text."""


class ColumnTypes:
    """The types still possible for the columns of a file of text.

    >>> types = ColumnTypes(["a", "b"])
    >>> types.see(pl.DataFrame({"a": ["1", "NA"], "b": ["x", "2"]}))
    >>> types.see(pl.DataFrame({"a": ["2.5"], "b": ["3"]}))
    >>> types.dtypes()
    {'a': Float64, 'b': String}
    """

    def __init__(self, names: list[str]) -> None:
        self._possible: dict[str, list[pl.DataType]] = {name: list(POSSIBLE) for name in names}
        self._seen: set[str] = set()

    def see(self, frame: pl.DataFrame) -> None:
        """Take further values into account."""
        frame = without_nan(_plain_numbers(frame))
        nulls = frame.null_count().row(0) if frame.width else ()
        for column, missing in zip(frame, nulls, strict=True):
            if missing < frame.height:
                self._see_column(column.name, self._possible[column.name], column)

    def dtypes(self) -> dict[str, pl.DataType]:
        """The first type that fits every value seen; a column without any value is a number."""
        return {name: self._chosen(name, possible) for name, possible in self._possible.items()}

    def likely(self) -> dict[str, pl.DataType]:
        """The types, so far, of the columns that have had a value."""
        return {name: dtype for name, dtype in self.dtypes().items() if name in self._seen}

    def any_seen(self, name: str) -> bool:
        """Whether a column has had a value that is not missing."""
        return name in self._seen

    def _chosen(self, name: str, possible: list[pl.DataType]) -> pl.DataType:
        if name not in self._seen:
            return pl.Float64()
        return possible[0] if possible else pl.String()

    def _see_column(self, name: str, possible: list[pl.DataType], column: pl.Series) -> None:
        if column.dtype != pl.String:
            self._seen.add(name)
            _keep(possible, column.dtype)
            return
        if not possible and name in self._seen:
            return
        values = present(column)
        if values.is_empty():
            return
        self._seen.add(name)
        possible[:] = [dtype for dtype in possible if _fits(values, dtype)]


def without_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with missing values for NaN; quick where there is none, also with thousands of columns."""
    found = [column.fill_nan(None) for column in frame if column.dtype.is_float() and math.isnan(column.sum())]
    return frame.with_columns(found) if found else frame


def present(column: pl.Series) -> pl.Series:
    """The values of a text column that do not stand for a missing one, without blanks around them."""
    stripped = column.drop_nulls().str.strip_chars()
    return stripped.filter(~stripped.is_in(MISSING))


def as_type(column: pl.Series, dtype: pl.DataType, place: str) -> pl.Series:
    """Read a text column as a type.

    Parameters
    ----------
    column : of dtype String, or already numbers of this type.
    dtype : any type that text can be read as.
    place : where the column is from, for a message.

    Raises
    ------
    SourceError
        naming the first value that cannot be read so.
    """
    if column.dtype != pl.String:
        return column.cast(dtype)
    if dtype == pl.String:
        return column.set(column == "", None)
    stripped = column.str.strip_chars()
    missing = stripped.is_null() | stripped.is_in(MISSING)
    values = stripped.set(missing, None)
    read = _convert(values, dtype)
    failed = (read.is_null() & ~missing).arg_true()
    if len(failed):
        raise unfitting(column[int(failed[0])], dtype, f"{place}, column {column.name!r}")
    return read


def unfitting(value: Any, dtype: pl.DataType, place: str) -> SourceError:
    """A value that is not of the type its column has to have."""
    return SourceError(
        f"{place}: {str(value)[:80]!r} is not {words(dtype)}, which this column has to hold. "
        "Correct the value, leave it empty, or have the column read as text."
    )


def words(dtype: pl.DataType) -> str:
    """A type in words.

    >>> words(pl.Int64()), words(pl.Date())
    ('a whole number', 'a date')
    """
    if dtype.is_integer():
        return "a whole number"
    if dtype.is_numeric():
        return "a number"
    known: Mapping[Any, str] = {pl.Boolean: "true or false", pl.Date: "a date", pl.Datetime: "a date with a time"}
    return known.get(dtype.base_type(), f"of type {dtype}")


def _plain_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the columns of text cast in which every value is a number as it stands."""
    for dtype in (pl.Int64(), pl.Float64()):
        texts = frame.select(pl.col(pl.String))
        cast = without_nan(texts.select(pl.all().cast(dtype, strict=False)))
        lossless = zip(cast, cast.null_count().row(0), texts.null_count().row(0), strict=True) if texts.width else ()
        frame = frame.with_columns(column for column, after, before in lossless if after == before < frame.height)
    return frame


def _keep(possible: list[pl.DataType], dtype: pl.DataType) -> None:
    fitting = [pl.Int64(), pl.Float64()] if dtype == pl.Int64 else [dtype]
    possible[:] = [each for each in possible if each in fitting]


def _fits(values: pl.Series, dtype: pl.DataType) -> bool:
    if not _converted_all(values.head(8), dtype):
        return False
    return _converted_all(values, dtype)


def _converted_all(values: pl.Series, dtype: pl.DataType) -> bool:
    return _convert(values, dtype).null_count() == 0


def _convert(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Null where a text cannot be read as the type."""
    special = _CONVERT.get(dtype.base_type())
    if special is not None:
        return special(values, dtype)
    if dtype.is_integer():
        return _to_integer(values, dtype)
    return cast_or_missing(values, dtype)


def cast_or_missing(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """The values as a type; missing where a value, or every value of its type, cannot be read so."""
    try:
        return values.cast(dtype, strict=False)
    except pl.exceptions.PolarsError:
        return pl.Series(values.name, [None] * len(values), dtype=dtype)


def _to_boolean(values: pl.Series, _: pl.DataType) -> pl.Series:
    lower = values.str.to_lowercase()
    known = lower.is_in([*YES, *NO])
    return lower.is_in(YES).set(~known.fill_null(value=False), None)


def _to_integer(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    return values.cast(dtype, strict=False)


def _to_float(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    return values.cast(dtype, strict=False)


def _to_date(values: pl.Series, _: pl.DataType) -> pl.Series:
    return _only(values, _DATE).str.to_date("%Y-%m-%d", strict=False)


def _to_datetime(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    unit: Any = getattr(dtype, "time_unit", "us")
    zone = getattr(dtype, "time_zone", None)
    pattern = f"(?:{_DATE})|(?:{_DATETIME})" if zone is None else _INSTANT
    text = _with_seconds(_only(values, pattern))
    if zone is None:
        return text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit=unit, strict=False)
    read = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", time_unit=unit, time_zone="UTC", strict=False)
    return read.dt.convert_time_zone(zone)


def _with_seconds(text: pl.Series) -> pl.Series:
    return (
        text.str.replace("T", " ", literal=True)
        .str.replace("Z", "+00:00", literal=True)
        .str.replace(r"^(\S{10})$", "$1 00:00")
        .str.replace(r"^(\S{10} \d\d:\d\d)($|[+-])", "$1:00$2")
    )


def _only(values: pl.Series, pattern: str) -> pl.Series:
    return values.set(~values.str.contains(pattern).fill_null(value=False), None)


_CONVERT: dict[Any, Callable[[pl.Series, pl.DataType], pl.Series]] = {
    pl.Boolean: _to_boolean,
    pl.Float64: _to_float,
    pl.Float32: _to_float,
    pl.Date: _to_date,
    pl.Datetime: _to_datetime,
}
