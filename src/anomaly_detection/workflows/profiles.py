"""What a column holds, in all rows and in the anomalies, in fixed memory however many rows pass by."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from anomaly_detection.features._reading import read_numbers, read_times, read_words
from anomaly_detection.workflows.bins import bin_edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.records import Kind

MOST_DIFFERENT = 1_000
"""So many different words of a column are counted one by one, those met first; the others together."""

SHOWN_VALUES = 8
"""How many words are named, of those most frequent in all rows and of those most frequent in the anomalies."""

LONGEST = 120
"""The most characters of a word."""


class Profile(Protocol):
    """What one column holds."""

    def add(self, series: pl.Series, flagged: NDArray[np.bool_]) -> None:
        """Take note of further values; ``flagged`` says which rows are anomalies."""

    def difference(self) -> float:
        """How different the anomalies are from the other rows: 0 alike, 1 nothing in common."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""


def profile_of(kind: Kind) -> Profile:
    """The profile for a kind of column."""
    return WordProfile() if kind in ("category", "boolean") else NumberProfile(kind)


class NumberProfile:
    """A histogram of numbers, times, or the lengths of texts, whose bins are fixed by the first values that come.

    Parameters
    ----------
    kind : ``number``, ``time`` or ``text``.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._unit = {"time": "time", "text": "characters"}.get(kind, "number")
        self._missing = [0, 0]
        self._edges: list[float] | None = None
        self._usual: list[float] = []
        self._counts = np.zeros((2, 1), dtype=np.int64)
        self._span = [math.inf, -math.inf]

    def add(self, series: pl.Series, flagged: NDArray[np.bool_]) -> None:
        """Take note of further values; ``flagged`` says which rows are anomalies."""
        values = self._numbers(series)
        present = np.isfinite(values)
        self._missing = _added(self._missing, ~present, flagged)
        if not present.any():
            return
        numbers, flagged = values[present], flagged[present]
        if self._edges is None:
            self._begin(numbers)
        edges = np.asarray(self._edges)
        place = np.searchsorted(edges, numbers, side="right") - (numbers == edges[-1])
        width = self._counts.shape[1]
        self._counts[0] += np.bincount(place, minlength=width)
        self._counts[1] += np.bincount(place[flagged], minlength=width)
        self._span = [min(self._span[0], float(numbers.min())), max(self._span[1], float(numbers.max()))]

    def difference(self) -> float:
        """How different the anomalies are from the other rows: 0 alike, 1 nothing in common."""
        return _distance(self._counts[0], self._counts[1], self._missing)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        found: dict[str, Any] = {"unit": self._unit, **_missing_words(self._missing)}
        if self._edges is None:
            return found
        bins = {"edges": self._edges, "rows": self._counts[0].tolist(), "anomalies": self._counts[1].tolist()}
        return {**found, "lowest": self._span[0], "highest": self._span[1], "usual": self._usual, "bins": bins}

    def _begin(self, numbers: NDArray[np.float64]) -> None:
        self._edges = bin_edges(numbers, calendar=self._unit in ("time", "clock"))
        self._counts = np.zeros((2, len(self._edges) + 1), dtype=np.int64)
        self._usual = [float(edge) for edge in np.quantile(numbers, (0.05, 0.95))]

    def _numbers(self, series: pl.Series) -> NDArray[np.float64]:
        if self._kind == "text":
            return _as_floats(read_words(series).str.len_chars())
        if self._kind != "time":
            self._unit = "seconds" if series.dtype == pl.Duration else self._unit
            return _as_floats(read_numbers(series))
        times = read_times(series)
        if times.dtype == pl.Time:
            self._unit = "clock"
            return _as_floats(times.cast(pl.Int64)) / 1e9
        return _as_floats(times.cast(pl.Datetime("us")).cast(pl.Int64)) / 1e6


class WordProfile:
    """How often each word comes."""

    def __init__(self) -> None:
        self._missing = [0, 0]
        self._counts: Counter[str] = Counter()
        self._anomalies: Counter[str] = Counter()
        self._others = [0, 0]

    def add(self, series: pl.Series, flagged: NDArray[np.bool_]) -> None:
        """Take note of further values; ``flagged`` says which rows are anomalies."""
        words = read_words(series).str.slice(0, LONGEST)
        absent = words.is_null().to_numpy()
        self._missing = _added(self._missing, absent, flagged)
        for word, count in _counted(words):
            if word in self._counts or len(self._counts) < MOST_DIFFERENT:
                self._counts[word] += count
            else:
                self._others[0] += count
        for word, count in _counted(words.filter(pl.Series(flagged))):
            if word in self._counts:
                self._anomalies[word] += count
            else:
                self._others[1] += count

    def difference(self) -> float:
        """How different the anomalies are from the other rows: 0 alike, 1 nothing in common."""
        rows = np.array([*self._counts.values(), self._others[0]], dtype=np.int64)
        anomalies = np.array([*(self._anomalies[word] for word in self._counts), self._others[1]], dtype=np.int64)
        return _distance(rows, anomalies, self._missing)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        named = {word for word, _ in _most_frequent(self._counts)} | {w for w, _ in _most_frequent(self._anomalies)}
        ordered = sorted(named, key=lambda word: (-self._counts[word], word))
        values = [{"value": word, "rows": self._counts[word], "anomalies": self._anomalies[word]} for word in ordered]
        rows = self._counts.total() + self._others[0] - sum(self._counts[word] for word in named)
        anomalies = self._anomalies.total() + self._others[1] - sum(self._anomalies[word] for word in named)
        return {
            **_missing_words(self._missing),
            "different": len(self._counts),
            "values": values,
            "others": {"rows": rows, "anomalies": anomalies},
        }


def _as_floats(series: pl.Series) -> NDArray[np.float64]:
    return series.cast(pl.Float64).fill_null(math.nan).to_numpy()


def _added(counts: list[int], chosen: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> list[int]:
    return [counts[0] + int(np.count_nonzero(chosen)), counts[1] + int(np.count_nonzero(chosen & flagged))]


def _missing_words(missing: list[int]) -> dict[str, Any]:
    return {"missing": missing[0], "missing_anomalies": missing[1]}


def _counted(words: pl.Series) -> list[tuple[str, int]]:
    counts = words.drop_nulls().alias("word").value_counts(name="count")
    return list(counts.sort("count", "word", descending=[True, False]).iter_rows())


def _most_frequent(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:SHOWN_VALUES]


def _distance(rows: NDArray[np.int64], anomalies: NDArray[np.int64], missing: list[int]) -> float:
    """The total variation distance between the anomalies and the other rows, missing values being a value."""
    found = np.append(anomalies, missing[1]).astype(np.float64)
    others = np.append(rows, missing[0]) - found
    if not found.sum() or not others.sum():
        return 0.0
    return float(0.5 * np.abs(found / found.sum() - others / others.sum()).sum())
