"""ADWIN: a window of the latest values that shrinks where its mean changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.drift._drift_kernels import adapt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.base import Constraint

LEVELS = 32
BUCKETS = 5
"""Of each size, 1, 2, 4 and so on, there are at most so many buckets."""


class Adwin(Configurable):
    """Says where the mean of a stream of numbers changed, with no length of a window to choose.

    The window is kept in buckets of 1, 2, 4 … values, so it takes 2 kB however long it is. It is cut where two parts of
    it have means that differ by more than chance allows.

    Parameters
    ----------
    delta : in (0, 1), how probable a cut may be where nothing changed.
    every : the window is looked at after so many values.

    Attributes
    ----------
    sums_, spreads_ : (32, 6) float64, the sum of the values of each bucket, and of their squared distances from the
        mean of the bucket.
    filled_ : (32,) int64, how many buckets there are of each size.
    seen_ : (1,) int64, values so far.

    References
    ----------
    Bifet & Gavaldà: Learning from Time-Changing Data with Adaptive Windowing. SDM 2007.

    Examples
    --------
    >>> values = np.concatenate([np.zeros(500), np.ones(500)])
    >>> adwin = Adwin()
    >>> np.flatnonzero(adwin.follow(values))[0], round(adwin.mean, 2)
    (np.int64(511), 0.99)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "delta": Range(0, 1, open_low=True, open_high=True),
        "every": Range(1, integer=True),
    }

    def __init__(self, delta: float = 0.002, every: int = 32) -> None:
        self.delta = delta
        self.every = every
        self.sums_ = np.zeros((LEVELS, BUCKETS + 1))
        self.spreads_ = np.zeros((LEVELS, BUCKETS + 1))
        self.filled_ = np.zeros(LEVELS, np.int64)
        self.seen_ = np.zeros(1, np.int64)

    def follow(self, values: ArrayLike) -> NDArray[np.bool_]:
        """(n,) true where a change is noticed; NaN values are left out."""
        self.validate()
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        drift = np.empty(len(numbers), np.bool_)
        state = (self.sums_, self.spreads_, self.filled_)
        adapt(numbers, *state, float(self.delta), int(self.every), self.seen_, drift)
        return drift

    @property
    def length(self) -> int:
        """How many values the window has."""
        return int(self.filled_ @ (1 << np.arange(LEVELS, dtype=np.int64)))

    @property
    def mean(self) -> float:
        """The mean of the window; NaN where it is empty."""
        kept = np.arange(BUCKETS + 1) < self.filled_[:, None]
        return float(self.sums_[kept].sum() / self.length) if self.length else float("nan")
