"""Keys as text: what a record is about, from one column or from several that nest, such as region and host.

The text of a composite key joins the words of its columns with ``/``. A ``/`` within a word is written ``%2F`` and a
``%`` is written ``%25``, as in addresses, so that two different keys never have the same text, and the beginning of a
text up to a ``/`` is the text of the coarser key. A record whose last columns are missing has the coarser key; one
without the first has none.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.nesting import value_at
from anomaly_detection.records import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SEPARATOR = "/"

_WHOLE = 1e15
"""Floats below this that have no fraction are written like whole numbers: a column of numbers with a gap is one."""


def key_texts(frame: pl.DataFrame, columns: Sequence[str]) -> list[pl.Series]:
    """The text of the coarsest key, of the next finer one, and so on to the whole key; null where a part is missing.

    Raises
    ------
    SchemaError
        naming the key columns that the frame does not have, or one whose values cannot be keys.

    Examples
    --------
    >>> frame = pl.DataFrame({"region": ["eu", "eu/west", None], "host": [1, None, 3]})
    >>> [text.to_list() for text in key_texts(frame, ("region", "host"))]
    [['eu', 'eu%2Fwest', None], ['eu/1', None, None]]
    """
    _check_there(frame, columns)
    texts: list[pl.Series] = []
    for name in columns:
        words = _escaped(_words(frame[name]))
        texts.append(texts[-1] + SEPARATOR + words if texts else words)
    return [text.alias("key") for text in texts]


def key_text(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The text of each record's key, as far as it is known; null where it is not known at all.

    >>> frame = pl.DataFrame({"region": ["eu", "eu/west", None], "host": [1, None, 3]})
    >>> key_text(frame, ("region", "host")).to_list()
    ['eu/1', 'eu%2Fwest', None]
    """
    return finest(key_texts(frame, columns))


def finest(texts: Sequence[pl.Series]) -> pl.Series:
    """The last text that is there for each record, of texts as :func:`key_texts` gives them."""
    return pl.select(pl.coalesce(reversed(texts))).to_series().alias("key")


def key_of(record: Mapping[str, Any], columns: Sequence[str]) -> str | None:
    """The text of one record's key; the same as in a frame.

    Raises
    ------
    SchemaError
        for a value that cannot be a key.

    >>> key_of({"region": "eu", "host": 1.0}, ("region", "host")), key_of({"host": "a"}, ("region", "host"))
    ('eu/1', None)
    """
    text: str | None = None
    for name in columns:
        value = record[name] if name in record else value_at(record, name)
        word = value if type(value) is str else _word(value, name)
        if word is None:
            break
        if "%" in word or SEPARATOR in word:
            word = word.replace("%", "%25").replace(SEPARATOR, "%2F")
        text = word if text is None else text + SEPARATOR + word
    return text


def shown_key(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series | None:
    """What results show as the key: the column itself, or the text of several; None where a column is not there."""
    if not columns or not set(columns).issubset(frame.columns):
        return None
    return frame[columns[0]] if len(columns) == 1 else key_text(frame, columns)


def coarser(text: str) -> str | None:
    """The text of the next coarser key; None for a key of one column.

    >>> coarser("eu/host"), coarser("eu")
    ('eu', None)
    """
    return text.rpartition(SEPARATOR)[0] if SEPARATOR in text else None


def _check_there(frame: pl.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise SchemaError(
            f"The data lacks {counted(missing, 'key column')}: {quoted(missing)}; it has {quoted(frame.columns)}. "
            "A model per key needs to know what a record is about."
        )


def _words(series: pl.Series) -> pl.Series:
    """Each value as a word; every different value is looked at once."""
    if series.dtype == pl.String:
        return series
    if series.dtype in (pl.Categorical, pl.Enum) or series.dtype.is_integer():
        return series.cast(pl.String)
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        raise SchemaError(_not_a_key(series.name, str(series.dtype)))
    known = series.unique()
    words = [_word(value, series.name) for value in known.to_list()]
    return series.replace_strict(known, pl.Series(words, dtype=pl.String), return_dtype=pl.String)


def _escaped(words: pl.Series) -> pl.Series:
    return words.str.replace_all("%", "%25", literal=True).str.replace_all(SEPARATOR, "%2F", literal=True)


def _word(value: Any, name: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise SchemaError(_not_a_key(name, repr(value)))


def _number(value: float) -> str | None:
    if value != value:  # noqa: PLR0124  NaN is a missing key
        return None
    return str(int(value)) if abs(value) < _WHOLE and value.is_integer() else repr(value)


def _not_a_key(name: str, held: str) -> str:
    return (
        f"The key column {name!r} holds {held:.80}, which cannot be a key. Use a column of words, whole numbers, yes "
        "and no, or dates."
    )
