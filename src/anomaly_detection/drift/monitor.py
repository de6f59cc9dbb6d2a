"""Says when the p-values of a model are no longer those of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.drift.martingale import Martingale
from anomaly_detection.errors import ParameterError
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

WINDOW = 500
"""So many rows are tested together; then the test begins anew."""

CERTAIN = 6.0
"""The decimal logarithm of the capital from which on it is said."""

MOST_APART = 100
RELATED = 0.2


class CalibrationMonitor:
    """A martingale over each 500 rows; the chance of a false word about them is at most one in a million.

    The promise is for p-values that are independent. Those of rows that follow one another are not, so rows are looked
    at some distance apart, at which those of training were not related.

    Parameters
    ----------
    every : one row in so many is looked at, at least 1.
    window : so many rows are tested together, at least ``every``.

    Examples
    --------
    >>> monitor = CalibrationMonitor()
    >>> monitor.follow(np.random.default_rng(0).random(2000) ** 4)
    >>> monitor.note()
    'the p-values of the last 500 rows are not those of training (martingale 1e414): an incident, or train again'
    """

    def __init__(self, every: int = 1, window: int = WINDOW) -> None:
        if not 1 <= every <= window:
            raise ParameterError(f"every={every!r} has to be at least 1 and at most window={window!r}.")
        self.every = every
        self.window = window
        self.martingale_ = Martingale()
        self.rows_ = 0
        self.last_ = 0.0

    @classmethod
    def of(cls, scores: NDArray[np.float64]) -> Self:
        """For p-values by a calibration sample, in order of its rows.

        A small sample knows the p-values of new rows no better than by its own size, so no more rows are tested
        together than it has.
        """
        every = apart(scores)
        return cls(every, max(min(WINDOW, len(scores)), every))

    def follow(self, p_value: ArrayLike) -> None:
        """Take in p-values, in order of time."""
        p = np.asarray(p_value, dtype=np.float64)
        while len(p):
            part = p[: self.window - self.rows_]
            self.martingale_.follow(part[-self.rows_ % self.every :: self.every])
            self.rows_ += len(part)
            if self.rows_ == self.window:
                self.last_ = self.martingale_.highest
                self.martingale_.restart()
                self.rows_ = 0
            p = p[len(part) :]

    def note(self) -> str | None:
        """What there is to say of the last rows; None where their p-values may be those of training."""
        now = self.martingale_.highest
        rows, capital = (self.rows_, now) if now >= CERTAIN else (self.window, self.last_)
        if capital < CERTAIN:
            return None
        told = f"the p-values of the last {counted(rows, 'row')} are not those of training"
        return f"{told} (martingale 1e{int(capital)}): an incident, or train again"

    def twin(self) -> CalibrationMonitor:
        """A copy that goes on by itself."""
        return CalibrationMonitor.from_state(*self.state())

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        spec, arrays = self.martingale_.state()
        own = {"every": self.every, "window": self.window, "rows": self.rows_, "last": self.last_}
        return {**own, "martingale": spec}, arrays

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`."""
        found = cls(int(spec["every"]), int(spec["window"]))
        found.martingale_ = Martingale.from_state(spec["martingale"], arrays)
        found.rows_, found.last_ = int(spec["rows"]), float(spec["last"])
        return found


def apart(values: NDArray[np.float64]) -> int:
    """The distance of rows from which on ranks of values are related by less than 0.2; at most 100.

    >>> apart(np.random.default_rng(0).random(500)), apart(np.repeat(np.random.default_rng(0).random(50), 10)) > 5
    (1, True)
    """
    known = values[~np.isnan(values)]
    ranks = np.argsort(np.argsort(known, kind="stable"), kind="stable").astype(np.float64)
    ranks -= ranks.mean() if len(ranks) else 0.0
    whole = float(ranks @ ranks)
    for lag in range(1, min(MOST_APART, len(ranks) // 4)):
        if float(ranks[lag:] @ ranks[:-lag]) < RELATED * whole:
            return lag
    return max(1, min(MOST_APART, len(ranks) // 4))
