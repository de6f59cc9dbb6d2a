"""Whatever Python users hold, as a frame: names and types kept, nothing copied that need not be.

Polars, NumPy (plain, structured, of objects), pandas, anything that speaks Arrow, a list of dicts, a dict of columns,
a list of rows. pandas and pyarrow are used where the data is theirs and never imported otherwise.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.records import counted, quoted


def as_frame(data: Any, feature_names: Sequence[str] | None = None) -> pl.DataFrame:
    """Turn data into a frame.

    Parameters
    ----------
    data : a table with named columns, or (rows, columns) values without names, or a column.
    feature_names : a name for each column; None keeps the names there are, else ``f0``, ``f1``, …

    Raises
    ------
    SchemaError
        for what is no table: a scalar, more than two dimensions, ragged rows, repeated names, nothing at all.

    >>> as_frame([{"a": 1}, {"a": 2.5, "b": "x"}]).to_dicts()
    [{'a': 1.0, 'b': None}, {'a': 2.5, 'b': 'x'}]
    >>> as_frame([[1, 2], [3, 4]]).columns
    ['f0', 'f1']
    """
    frame = _renamed(_frame(data), feature_names)
    if frame.width == 0:
        raise SchemaError(f"The data ({type(data).__name__}) has no columns. Give at least one column of values.")
    return frame


def row_numbers(rows: Iterable[Any] | None, n: int) -> list[Any] | None:
    """Rows of a frame of ``n`` by number; a mask becomes the numbers of the rows where it is true.

    Raises
    ------
    InputError
        for truth values that are no mask: too few, too many, or numbers among them.

    >>> row_numbers([2, 0], 3), row_numbers(np.array([True, False, True]), 3), row_numbers(None, 3)
    ([2, 0], [0, 2], None)
    """
    if rows is None:
        return None
    given = list(rows)
    truths = [one for one in given if isinstance(one, bool | np.bool_)]
    if not truths:
        return given
    if len(truths) == len(given) == n:
        return [number for number, chosen in enumerate(given) if chosen]
    others = "" if len(truths) == len(given) else f", {len(given) - len(truths):,} of them no truth values"
    raise InputError(
        f"rows holds {counted(len(given), 'value')}{others}; a mask has true or false for each of the "
        f"{counted(n, 'row')}. Give such a mask, or the rows by number, such as rows=[0, 1]."
    )


def _frame(data: Any) -> pl.DataFrame:
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    if isinstance(data, pl.Series):
        return data.rename(data.name or "f0").to_frame()
    if isinstance(data, np.ndarray):
        return _of_array(data)
    if _is_pandas(data):
        return _of_pandas(data)
    if hasattr(data, "__arrow_c_stream__"):
        return _of_arrow(data)
    if isinstance(data, Mapping):
        return _of_columns(data)
    if isinstance(data, (list, tuple)) or hasattr(data, "__array__"):
        return _of_rows(data) if isinstance(data, (list, tuple)) else _of_array(np.asarray(data))
    raise SchemaError(
        f"A {type(data).__name__} ({str(data)[:40]!r}) is not a table. Give a data frame, an array of rows and "
        "columns, a list of dicts or a dict of columns."
    )


def _of_array(array: np.ndarray[Any, Any]) -> pl.DataFrame:
    if array.dtype.names is not None:
        return _of_columns({name: array[name].ravel() for name in array.dtype.names})
    if np.ma.isMaskedArray(array):
        array = np.ma.filled(array.astype(float), np.nan)
    if array.ndim == 0 or array.ndim > 2:
        raise SchemaError(
            f"The array has {counted(array.ndim, 'dimension')} (shape {array.shape}); a table has two, rows and "
            "columns. Reshape it."
        )
    matrix = array[:, None] if array.ndim == 1 else array
    return pl.DataFrame([_column(f"f{j}", matrix[:, j]) for j in range(matrix.shape[1])])


def _column(name: str, values: Any) -> pl.Series:
    """A column of any values: one type that holds them all, text where they are mixed."""
    if isinstance(values, pl.Series):
        return values.rename(name)
    if isinstance(values, np.ndarray) and values.dtype.kind not in "OSUcV":
        if values.ndim != 1:
            raise SchemaError(f"The column {name!r} has shape {values.shape}; a column has one dimension.")
        return pl.Series(name, _readable(values))
    if _is_pandas(values):
        return _pandas_column(name, values)
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return pl.Series(name, values)
    return _of_values(name, values.tolist() if hasattr(values, "tolist") else list(values))


def _readable(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same numbers in the machine's byte order and in a type frames have."""
    if values.dtype == np.longdouble and values.dtype != np.float64:
        return values.astype(np.float64)
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def _of_values(name: str, values: list[Any]) -> pl.Series:
    found = [plain(value) for value in values]
    try:
        return _typed(name, found)
    except OverflowError as error:
        raise SchemaError(f"Column {name!r}: a whole number of this size cannot be read.") from error
    except UnicodeEncodeError as error:
        raise SchemaError(f"Column {name!r} holds text that is not Unicode: {error}.") from error


def _typed(name: str, values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds in ({int, float}, {float}):
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    if len(kinds) > 1 and kinds & {str, bool}:
        return pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    try:
        return pl.Series(name, values, strict=True)
    except OverflowError:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    except (TypeError, pl.exceptions.PolarsError):
        return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value)


