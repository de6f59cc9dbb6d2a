"""What is usual for a key that has too few rows for a model: its own level, as far as its rows and its peers tell.

A column's value is moved by how far its key usually lies from the middle of all keys. That distance is the median of
the key's rows less that of all, shrunk towards 0 by the reliability of so few rows: an empirical-Bayes estimate, with
the intraclass correlation of the column as the prior. A row that is moved so can be held against rows of all keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from anomaly_detection.features._encoding import NumberEncoding, as_floats
from anomaly_detection.features._reading import read_numbers
from anomaly_detection.features.nesting import value_at
from anomaly_detection.keyed._middle_kernels import middles, middles_of_others
from anomaly_detection.keyed.evidence import intraclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features._encoding import Read

FEWEST_SHARE = 0.05
"""A column of which less of the variance lies between keys is left as it is."""

SPAN = (0.05, 0.95)
"""Values between these quantiles are called normal."""

ENDS = (0.01, 0.99)
"""Values beyond these quantiles count as these when variance is measured."""


@dataclass(slots=True, eq=False)
class Usual:
    """How far each key usually lies from the middle of all keys, column by column.

    Parameters
    ----------
    columns : the columns in which keys differ.
    middles : (columns,) the median of all rows.
    shares : (columns,) the share of each column's variance that lies between keys.
    spans : (2, columns) between which the middle 90 % of the values of an ordinary key lie.
    offsets : (keys, columns) what has to be taken off a value of the key.
    """

    columns: tuple[str, ...]
    middles: NDArray[np.float64]
    shares: NDArray[np.float64]
    spans: NDArray[np.float64]
    offsets: NDArray[np.float64]
    _readers: tuple[tuple[str, Read], ...] = ()

    def __post_init__(self) -> None:
        self._readers = tuple((name, NumberEncoding(name, ("",)).reader()) for name in self.columns)

    @classmethod
    def learn(cls, frame: pl.DataFrame, codes: NDArray[np.int64], columns: Iterable[str]) -> Usual:
        """Measure every key.

        Parameters
        ----------
        frame : the rows.
        codes : (n,) the key of each, 0 and on; every code comes.
        columns : columns of numbers.
        """
        measured = {name: _measured(_numbers(frame, name), codes) for name in columns}
        kept = {name: one for name, one in measured.items() if one.share >= FEWEST_SHARE}
        offsets = [one.offsets for one in kept.values()] or [np.empty((int(codes.max()) + 1, 0))]
        return cls(
            columns=tuple(kept),
            middles=np.array([one.middle for one in kept.values()]),
            shares=np.array([one.share for one in kept.values()]),
            spans=np.array([one.span for one in kept.values()]).reshape(-1, 2).T,
            offsets=np.column_stack(offsets),
        )

    def of(self, keys: NDArray[np.int64]) -> Usual:
        """The same for some keys only, in this order."""
        return Usual(self.columns, self.middles, self.shares, self.spans, self.offsets[keys])

    def moved(self, frame: pl.DataFrame, which: NDArray[np.int64]) -> pl.DataFrame:
        """The rows as they would be if their keys were like all others; ``which`` key each row is of."""
        return _with_numbers(frame, self.columns, [self.offsets[which, j] for j in range(len(self.columns))])

    def moved_record(self, record: Mapping[str, Any], which: int) -> Mapping[str, Any]:
        """The same of one record, bit for bit."""
        if not self.columns:
            return record
        offsets = self.offsets[which].tolist()
        changed = {
            name: read(value_at(record, name)) - offset
            for (name, read), offset in zip(self._readers, offsets, strict=True)
        }
        return {**record, **changed}

    def moved_to(self, frame: pl.DataFrame, key: int) -> pl.DataFrame:
        """Rows that were moved to the middle of all keys, moved on to where one key is."""
        return _with_numbers(frame, self.columns, [np.full(len(frame), -offset) for offset in self.offsets[key]])

    def normal(self, column: str, key: int) -> str:
        """What is normal in a column for a key, in words."""
        j = self.columns.index(column)
        low, high = self.spans[:, j] + self.offsets[key, j]
        return f"{low:.6g} to {high:.6g}"

    def moved_by_others(self, frame: pl.DataFrame, codes: NDArray[np.int64]) -> pl.DataFrame:
        """The rows that were measured, each moved by what the other rows of its key say."""
        offsets = []
        for name, centre, share in zip(self.columns, self.middles, self.shares, strict=True):
            values = _numbers(frame, name)
            order, starts, known = _grouped(values, codes)
            others = np.full(len(values), np.nan)
            others[order] = middles_of_others(values[order], starts)
            counts = np.bincount(codes[known], minlength=len(starts) - 1)[codes] - known
            offsets.append(_shrunk(others - centre, counts, share))
        return _with_numbers(frame, self.columns, offsets)


class Measured(NamedTuple):
    """One column: its middle, the variance between keys, where 90 % of moved values lie, and the offset of each key."""

    middle: float
    share: float
    span: tuple[float, float]
    offsets: NDArray[np.float64]


def _measured(values: NDArray[np.float64], codes: NDArray[np.int64]) -> Measured:
    order, starts, _ = _grouped(values, codes)
    finite = np.isfinite(values)
    if not finite.any():
        return Measured(0.0, 0.0, (0.0, 0.0), np.zeros(len(starts) - 1))
    low, high = np.quantile(values[finite], ENDS)
    present = np.unique(codes[finite], return_inverse=True)[1].astype(np.int64)
    share = intraclass(np.clip(values[finite], low, high), present)
    middle = float(np.median(values[finite]))
    offsets = _shrunk(middles(values[order], starts) - middle, np.diff(starts), share)
    low, high = np.quantile(values[finite] - offsets[codes[finite]], SPAN)
    return Measured(middle, share, (float(low), float(high)), offsets)


def _grouped(
    values: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """The rows with a value, key after key and ascending within each; where each key begins; which rows have one."""
    known = ~np.isnan(values)
    rows = np.flatnonzero(known)
    order = rows[np.lexsort((values[rows], codes[rows]))]
    counts = np.bincount(codes[rows], minlength=int(codes.max()) + 1)
    return order, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), known


def _shrunk(distances: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """Distances of keys from the middle times the reliability of their rows; 0 where nothing is known."""
    weight = counts * share / (1.0 + np.maximum(counts - 1.0, 0.0) * share)
    return np.where((counts > 0) & np.isfinite(distances), weight * distances, 0.0)


def _numbers(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    return as_floats(read_numbers(frame[name]))


def _with_numbers(frame: pl.DataFrame, columns: Sequence[str], offsets: Sequence[NDArray[np.float64]]) -> pl.DataFrame:
    moved = [pl.Series(name, _numbers(frame, name) - offset) for name, offset in zip(columns, offsets, strict=True)]
    return frame.with_columns(moved)
