"""JSON values as columns: nested objects flattened, one type for each column.

JSON says what a value is, so ``"5"`` stays text. Text is read further in two cases: where every text of a column is
an ISO date or time, and where a text stands for a missing number (``"NA"``). Lists and columns of mixed types become
text.
"""

from __future__ import annotations

import json
import math
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.errors import SourceError
from anomaly_detection.sources._types import MISSING, ColumnTypes, as_type, unfitting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Columns = dict[str, list[Any]]

_MISSING = frozenset(MISSING)
_WHOLE = range(-(2**63), 2**63)
_DATES = (pl.Date, pl.Datetime)


def columns_of(records: Sequence[dict[str, Any]], check: Callable[[int], None] = lambda _: None) -> Columns:
    """The values of records by column, None where a record lacks one; ``{"a": {"b": 1}}`` is a column ``a.b``.

    ``check`` is called with the number of columns as it grows, and may refuse them.

    >>> columns_of([{"a": {"b": 1}}, {"c": [1, 2]}])
    {'a.b': [1, None], 'c': [None, [1, 2]]}
    """
    names: dict[str, None] = {}
    for keys in dict.fromkeys(map(tuple, records)):
        names.update(dict.fromkeys(keys))
    found: Columns = {}
    for name in names:
        values = _values(records, name)
        if dict in set(map(type, values)):
            _flatten(name, values, found, check)
        else:
            found[name] = values
        check(len(found))
    return found


def _values(records: Sequence[dict[str, Any]], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), records))
    except KeyError:
        return [record.get(name) for record in records]


class JsonTypes:
    """The types of columns, from every value seen.

    >>> types = JsonTypes()
    >>> types.see({"a": [1, None], "b": ["x", "5"]})
    >>> types.see({"a": [2.5, "NA"], "c": [True]})
    >>> types.dtypes()
    {'a': Float64, 'b': String, 'c': Boolean}
    """

    def __init__(self) -> None:
        self._kinds: dict[str, set[str]] = {}
        self._dates: dict[str, ColumnTypes] = {}

    def names(self) -> list[str]:
        """The names of the columns, in the order they first occurred."""
        return list(self._kinds)

    def see(self, columns: Columns) -> None:
        """Take further values into account."""
        for name, values in columns.items():
            kinds = self._kinds.setdefault(name, set())
            if "text" in kinds and "plain" in kinds:
                continue
            self._see_column(name, kinds, values)

    def dtypes(self) -> dict[str, pl.DataType]:
        """One type for each column that every value of it can be read as."""
        return {name: self._dtype(name, kinds) for name, kinds in self._kinds.items()}

    def _see_column(self, name: str, kinds: set[str], values: list[Any]) -> None:
        found = set(map(type, values)) - {type(None)}
        kinds.update(_KIND_OF.get(each, "plain") for each in found)
        if int in found and not _fit_64_bits(values):
            kinds.add("float")
        if str in found:
            texts = pl.Series(name, [value for value in values if type(value) is str], dtype=pl.String)
            self._dates.setdefault(name, ColumnTypes([name])).see(texts.to_frame())

    def _dtype(self, name: str, kinds: set[str]) -> pl.DataType:
        text = self._dates[name].dtypes()[name] if name in self._dates else None
        only_missing = text is not None and not self._dates[name].any_seen(name)
        others = kinds - {"text"}
        if "plain" in kinds or (others and text is not None and not only_missing):
            return pl.String()
        if not others:
            return text if text is not None and text.base_type() in _DATES else self._of_text(text)
        if others == {"bool"}:
            return pl.Boolean()
        if "bool" in others:
            return pl.String()
        return pl.Float64() if "float" in others else pl.Int64()

    @staticmethod
    def _of_text(text: pl.DataType | None) -> pl.DataType:
        return pl.Float64() if text is None else pl.String()


def frame_of(columns: Columns, height: int, dtypes: Mapping[str, pl.DataType], place: str) -> pl.DataFrame:
    """Columns of JSON values as a frame of these types; a column that is not there is missing throughout.

    Raises
    ------
    SourceError
        naming the first value that cannot be read as its column's type.
    """
    empty = [None] * height
    return pl.DataFrame({name: _series(name, columns.get(name, empty), dtype, place) for name, dtype in dtypes.items()})


def _series(name: str, values: list[Any], dtype: pl.DataType, place: str) -> pl.Series:
    kinds = set(map(type, values)) - {type(None)}
    if dtype == pl.String:
        return pl.Series(name, values if kinds <= {str} else [_text(value) for value in values], dtype=pl.String)
    if dtype == pl.Boolean and kinds <= {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if dtype.is_numeric() and kinds <= {int, float, bool}:
        return _numbers(name, values, dtype, place)
    if dtype.is_numeric() and kinds <= {int, float, str} and _only_missing_texts(values):
        return _numbers(name, [None if type(value) is str else value for value in values], dtype, place)
    return as_type(pl.Series(name, [_text(value) for value in values], dtype=pl.String), dtype, place)


def _numbers(name: str, values: list[Any], dtype: pl.DataType, place: str) -> pl.Series:
    try:
        series = _floats(name, values) if dtype.is_float() else pl.Series(name, values, dtype=pl.Int64, strict=True)
    except (TypeError, OverflowError):
        series = _floats(name, values)
    cast = series.cast(dtype, strict=False)
    lost = (series.is_not_null() & cast.is_null()).arg_true()
    if len(lost):
        raise unfitting(values[int(lost[0])], dtype, f"{place}, column {name!r}")
    return cast.fill_nan(None) if dtype.is_float() else cast


def _floats(name: str, values: list[Any]) -> pl.Series:
    """Numbers as floats; polars leaves whole numbers beyond 64 bits out, and they are put in after it."""
    series = pl.Series(name, values, dtype=pl.Float64, strict=False)
    if series.null_count() == values.count(None):
        return series
    return pl.Series(name, [None if value is None else _float(value) for value in values], dtype=pl.Float64)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if type(value) is float and math.isnan(value):
        return None
    return json.dumps(value, ensure_ascii=False)


def _only_missing_texts(values: list[Any]) -> bool:
    return all(value.strip() in _MISSING for value in values if type(value) is str)


def _fit_64_bits(values: list[Any]) -> bool:
    whole = [value for value in values if type(value) is int]
    return min(whole) in _WHOLE and max(whole) in _WHOLE


def _flatten(name: str, values: list[Any], found: Columns, check: Callable[[int], None]) -> None:
    try:
        inner = columns_of([value if type(value) is dict else {} for value in values], check)
    except RecursionError:
        raise SourceError(f"The field {name[:80]!r} is nested too deeply to be columns. Write it as text.") from None
    plain = [None if type(value) is dict else value for value in values]
    if any(value is not None for value in plain):
        found[name] = plain
    for key, column in inner.items():
        if f"{name}.{key}" in found:
            raise SourceError(f"The nested field {name}.{key} has the same name as another column. Rename one of them.")
        found[f"{name}.{key}"] = column


_KIND_OF = {bool: "bool", int: "int", float: "float", str: "text"}