def plain(value: Any) -> Any:
    """NumPy scalars as Python values, and the missing markers of NumPy and pandas as None.

    >>> plain(np.float64(2.5)), plain(np.datetime64("2026-01-02")), plain(np.datetime64("NaT"))
    (2.5, datetime.date(2026, 1, 2), None)
    """
    if isinstance(value, np.generic):
        value = value.item() if value.dtype.kind not in "mM" else value.astype("O")
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _of_rows(rows: Sequence[Any]) -> pl.DataFrame:
    if len(rows) == 0:
        raise SchemaError("The data is empty: there are no records in it.")
    if all(isinstance(row, Mapping) for row in rows):
        return _of_records(rows)
    if all(isinstance(row, pl.Series) for row in rows):
        return pl.DataFrame([row.rename(row.name or f"f{i}") for i, row in enumerate(rows)])
    if all(_is_row(row) for row in rows):
        return _of_lists(rows)
    if any(isinstance(row, Mapping) or _is_row(row) for row in rows):
        found = sorted({type(row).__name__ for row in rows})
        raise SchemaError(f"The rows are of different kinds: {quoted(found)}. Give all as dicts, or all as lists.")
    return pl.DataFrame([_of_values("f0", list(rows))])


def _of_records(records: Sequence[Mapping[Any, Any]]) -> pl.DataFrame:
    names: dict[Any, None] = {}
    for record in records:
        names.update(dict.fromkeys(record))
    texts = _names(names)
    return pl.DataFrame(
        [_of_values(text, [record.get(name) for record in records]) for text, name in zip(texts, names, strict=True)]
    )


def _of_lists(rows: Sequence[Any]) -> pl.DataFrame:
    width = len(rows[0])
    for i, row in enumerate(rows):
        if len(row) != width:
            raise SchemaError(f"Row {i} has {counted(len(row), 'value')} where row 0 has {width}. Rows have one width.")
        if any(_is_row(value) for value in row):
            raise SchemaError(f"Row {i} holds lists; a table has two dimensions, rows and columns. Reshape it.")
    return pl.DataFrame([_of_values(f"f{j}", [row[j] for row in rows]) for j in range(width)])


def _of_columns(columns: Mapping[Any, Any]) -> pl.DataFrame:
    for name, values in columns.items():
        if not hasattr(values, "__len__") or isinstance(values, (str, bytes, Mapping)):
            raise SchemaError(
                f"The column {name!r} is {type(values).__name__} {str(values)[:40]!r} and not a sequence of values. "
                "For a single record, give a list with one dict."
            )
    lengths = {str(name): len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise SchemaError(f"The columns have different lengths: {lengths}. Each needs a value for every record.")
    return pl.DataFrame([_column(text, values) for text, values in zip(_names(columns), columns.values(), strict=True)])


def _of_arrow(data: Any) -> pl.DataFrame:
    names = getattr(data, "column_names", None) or getattr(getattr(data, "schema", None), "names", None)
    if names is not None:
        _names(names)
    try:
        frame = pl.DataFrame(data)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise SchemaError(f"The Arrow data ({type(data).__name__}) cannot be read as a table: {error}.") from error
    return frame.rename({"": "f0"}) if frame.columns == [""] else frame


def _is_pandas(data: Any) -> bool:
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not type(data).__module__.startswith("pandas"):
        return False
    return isinstance(data, (pandas.DataFrame, pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray))


def _of_pandas(data: Any) -> pl.DataFrame:
    if data.ndim == 1:
        name = getattr(data, "name", None)
        return _pandas_column("f0" if name is None else str(name), data).to_frame()
    names = _names(data.columns)
    return pl.DataFrame([_pandas_column(name, data.iloc[:, j]) for j, name in enumerate(names)])


def _pandas_column(name: str, column: Any) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _column(name, column.to_numpy())
    if type(dtype).__name__ == "CategoricalDtype":
        return _pandas_categories(name, column)
    if type(dtype).__name__ == "DatetimeTZDtype":
        naive = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return pl.Series(name, naive.to_numpy()).dt.replace_time_zone("UTC").dt.convert_time_zone(str(dtype.tz))
    kind = getattr(dtype, "kind", "O")
    if kind in "iufb" and hasattr(dtype, "numpy_dtype"):
        return _pandas_nullable(name, column, dtype.numpy_dtype)
    return _of_values(name, [None if missing else value for value, missing in zip(column, column.isna(), strict=True)])


def _pandas_nullable(name: str, column: Any, dtype: Any) -> pl.Series:
    missing = np.asarray(column.isna(), dtype=bool)
    values = column.fillna(dtype.type(0)).to_numpy(dtype=dtype)
    return pl.Series(name, values).set(pl.Series(missing), None)


def _pandas_categories(name: str, column: Any) -> pl.Series:
    holder = column.array
    texts = [str(category) for category in holder.categories]
    codes = np.asarray(holder.codes)
    coded = pl.Series(codes.astype(np.int64)).set(pl.Series(codes < 0), None)
    return pl.Series(name, texts, dtype=pl.String).gather(coded).cast(pl.Categorical)


def _is_row(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _names(names: Any) -> list[str]:
    texts = [str(name) for name in names]
    twice = sorted(text for text, count in Counter(texts).items() if count > 1)
    if twice:
        raise SchemaError(f"More than one column is called {quoted(twice)}. Give each column a name of its own.")
    return texts


def _renamed(frame: pl.DataFrame, names: Sequence[str] | None) -> pl.DataFrame:
    if names is None:
        return frame
    texts = _names(names)
    if len(texts) != frame.width:
        raise SchemaError(
            f"There are {counted(texts, 'feature name')} for {counted(frame.width, 'column')}: {quoted(texts)}."
        )
    return frame.rename(dict(zip(frame.columns, texts, strict=True)))
