"""What messages say: the words and pairs of words that tell most, weighed by how rare they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.errors import ArtifactError, NotFittedError
from anomaly_detection.features.logs._terms_kernels import Counts, count_terms, pair_hash, weigh_terms, word_hash
from anomaly_detection.features.templates.columns import as_column, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

WORD = re.compile(rb"(?<![A-Za-z0-9_\x80-\xff])[A-Za-z_\x80-\xff]{2,}(?![A-Za-z0-9_\x80-\xff])")
"""A word in the bytes of a message."""

PLACES = 1 << 18
"""Room for counting: about 196,000 different terms."""


class Terms(Configurable):
    """TF-IDF of the words and pairs of words of messages: how often a term is there, times how rare it is.

    A word is a run of letters, underscores and characters beyond ASCII, two bytes at least, with no digit beside it, in
    small letters (ASCII only): numbers, identifiers and addresses vary too much to say something. Of the terms that
    are in at least ``min_rows`` messages and in at most the share ``max_share`` of them, the ``most`` are kept that are
    used most, the first in the alphabet of those used alike. A term's weight is ``1 + log((1 + n) / (1 + m))``, m of n
    messages holding it; a message's weights are scaled to length 1.

    Parameters
    ----------
    most : terms kept.
    min_rows : messages that a term has to be in.
    max_share : of the messages, that a term may be in.

    Attributes
    ----------
    words_ : the terms, in the order of the alphabet.
    weights_ : (t,) float64.

    References
    ----------
    Spärck Jones, "A statistical interpretation of term specificity and its application in retrieval", Journal of
    Documentation 1972. Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information
    Processing and Management 1988.

    Examples
    --------
    >>> lines = ["user 7 logged in", "user 12 logged out", "disk sda1 full", "disk sdb2 full"]
    >>> terms = Terms(most=4, max_share=0.5).fit(lines)
    >>> terms.words_
    ('disk', 'disk full', 'full', 'logged')
    >>> terms.transform(lines)[3].round(2)
    array([0.58, 0.58, 0.58, 0.  ], dtype=float32)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "most": Range(1, 4_096, integer=True),
        "min_rows": Range(1, integer=True),
        "max_share": Range(0, 1, open_low=True),
    }

    words_: tuple[str, ...]
    weights_: NDArray[np.float64]

    def __init__(self, most: int = 50, min_rows: int = 2, max_share: float = 0.8) -> None:
        self.most = most
        self.min_rows = min_rows
        self.max_share = max_share

    def fit(self, messages: Any) -> Self:
        """Learn the terms and their weights.

        Parameters
        ----------
        messages : (n,) texts, such as a column of a frame.
        """
        self.validate()
        series = as_column(messages)
        counts = _empty_counts()
        for first, data, offsets in blocks(series):
            count_terms(data, offsets, first, counts)
        places = np.flatnonzero((counts.rows >= self.min_rows) & (counts.rows <= self.max_share * len(series)))
        uses = counts.uses[places]
        if len(uses) > self.most:  # texts are only made of terms that may be among the most used
            places = places[uses >= np.partition(uses, -int(self.most))[-int(self.most)]]
        found = sorted((-int(counts.uses[k]), _text_of(series, counts.spans[k]), int(counts.rows[k])) for k in places)
        chosen = sorted((word, rows) for _, word, rows in found[: int(self.most)])
        rows = np.array([rows for _, rows in chosen], dtype=np.float64)
        return self._take([word for word, _ in chosen], 1.0 + np.log((1.0 + len(series)) / (1.0 + rows)))

    def transform(self, messages: Any) -> NDArray[np.float32]:
        """(n, t) float32: the weights of the terms in each message, message by message alike.

        Raises
        ------
        NotFittedError
            before ``fit``.
        """
        series = as_column(messages)
        out = np.empty((len(series), len(self._fitted)), dtype=np.float32)
        for first, data, offsets in blocks(series):
            self.fill(data, offsets, out[first : first + len(offsets) - 1])
        return out

    def fill(self, data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.float32]) -> None:
        """The same for messages that are bytes one behind the other; ``out`` (n, t) receives the weights."""
        weigh_terms(data, offsets, self._table, self._columns, self.weights_, out)

    def state(self) -> dict[str, Any]:
        """What was learned, in plain values for JSON."""
        return {"words": list(self._fitted), "weights": self.weights_.tolist()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Take back what :meth:`state` handed out.

        Raises
        ------
        ArtifactError
            if it is damaged.
        """
        words, weights = state.get("words"), np.asarray(state.get("weights"))
        whole = isinstance(words, list) and all(isinstance(one, str) and len(one.split(" ")) in {1, 2} for one in words)
        if not whole or weights.dtype != np.float64 or weights.shape != (len(words or ()),) or len(words or ()) > 4_096:
            raise ArtifactError("The saved terms of messages are damaged. Load the model from an unchanged copy.")
        return self._take(list(words or ()), weights)

    @property
    def _fitted(self) -> tuple[str, ...]:
        if not hasattr(self, "words_"):
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
        return self.words_

    def _take(self, words: Sequence[str], weights: NDArray[np.float64]) -> Self:
        self.words_, self.weights_ = tuple(words), weights
        self._table = np.zeros(1 << max(4, (4 * len(words)).bit_length()), np.uint64)
        self._columns = np.zeros(len(self._table), np.int64)
        for column, text in enumerate(words):
            term = _hash_of(text)
            place = (term >> 32) & (len(self._table) - 1)
            while self._table[place]:
                place = (place + 1) & (len(self._table) - 1)
            self._table[place], self._columns[place] = term, column
        return self


def _empty_counts() -> Counts:
    uses, rows, last = (np.zeros(PLACES, np.int64) for _ in range(3))
    return Counts(np.zeros(PLACES, np.uint64), uses, rows, last, np.zeros((PLACES, 3), np.int64), np.zeros(1, np.int64))


def _text_of(series: pl.Series, span: NDArray[np.int64]) -> str:
    """The word, or the two words, at a place of a message."""
    row, begin, end = span.tolist()
    message = series[row]
    found = WORD.findall((message.encode() if isinstance(message, str) else message)[begin:end])
    ends = found if len(found) == 1 else [found[0], found[-1]]
    return b" ".join(ends).lower().decode("utf-8", "replace")


def _hash_of(text: str) -> int:
    hashes = [np.uint64(word_hash(np.frombuffer(word.encode(), np.uint8))) for word in text.split(" ")]
    return int(hashes[0] if len(hashes) == 1 else pair_hash(hashes[0], hashes[1]))
