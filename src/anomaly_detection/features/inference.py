"""What each column of a table is: a feature of some kind, a role, or nothing to look at."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.features._reading import parse_time, parsed_numbers, read_numbers
from anomaly_detection.features.nesting import flatten
from anomaly_detection.records import Column, Schema, SetAside, counted, named_columns, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anomaly_detection.records import Kind

FEWEST_IDENTIFIERS = 20
"""Fewer different values than this are never taken for identifiers."""

FEW_WORDS = 63
"""Up to so many different words are a category, if they come more than once."""

TEXT_WORDS = 3.0
"""A column with many different values, of at least so many words on average, is text."""

_ISO = r"^\s*\d{4}[-/]\d{2}[-/]\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?\s*$"
_CLOCK = r"^\s*\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*$"
_PLAIN = r"^[A-Za-z0-9_#{}-]*$"
_ID_NAMES = (
    r"(?i)^(|index|idx|row|row_?(id|nr|number|index)|nr|no|uuid|guid|unnamed: ?\d+|.*[_ -]?(id|uuid|guid)|.*Id|.*ID)$"
)


def infer_schema(
    frame: pl.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    timestamp: str | None = None,
    key: str | Sequence[str] | None = None,
    label: str | None = None,
    ignore: Sequence[str] = (),
) -> Schema:
    """Say what each column of a frame is.

    Numbers, yes/no, dates, categories and short text become features. Constant and empty columns, identifiers and
    lists are set aside with a reason. The fields of a record within a record are columns named by their path.

    Parameters
    ----------
    columns : the only columns to look at; they are never taken for identifiers.
    categorical : columns that are categories whatever they look like; never taken for identifiers.
    timestamp, key, label : the columns with these roles; a key may be several columns, from the coarsest to the finest.
    ignore : columns to leave out.

    Raises
    ------
    SchemaError
        for a name that is not in the frame, or has two roles, for a column that is mostly numbers but not all, and when
        no column is left to look at.

    Examples
    --------
    >>> frame = pl.DataFrame({"amount": [1.5, 2.5, 9.0], "paid": [True, False, True], "shop": ["a", "a", "a"]})
    >>> schema = infer_schema(frame)
    >>> [(column.name, column.kind) for column in schema.features]
    [('amount', 'number'), ('paid', 'boolean')]
    >>> schema.set_aside
    (SetAside(name='shop', reason="constant: every value is 'a'"),)
    """
    frame, key = flatten(frame), _key(key)
    check_roles(timestamp, key, label)
    taken = {name for name in (timestamp, *named_columns(key), label) if name is not None}
    named = [*(columns or ()), *categorical, *ignore, *taken]
    _check_known(named, frame.columns)
    ignored, categories = frozenset(ignore), frozenset(categorical)
    wanted = frozenset(columns or ()) | frozenset(categorical)
    found: list[Column | SetAside] = []
    for name in frame.columns:
        if name in taken:
            continue
        if name in ignored:
            found.append(SetAside(name, "ignored, as asked"))
        elif columns is not None and name not in wanted:
            found.append(SetAside(name, "not among the columns asked for"))
        else:
            found.append(_judged(frame[name], name in categories, name in wanted))
    features = tuple(column for column in found if isinstance(column, Column))
    set_aside = tuple(column for column in found if isinstance(column, SetAside))
    if not features:
        raise SchemaError(_nothing_left(set_aside, taken))
    return Schema(features, timestamp, key, label, set_aside)


def check_roles(timestamp: str | None, key: str | Sequence[str] | None, label: str | None) -> None:
    """Make sure that no column has two roles.

    Raises
    ------
    SchemaError
        naming the column and its roles.

    >>> check_roles("created", ("region", "host"), "fraud")
    """
    roles: dict[str, list[str]] = {}
    named = [(timestamp, "--timestamp"), *((name, "--key") for name in named_columns(key)), (label, "--label")]
    for name, role in named:
        if name is not None:
            roles.setdefault(name, []).append(role)
    for name, found in roles.items():
        if len(set(found)) > 1:
            raise SchemaError(
                f"The column {name!r} is named for {' and '.join(found)}, and a column has one role. Name another "
                "column for the others, or leave them out."
            )


def check_finite(frame: pl.DataFrame, schema: Schema) -> None:
    """Make sure that no number is infinite.

    Raises
    ------
    SchemaError
        naming the column, how many values are infinite, and the first such row.
    """
    frame = flatten(frame)
    for column in schema.features:
        series = frame[column.name]
        if column.kind != "number" or series.dtype.is_integer():
            continue
        infinite = read_numbers(series).is_infinite()
        if infinite.any():
            row = int(infinite.arg_true()[0])
            raise SchemaError(
                f"Column {column.name!r} holds {counted(int(infinite.sum()), 'infinite value')}, the first in row "
                f"{row}. Correct them or leave them empty, or leave the column out with --ignore {column.name!r}."
            )


def _key(key: str | Sequence[str] | None) -> str | tuple[str, ...] | None:
    columns = named_columns(key)
    twice = [name for name in columns if columns.count(name) > 1]
    if twice:
        raise SchemaError(f"The key names the column {twice[0]!r} twice. Name each of its columns once.")
    return columns if len(columns) > 1 else columns[0] if columns else None


def _check_known(names: Iterable[str], known: Sequence[str]) -> None:
    every = frozenset(known)
    unknown = [name for name in names if name not in every]
    if not unknown:
        return
    nearest = get_close_matches(unknown[0], known, n=3, cutoff=0.5)
    way_out = f"Did you mean {' or '.join(map(repr, nearest))}?" if nearest else f"The columns are {quoted(known)}."
    raise SchemaError(f"There is no column {unknown[0]!r}. {way_out}")


def _nothing_left(set_aside: Sequence[SetAside], taken: Iterable[str]) -> str:
    reasons = [f"{column.name!r} ({column.reason})" for column in set_aside[:12]]
    reasons += [f"{name!r} (time, key or label)" for name in sorted(taken)]
    more = f" and {len(set_aside) - 12} more" if len(set_aside) > 12 else ""
    return (
        f"No column is left to look for anomalies in: {', '.join(reasons)}{more}. Name columns with --columns."
        if reasons
        else "The table has no columns."
    )


def _judged(series: pl.Series, categorical: bool, wanted: bool) -> Column | SetAside:
    name = series.name
    if name.startswith("^") and name.endswith("$"):
        return SetAside(name, "its name reads as a pattern (^…$); rename the column")
    if reason := _unusable(series):
        return SetAside(name, reason)
    if categorical:
        return Column(name, "category")
    if series.dtype in (pl.Categorical, pl.Enum):
        present = series.drop_nulls().cast(pl.String)
        return Column(name, _kind_of_words(present, present.n_unique()))
    if series.dtype == pl.String:
        return _judged_words(series, wanted)
    if series.dtype == pl.Boolean:
        return Column(name, "boolean")
    if series.dtype.is_integer() and not wanted and _numbers_rows(series):
        return SetAside(name, "an identifier: whole numbers that only count the rows")
    return Column(name, "time" if series.dtype in (pl.Date, pl.Datetime, pl.Time) else "number")


def _unusable(series: pl.Series) -> str | None:
    dtype = series.dtype
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary):
        return f"holds lists or binary values ({dtype.base_type()}); make columns of what matters in them"
    if dtype.is_numeric() and _has_range(series):
        return None
    present = (series.fill_nan(None) if dtype.is_float() else series).drop_nulls()
    if not len(present):
        return "empty: every value is missing"
    if len(present) == len(series) and _is_constant(present):
        return f"constant: every value is {present[0]!r}"
    return None


def _has_range(series: pl.Series) -> bool:
    low, high = series.min(), series.max()
    return low is not None and bool(low < high)  # type: ignore[operator]


def _is_constant(present: pl.Series) -> bool:
    if present.dtype.is_numeric() or present.dtype.is_temporal():
        return present.min() == present.max()
    return present[0] == present[-1] and bool((present == present[0]).all())


def _numbers_rows(series: pl.Series) -> bool:
    """Unique and without gaps, or unique, in order and nearly without gaps, or with an identifier's name."""
    if series.null_count() or len(series) < FEWEST_IDENTIFIERS or series.n_unique() < len(series):
        return False
    span = int(series.max()) - int(series.min()) + 1  # type: ignore[arg-type]
    if span == len(series) or _sounds_like_identifier(series.name):
        return True
    return span <= 10 * len(series) and (series.is_sorted() or series.is_sorted(descending=True))


