"""Reading a column of a frame as numbers, words, yes/no or points in time, whatever type it arrived in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any

import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.frames import plain

NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
"""The numbers that are recognised in text without asking polars."""

_YES_NO = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False, "1.0": True, "0.0": False}


def read_numbers(series: pl.Series) -> pl.Series:
    """The column as Float64; null or NaN where missing. Blank text is missing.

    Raises
    ------
    SchemaError
        naming the column, and the first row and value that is not a number.
    """
    if series.dtype == pl.Float64:
        return series
    if series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null):
        return series.cast(pl.Float64)
    if series.dtype == pl.Duration:
        return series.cast(pl.Duration("us")).cast(pl.Int64).cast(pl.Float64) / 1e6
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise wrong_type(series, "numbers")
    numbers = parsed_numbers(series)
    _refuse(series, numbers.is_null() & ~_blank(series), "a number")
    return numbers


def parsed_numbers(series: pl.Series) -> pl.Series:
    """A text column as Float64, null where it is not a number."""
    return series.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)


def read_words(series: pl.Series) -> pl.Series:
    """The column as String: whole floats without their point, so that 1 and 1.0 are one word.

    Raises
    ------
    SchemaError
        for nested or binary values.
    """
    if series.dtype == pl.String:
        return series
    if series.dtype.is_float():
        return _float_words(series)
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        raise wrong_type(series, "words")
    return series.cast(pl.String)


def _float_words(series: pl.Series) -> pl.Series:
    values = series.cast(pl.Float64).fill_nan(None)
    whole = (values == values.floor()) & (values.abs() < 2.0**63)
    as_integers = values.set(~whole.fill_null(value=False), None).cast(pl.Int64).cast(pl.String)
    return as_integers.zip_with(as_integers.is_not_null(), values.cast(pl.String))


def read_booleans(series: pl.Series) -> pl.Series:
    """The column as Boolean; 0 and 1, and the words true, false, yes and no are understood.

    Raises
    ------
    SchemaError
        naming the column, and the first row and value that is neither.
    """
    if series.dtype in (pl.Boolean, pl.Null):
        return series.cast(pl.Boolean)
    words = read_words(series).str.strip_chars().str.to_lowercase()
    found = words.replace_strict(_YES_NO, default=None, return_dtype=pl.Boolean)
    _refuse(series, found.is_null() & words.is_not_null() & (words != ""), "true or false")
    return found


def read_times(series: pl.Series) -> pl.Series:
    """The column as Datetime in microseconds, or as Time for times of day; aware times are put in UTC.

    Raises
    ------
    SchemaError
        naming the column, and the first row and value that is not a date.
    """
    if series.dtype == pl.Datetime:
        zone = getattr(series.dtype, "time_zone", None)
        naive = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
        return naive.cast(pl.Datetime("us"))
    if series.dtype == pl.Time:
        return series
    if series.dtype in (pl.Date, pl.Null) or _nothing_but_nan(series):
        return (series if series.dtype == pl.Date else pl.Series(series.name, [None] * len(series))).cast(
            pl.Datetime("us")
        )
    if series.dtype not in (pl.String, pl.Categorical, pl.Enum):
        raise wrong_type(series, "dates")
    return _parsed_times(series)


def _parsed_times(series: pl.Series) -> pl.Series:
    values = [None if text is None else parse_time(text) for text in series.cast(pl.String).to_list()]
    clock = bool(values) and all(value is None or isinstance(value, time) for value in values)
    wanted = time if clock else datetime
    good = pl.Series([isinstance(value, wanted) for value in values], dtype=pl.Boolean)
    _refuse(series, ~good & ~_blank(series), "a date")
    return pl.Series(series.name, values, dtype=pl.Time if clock else pl.Datetime("us"))


def parse_time(text: str) -> datetime | time | None:
    """A point in time from ISO-like text; aware ones in UTC without their zone; None when it is not a date.

    >>> parse_time("2024-02-03 04:05"), parse_time("2024/02/03T00:30+01:00"), parse_time("soon")
    (datetime.datetime(2024, 2, 3, 4, 5), datetime.datetime(2024, 2, 2, 23, 30), None)
    """
    try:
        return naive(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return _parse_oddly_written(text)


def _parse_oddly_written(text: str) -> datetime | time | None:
    tidy = text.strip().replace("/", "-").replace(" +", "+").replace(" Z", "Z")
    for read in (datetime.fromisoformat, time.fromisoformat):
        try:
            found = read(tidy)
            return naive(found) if isinstance(found, datetime) else found.replace(tzinfo=None)
        except (ValueError, OverflowError):
            continue
    return None


def naive(moment: datetime) -> datetime:
    """The same moment in UTC without a zone; naive ones as they are."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def one(name: str, value: Any) -> pl.Series:
    """A column that holds one value, typed as polars types a record.

    Raises
    ------
    SchemaError
        if a frame cannot hold it.
    """
    try:
        return pl.Series(name, [plain(value)], strict=False)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise SchemaError(f"Column {name!r}: {value!r} is nothing a table can hold.") from error


def wrong_type(series: pl.Series, wanted: str) -> SchemaError:
    """The error for a column whose type cannot be read as what the model needs."""
    example = series.drop_nulls()
    shown = f", such as {example[0]!r}" if len(example) else ""
    return SchemaError(f"Column {series.name!r} must hold {wanted}; it holds {series.dtype} values{shown}.")


def _refuse(series: pl.Series, bad: pl.Series, wanted: str) -> None:
    if not bad.any():
        return
    row = int(bad.arg_true()[0])
    raise SchemaError(
        f"Column {series.name!r} must hold {wanted} in every row; row {row} holds {series[row]!r} "
        f"({bad.sum():,} of {len(series):,} rows are like that). Correct the values, or leave them empty."
    )


def _blank(series: pl.Series) -> pl.Series:
    return series.is_null() | (series.cast(pl.String).str.strip_chars() == "").fill_null(value=True)


def _nothing_but_nan(series: pl.Series) -> bool:
    return series.dtype.is_float() and series.fill_nan(None).null_count() == len(series)
