"""Words as codes, as how often they were seen, and as what can be measured of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from anomaly_detection.features._encoding import Encoding, Read
from anomaly_detection.features._reading import read_words
from anomaly_detection.features._text import MEASURES, measure, measured, shape_of, shapes_of
from anomaly_detection.features._vocabulary import Vocabulary, looked_up
from anomaly_detection.features.space import Feature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

PARTS_OF_CATEGORY = ("frequency", "length", "shape")
"""What is made of a category with many values."""

PARTS_OF_TEXT = (*MEASURES, "shape")
"""What is made of short text; its exact words hardly ever come again."""


def plain_word(value: Any) -> str | None:
    """The word for values of the commonest types, as :func:`read_words` writes it; None for all others.

    >>> plain_word("a"), plain_word(True), plain_word(3), plain_word(3.0)
    ('a', 'true', '3', '3')
    """
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is float and value.is_integer() and abs(value) < 2.0**63:
        return str(int(value))
    return None


@dataclass(frozen=True)
class CodeEncoding(Encoding):
    """One of a few words, as a code: 0 is the most frequent, n stands for every word not seen in training."""

    kind = "code"

    vocabulary: Vocabulary

    @classmethod
    def learn(cls, name: str, vocabulary: Vocabulary) -> Self:
        """Number the words of a vocabulary."""
        return cls(name, ("",), vocabulary)

    def features(self) -> tuple[Feature, ...]:
        """One category."""
        return (Feature(self.column, self.column, "category", len(self.vocabulary.words)),)

    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """(n,) codes."""
        codes = self.vocabulary.codes(read_words(series)).astype("float64")
        codes[codes < 0] = math.nan
        return [codes]

    def reader(self) -> Read:
        """Look one word up."""
        codes = {word: float(code) for word, code in self.vocabulary.positions.items()}
        unseen, find, otherwise = float(len(codes)), codes.get, self._one_by_frame

        def read(value: Any) -> Any:
            word = value if type(value) is str else plain_word(value)
            if word is not None:
                return find(word, unseen)
            return math.nan if value is None else otherwise(value)

        return read

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        return cls(values["column"], tuple(values["parts"]), Vocabulary.from_dict(values["vocabulary"]))


@dataclass(frozen=True)
class WordsEncoding(Encoding):
    """Words of which there are many: how common they and their shapes are, and what can be measured of them.

    Parameters
    ----------
    vocabulary : the exact words seen in training; empty for text.
    shapes : the shapes seen in training (:func:`shape_of`).
    """

    kind = "words"
    wide = True

    vocabulary: Vocabulary
    shapes: Vocabulary

    @classmethod
    def of_category(cls, name: str, words: pl.Series, vocabulary: Vocabulary, most: int) -> Self:
        """For a category with many values."""
        return cls(name, PARTS_OF_CATEGORY, vocabulary, Vocabulary.learn(shapes_of(words), most))

    @classmethod
    def of_text(cls, name: str, words: pl.Series, most: int) -> Self:
        """For short text."""
        return cls(name, PARTS_OF_TEXT, Vocabulary((), (), 0), Vocabulary.learn(shapes_of(words), most))

    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """One (n,) array per part."""
        words = read_words(series)
        return [self._column(words, part) for part in self.parts]

    def _column(self, words: pl.Series, part: str) -> NDArray[np.float64]:
        if part == "frequency":
            return looked_up(self.vocabulary.log_frequencies, self.vocabulary.codes(words))
        if part == "shape":
            return looked_up(self.shapes.log_frequencies, self.shapes.codes(shapes_of(words)))
        return measured(words, part)

    def reader(self) -> Read:
        """Measure one text."""
        measures = [self._measure(part) for part in self.parts]
        missing, otherwise = [math.nan] * len(measures), self._one_by_frame

        def read(value: Any) -> Any:
            word = value if type(value) is str else plain_word(value)
            if word is not None:
                return [one(word) for one in measures]
            return missing if value is None else otherwise(value)

        return read

    def _measure(self, part: str) -> Callable[[str], float]:
        if part == "frequency":
            return self.vocabulary.log_frequency
        if part == "shape":
            return lambda text: self.shapes.log_frequency(shape_of(text))
        return measure(part)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`."""
        vocabulary, shapes = (Vocabulary.from_dict(values[name]) for name in ("vocabulary", "shapes"))
        return cls(values["column"], tuple(values["parts"]), vocabulary, shapes)