def _sounds_like_identifier(name: str) -> bool:
    return bool(pl.Series([name]).str.contains(_ID_NAMES)[0])


def _judged_words(series: pl.Series, wanted: bool) -> Column | SetAside:
    present = series.drop_nulls()
    if _are_times(present):
        return Column(series.name, "time")
    if _are_numbers(series):
        return Column(series.name, "number")
    different = present.n_unique()
    plain = present.str.contains(_PLAIN)
    if different == len(present) >= FEWEST_IDENTIFIERS and not wanted and plain.all():
        return SetAside(series.name, f"an identifier: {different:,} words, all different")
    return Column(series.name, _kind_of_words(present, different))


def _kind_of_words(present: pl.Series, different: int) -> Kind:
    if different > len(present) / 2 and different >= FEWEST_IDENTIFIERS:
        return "text"
    if different <= FEW_WORDS:
        return "category"
    words = present.str.count_matches(r"\S+").mean()
    return "text" if isinstance(words, float) and words >= TEXT_WORDS else "category"


def _are_times(present: pl.Series) -> bool:
    for pattern in (_ISO, _CLOCK):
        if present.head(100).str.contains(pattern).all() and present.str.contains(pattern).all():
            return all(parse_time(text) is not None for text in present.unique().to_list())
    return False


def _are_numbers(series: pl.Series) -> bool:
    """Whether every word is a number.

    Raises
    ------
    SchemaError
        if half of them or more are, but not all.
    """
    present = series.is_not_null() & (series.str.strip_chars() != "")
    numbers = parsed_numbers(series).is_not_null() & present
    n_present, n_numbers = int(present.sum()), int(numbers.sum())
    if not n_present or n_numbers < n_present / 2 or bool(series.filter(numbers).str.contains(r"^\s*0\d").any()):
        return False
    if n_numbers == n_present:
        return True
    bad = (present & ~numbers).arg_true().head(3).to_list()
    examples = ", ".join(f"{series[row]!r} in row {row}" for row in bad)
    raise SchemaError(
        f"Column {series.name!r} mixes types: {n_numbers:,} of its {n_present:,} values are numbers, the others are "
        f"not, such as {examples}. Correct those values or leave them empty, read the column as words with "
        f"--categorical {series.name!r}, or leave it out with --ignore {series.name!r}."
    )
