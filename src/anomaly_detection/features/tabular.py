"""From records of a table to the native matrix: one row of float32 for each record."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.errors import NotFittedError, SchemaError
from anomaly_detection.features._calendar import CalendarEncoding
from anomaly_detection.features._encoding import BooleanEncoding, Encoding, NumberEncoding, Read
from anomaly_detection.features._reading import read_words
from anomaly_detection.features._vocabulary import Vocabulary
from anomaly_detection.features._words import CodeEncoding, WordsEncoding
from anomaly_detection.features.nesting import flatten, heads, value_at
from anomaly_detection.features.space import MOST_CATEGORIES, FeatureSpace
from anomaly_detection.records import Schema, SetAside, counted, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.records import Column

_ENCODINGS: dict[str, type[Encoding]] = {
    encoding.kind: encoding
    for encoding in (NumberEncoding, BooleanEncoding, CalendarEncoding, CodeEncoding, WordsEncoding)
}


class TabularFeatures(Configurable):
    """Turns records into numbers, category codes and NaN for missing values.

    A number becomes one feature, less its median in training. A category with few values becomes a code; one with
    many becomes ``column.frequency``, ``column.length`` and ``column.shape``; text becomes its length, words, shares
    of characters and shape; a date becomes calendar parts. Features without variation in training are left out.

    Parameters
    ----------
    most_categories : a column with more different words than this is described instead of coded.
    most_values : how many words are remembered for ``frequency`` and shapes for ``shape``.

    Attributes
    ----------
    schema_ : the columns that are used; those of which nothing varied are set aside.
    features_ : what each column of the matrix means.

    Examples
    --------
    >>> import polars as pl
    >>> from anomaly_detection.features.inference import infer_schema
    >>> frame = pl.DataFrame({"amount": [10.0, 12.0, 11.0, None], "city": ["Rome", "Oslo", "Rome", "Rome"]})
    >>> features = TabularFeatures().fit(frame, infer_schema(frame))
    >>> features.features_.names
    ('amount', 'city')
    >>> features.transform(frame).tolist()
    [[-1.0, 0.0], [1.0, 1.0], [0.0, 0.0], [nan, 0.0]]
    >>> features.transform_row({"amount": 13, "city": "Lima"}).tolist()
    [2.0, 2.0]
    """

    constraints: ClassVar[Mapping[str, Range]] = {
        "most_categories": Range(1, MOST_CATEGORIES - 1, integer=True),
        "most_values": Range(1, 1_000_000, integer=True),
    }

    schema_: Schema
    features_: FeatureSpace
    _steps: Sequence[tuple[str, Read, bool]] = ()

    def __init__(self, most_categories: int = MOST_CATEGORIES - 1, most_values: int = 10_000) -> None:
        self.most_categories = most_categories
        self.most_values = most_values

    def fit(self, frame: pl.DataFrame, schema: Schema, like: TabularFeatures | None = None) -> Self:
        """Learn centres, words and shapes from records.

        Parameters
        ----------
        frame : the records.
        schema : which column is what.
        like : make the features that this one, fitted on more records, makes, whether they vary here or not.

        Raises
        ------
        SchemaError
            if a column is missing or cannot be read as its kind, or if nothing varies.
        """
        self.validate()
        frame = flatten(frame)
        schema.check_names(frame.columns)
        known = {} if like is None else like.encodings
        learned = [_used(self._learn(frame[c.name], c), frame[c.name], known.get(c.name)) for c in schema.features]
        if not any(encoding.parts for encoding in learned):
            raise SchemaError(
                f"Nothing varies in the {counted(len(frame), 'row')} given, so there is nothing to learn from: "
                f"{quoted(schema.feature_names)}."
            )
        flat = [encoding.column for encoding in learned if not encoding.parts]
        self._take(_setting_aside(schema, flat), [encoding for encoding in learned if encoding.parts])
        return self

    def transform(self, frame: pl.DataFrame) -> NDArray[np.float32]:
        """The native matrix: (n, d) float32, C-contiguous.

        Raises
        ------
        NotFittedError
            before ``fit``.
        SchemaError
            if a column is missing, or holds what cannot be read as its kind, with the first such row and value.
        """
        self._check_fitted()
        frame = flatten(frame)
        self.schema_.check_names(frame.columns)
        matrix = np.empty((len(frame), len(self.features_)), dtype=np.float32)
        position = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for encoding in self._encodings:
                for values in encoding.columns(frame[encoding.column]):
                    matrix[:, position] = values
                    position += 1
        return matrix

    def transform_row(self, record: Mapping[str, Any]) -> NDArray[np.float32]:
        """One record: (d,) float32, equal bit for bit to :meth:`transform` of a frame that holds it alone.

        A key that is missing counts as a missing value; a column such as ``user.age`` is also looked for within the
        record under ``user``.

        Raises
        ------
        SchemaError
            if a value cannot be read as its column's kind, or no column is known.
        """
        if not self._steps:
            self._check_fitted()
        get = partial(value_at, record) if self._is_nested else record.get
        values = array("f")
        for name, read, wide in self._steps:
            if wide:
                values.extend(read(get(name)))
            else:
                values.append(read(get(name)))
        if self._names.isdisjoint(record):
            self.schema_.check_names(record)
        return np.frombuffer(values, dtype=np.float32)

    @property
    def encodings(self) -> dict[str, Encoding]:
        """How each column that is used becomes features."""
        return {encoding.column: encoding for encoding in self._encodings}

    @property
    def offsets(self) -> NDArray[np.float64]:
        """(d,) what has to be added to the features to be in the user's units."""
        return np.array([encoding.offset() for encoding in self._encodings for _ in encoding.parts])

    def state(self) -> dict[str, Any]:
        """What was learned, in plain values for JSON."""
        self._check_fitted()
        return {
            "schema": self.schema_.to_dict(),
            "encodings": [encoding.to_dict() for encoding in self._encodings],
        }

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Take back what :meth:`state` handed out."""
        encodings = [_ENCODINGS[values["kind"]].from_dict(values) for values in state["encodings"]]
        self._take(Schema.from_dict(state["schema"]), encodings)
        return self

    def _take(self, schema: Schema, encodings: Iterable[Encoding]) -> None:
        self.schema_ = schema
        self._encodings = tuple(encodings)
        self._steps = [(encoding.column, encoding.reader(), encoding.wide) for encoding in self._encodings]
        self._is_nested = any("." in name for name in schema.feature_names)
        self._names = frozenset(head for name in schema.feature_names for head in heads(name))
        self.features_ = FeatureSpace(tuple(part for encoding in self._encodings for part in encoding.features()))

    def _learn(self, series: pl.Series, column: Column) -> Encoding:
        if column.kind == "number":
            return NumberEncoding.learn(series)
        if column.kind == "boolean":
            return BooleanEncoding.learn(series)
        if column.kind == "time":
            return CalendarEncoding.learn(series)
        words = read_words(series)
        if column.kind == "text":
            return WordsEncoding.of_text(series.name, words, self.most_values)
        vocabulary = Vocabulary.learn(words, max(self.most_values, self.most_categories + 1))
        if len(vocabulary.words) <= self.most_categories:
            return CodeEncoding.learn(series.name, vocabulary)
        return WordsEncoding.of_category(series.name, words, vocabulary.head(self.most_values), self.most_values)

    def _check_fitted(self) -> None:
        if not hasattr(self, "features_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")


def _setting_aside(schema: Schema, names: Sequence[str]) -> Schema:
    used = tuple(column for column in schema.features if column.name not in names)
    aside = tuple(SetAside(name, "nothing made of it varies") for name in names)
    return replace(schema, features=used, set_aside=schema.set_aside + aside)


def _used(encoding: Encoding, series: pl.Series, like: Encoding | None) -> Encoding:
    """The encoding with the parts of another of its kind, else with those that vary."""
    if like is not None and like.kind == encoding.kind:
        return encoding.keeping(like.parts)
    with np.errstate(over="ignore", invalid="ignore"):
        columns = encoding.columns(series)
        varies = [_varies(values) for values in columns]
    return encoding.keeping([part for part, kept in zip(encoding.parts, varies, strict=True) if kept])


def _varies(values: NDArray[np.float64]) -> bool:
    single = values.astype(np.float32)
    missing = np.isnan(single)
    if missing.all() or not len(single):
        return False
    return bool(missing.any() or single.min() < single.max())
