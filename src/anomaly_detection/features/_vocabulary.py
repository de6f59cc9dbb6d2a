"""The words a column had in training, the most frequent first, and how frequent they were."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Vocabulary:
    """Words in order of frequency, ties in order of the alphabet.

    Parameters
    ----------
    words : the known words.
    counts : how many training rows had each.
    rows : how many training rows had any word.
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    rows: int

    @classmethod
    def learn(cls, words: pl.Series, most: int) -> Self:
        """Count a String column and keep the ``most`` frequent words."""
        present = words.drop_nulls().alias("word")
        table = present.value_counts(name="count").sort(["count", "word"], descending=[True, False]).head(most)
        return cls(tuple(table["word"].to_list()), tuple(table["count"].to_list()), len(present))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of ``dataclasses.asdict``."""
        return cls(tuple(values["words"]), tuple(values["counts"]), values["rows"])

    def head(self, most: int) -> Self:
        """The ``most`` frequent words alone; the others count as unseen."""
        return type(self)(self.words[:most], self.counts[:most], self.rows)

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each known word."""
        return {word: position for position, word in enumerate(self.words)}

    @cached_property
    def unseen_count(self) -> float:
        """How often a word that is not known counts as seen: at most once, and less the rarer new words are.

        The mass of words seen once or left out estimates the chance of meeting a new one (Good, 1953). Where nearly
        every value is different, a new one is as ordinary as any other and counts as seen once; where none was ever
        seen only once, a new one counts 1/rows.
        """
        singles = sum(1 for count in self.counts if count == 1)
        return (singles + self.rows - sum(self.counts) + 1) / (self.rows + 1)

    @cached_property
    def log_frequencies(self) -> NDArray[np.float64]:
        """(n + 1,) natural logarithm of each word's share of the training rows; the last stands for unseen words."""
        rows = max(self.rows, 1)
        return np.array([math.log(count / rows) for count in (*self.counts, self.unseen_count)])

    def log_frequency(self, word: str) -> float:
        """The entry of :attr:`log_frequencies` for one word."""
        return self._by_word.get(word, self._of_unseen)

    def codes(self, words: pl.Series) -> NDArray[np.int64]:
        """(n,) positions; ``len(words)`` for an unseen word, -1 where missing."""
        found = words.cast(self._enum, strict=False).to_physical().cast(pl.Int64).fill_null(len(self.words))
        return found.set(words.is_null(), -1).to_numpy()

    @cached_property
    def _by_word(self) -> dict[str, float]:
        return dict(zip(self.words, self.log_frequencies.tolist(), strict=False))

    @cached_property
    def _of_unseen(self) -> float:
        return float(self.log_frequencies[-1])

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.words)


def looked_up(table: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) entries of a table; NaN for code -1."""
    found: NDArray[np.float64] = np.append(table, np.nan)[codes]
    return found
