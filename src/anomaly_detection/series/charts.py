"""Control charts of very many keys in flat arrays: about a hundred bytes and a microsecond each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from anomaly_detection.base import Configurable, Range
from anomaly_detection.detectors.series.ewma import FEWEST
from anomaly_detection.errors import ArtifactError, InputError
from anomaly_detection.series._charts_kernels import advance_charts, fill_slots, find_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

SMALLEST = 1_024
"""Keys there is room for to begin with."""


class Charts(Configurable):
    """The control chart of :class:`~anomaly_detection.detectors.series.ewma.EWMA`, one for each of very many keys.

    Rows of all keys come mixed, each key's in order of time. Keys are found by their bytes, whatever their number; a
    key that was never seen gets a chart that says nothing before it has seen 5 values.

    Parameters
    ----------
    span : a value of so many rows of its key ago weighs about 1 / e of the latest.

    Attributes
    ----------
    charts_ : (m, 4) float64, level, mean absolute deviation, values seen, and the share above the line, of each key.

    Examples
    --------
    >>> charts = Charts(span=20)
    >>> for value in (9.0, 10.0, 11.0, 9.5, 10.5, 10.0):
    ...     scores = charts.advance(pl.Series(["a", "b"]), np.array([value, -value]))
    >>> charts.advance(pl.Series(["b", "a", "new"]), np.array([-10.0, 90.0, 1.0]))[:, 0].round(1).tolist()
    [0.0, 105.7, nan]
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"span": Range(FEWEST, 1e9)}

    def __init__(self, span: float = 100.0) -> None:
        self.span = span
        self._used = 0
        self._charts = np.zeros((SMALLEST, 4))
        self._hashes = np.zeros(SMALLEST, np.uint64)
        self._pool = np.zeros(16 * SMALLEST, np.uint8)
        self._pool_ends = np.zeros(SMALLEST, np.int64)
        self._slots = np.full(2 * SMALLEST, -1, np.int32)

    def __len__(self) -> int:
        return self._used

    @property
    def charts_(self) -> NDArray[np.float64]:
        """(m, 4) the charts of all keys, in the order in which they came."""
        return self._charts[: self._used]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, room for keys to come included."""
        arrays = (self._charts, self._hashes, self._pool, self._pool_ends, self._slots)
        return sum(array.nbytes for array in arrays)

    def keys(self) -> pl.Series:
        """The keys, in the order in which they came."""
        ends = self._pool_ends[: self._used].tolist()
        text = self._pool.tobytes()
        return pl.Series([text[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)], dtype=pl.String)

    def advance(self, keys: pl.Series, values: NDArray[np.float64], line: float = math.inf) -> NDArray[np.float64]:
        """Score values by what came before in their key, and learn each once it is scored.

        Parameters
        ----------
        keys : (n,) text; a missing one is the empty text.
        values : (n,), NaN where missing.
        line : a value scoring above it is not learned from.

        Returns
        -------
        (n, 3) score, expected value and scale; NaN where nothing can be said.

        Raises
        ------
        InputError
            if there are not as many keys as values, or a value is infinite.
        """
        self.validate()
        if len(keys) != len(values):
            raise InputError(f"Each value has a key; got {len(keys):,} keys and {len(values):,} values.")
        numbers = np.require(values, np.float64, ["C", "W"])
        if np.isinf(numbers).any():
            raise InputError("Values of a series are finite, or missing (NaN); some are infinite.")
        out = np.empty((len(numbers), 3))
        places = self._places(keys)
        advance_charts(places, numbers, self._charts, float(self.span), float(FEWEST), float(line), out)
        return out

    def score(self, keys: pl.Series, values: NDArray[np.float64], line: float = math.inf) -> NDArray[np.float64]:
        """What :meth:`advance` says of these rows, with the charts left as they are, and no key added."""
        used, before = self._used, self._charts.copy()
        out = self.advance(keys, values, line)
        self._charts[:used] = before[:used]
        self._charts[used:] = 0.0
        if self._used > used:  # the keys that came last stand in nobody's way
            self._slots[self._slots >= used] = -1
            self._used = used
        return out

    def twin(self) -> Self:
        """A copy that goes on by itself."""
        return type(self).from_state(*self.state())

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        ends = self._pool_ends[: self._used]
        size = int(ends[-1]) if len(ends) else 0
        arrays: dict[str, NDArray[Any]] = {
            "charts": self.charts_,
            "hashes": self._hashes[: self._used],
            "ends": ends,
            "pool": self._pool[:size],
        }
        return self.parameters(), {name: array.copy() for name, array in arrays.items()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; it goes on alike, bit for bit.

        Raises
        ------
        ArtifactError
            if the arrays are not those of charts.
        """
        charts, hashes, ends, pool = (arrays.get(name, np.empty(0)) for name in ("charts", "hashes", "ends", "pool"))
        m = len(ends)
        starts = np.concatenate([[0], ends])
        sound = (
            [one.dtype.str[1:] for one in (charts, hashes, ends, pool)] == ["f8", "u8", "i8", "u1"]
            and [one.shape for one in (charts, hashes)] == [(m, 4), (m,)]
            and np.isfinite(charts).all()
            and (np.diff(starts) >= 0).all()
            and starts[-1] == len(pool)
        )
        if not sound:
            raise ArtifactError("These arrays are no charts of keys. Load the model from an unchanged copy.")
        found = cls(**spec)
        found._charts, found._hashes, found._pool, found._pool_ends = (
            np.array(one) for one in (charts, hashes, pool, ends)
        )
        found._used = m
        found._make_room(0)
        return found

    def _places(self, keys: pl.Series) -> NDArray[np.int32]:
        words = keys.fill_null("")
        text = np.frombuffer(bytearray((words.str.join("")[0] or "").encode()), np.uint8)
        ends = np.cumsum(words.str.len_bytes().to_numpy(), dtype=np.int64)
        places = np.empty(len(keys), np.int32)
        row = 0
        while row < len(keys):
            row, self._used = find_places(
                text,
                ends,
                row,
                self._slots,
                self._hashes,
                self._pool,
                self._pool_ends,
                self._used,
                places,
            )
            if row < len(keys):
                self._make_room(int(ends[row] - (ends[row - 1] if row else 0)))
        return places

    def _make_room(self, size: int) -> None:
        """Twice as many places for keys, half as many bytes again, and at least so many for the next key."""
        room = max(SMALLEST, 2 * self._used)
        used_bytes = int(self._pool_ends[self._used - 1]) if self._used else 0
        self._charts = _grown(self._charts, room)
        self._hashes = _grown(self._hashes, room)
        self._pool_ends = _grown(self._pool_ends, room)
        self._pool = _grown(self._pool, max(16 * SMALLEST, 2 * used_bytes) + size)
        self._slots = np.full(1 << int(2 * room - 1).bit_length(), -1, np.int32)
        fill_slots(self._hashes[: self._used], self._slots)


def _grown(array: NDArray[Any], length: int) -> NDArray[Any]:
    """The array, with zeros behind it."""
    if len(array) >= length:
        return array
    found = np.zeros((length, *array.shape[1:]), array.dtype)
    found[: len(array)] = array
    return found
