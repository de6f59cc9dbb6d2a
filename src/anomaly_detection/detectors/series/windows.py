"""Windows: how far the latest rows are from every stretch of rows before them, at several lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._surprise import UNUSED, usual_distance
from anomaly_detection.detectors.series._window_kernels import advance_windows, squares_of
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

FINE = 2.0**17
"""So many steps are between the middle and a far value; values become whole numbers of them."""

WIDEST = 2.0**21
"""Values farther out than so many steps are moved there; sums of 512 squares are still exact."""

FAR = 4.0
"""A far value is at most so many times the 99 % quantile away from the middle."""

TIMES = 3
"""A length is used if the training rows are so many times as long."""

ENOUGH = 16
"""A length is used if so many training rows have distances."""


class Windows(SeriesDetector):
    """Nearest earlier windows: has anything like the last rows been seen before?

    The rows up to the one that is judged are held against every stretch of as many rows before, with which they do not
    overlap: those learned from in training and those seen since. It is done at the lengths 2, 4, 8 up to ``longest``,
    with values as they are and less the mean of the stretch; short lengths see spikes, long ones a season that breaks.
    Each distance to the nearest becomes a surprise (-ln p), by an exponential tail that is put to the distances among
    training rows; the score is the root mean square of the surprises.

    Stretches with a row above the line are not compared with. Once as many rows in a row as ``longest`` are above it,
    those that follow are: it is what is normal now. A missing value counts as the last one before it.

    Parameters
    ----------
    longest : rows of the longest stretch.
    memory : rows back that stretches are compared with; the time per row and the state are proportional to it.
    release : so many rows later, and more than ``longest``, rows above the line are compared with, too.

    Attributes
    ----------
    usual_ : (w, 2, 2) float64, quantile and scale of the distances among training rows: lengths, with and without
        mean.
    grid_ : (2,) middle of the training values, and the step values are rounded to.
    past_ : (memory + longest,) rounded values in steps, the latest first.
    barred_ : (memory + longest,) uint8, marks of these rows: 1 above the line and not learned from, 2 above it and
        learned from, 4 does not follow those before it.
    seen_ : (1,) int64, how many of them are real.
    begins_ : (1,) bool, whether the next row does not follow them.

    References
    ----------
    Yeh et al.: Matrix Profile I. ICDM 2016 (discords are the stretches farthest from their nearest neighbour).

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) / 4) + np.random.default_rng(0).normal(0.0, 0.1, size=600)
    >>> values[500:510] = 0.0
    >>> scores = Windows().fit(Series.of(values[:400])).advance(Series.of(values)[400:]).score
    >>> bool(100 <= np.argmax(scores) < 120)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags(multivariate=False)
    learned: ClassVar[tuple[str, ...]] = ("usual_", "grid_", "past_", "barred_", "seen_", "begins_")
    moving: ClassVar[tuple[str, ...]] = ("past_", "barred_", "seen_", "begins_")
    fewest_rows: ClassVar[int] = 20
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "longest": Range(4, 512),
        "memory": Range(100, 1_000_000),
        "release": Range(1, 1e9, integer=True),
    }

    usual_: NDArray[np.float64]
    grid_: NDArray[np.float64]
    past_: NDArray[np.float64]
    barred_: NDArray[np.uint8]
    seen_: NDArray[np.int64]
    begins_: NDArray[np.bool_]
    squares_: NDArray[np.float64]

    def __init__(self, longest: int = 128, memory: int = 20_000, release: int = 1_000) -> None:
        self.longest = longest
        self.memory = memory
        self.release = release

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of the stretches that are compared."""
        doubled = [2**power for power in range(1, 10) if 2**power < self.longest]
        return np.array([*doubled, self.longest], dtype=np.int64)

    def evidence(self) -> dict[str, Any]:
        """The lengths that are used: those that the training rows are three times as long as."""
        used = self.usual_[:, 0, 1] > 0.0
        return {"lengths": self.lengths[used].tolist(), "memory": self.memory}

    def nearest(self, series: Series) -> NDArray[np.float64]:
        """(2, w, 2, n) distances of stretches, by their last rows, to the nearest of all, and of those before them.

        NaN where there is none. It forgets what was learned.
        """
        self.grid_ = _grid(series.values[:, 0])
        self.usual_ = np.tile(UNUSED, (len(self.lengths), 2, 1))
        self._forget()
        rows = self._rounded(series.values[:, 0])
        before, ahead = self._to_earlier(rows), self._to_earlier(rows[::-1])
        found = before.copy()
        for k, length in enumerate(self.lengths.tolist()):
            whole = max(len(rows) - length + 1, 0)
            found[k, :, length - 1 :] = np.fmin(found[k, :, length - 1 :], ahead[k, :, ::-1][:, :whole])
        return np.stack([found, before])

    def _fit(self, series: Series) -> None:
        for k, pair in enumerate(self.nearest(series)[0]):
            if TIMES * self.lengths[k] <= len(series):
                self.usual_[k] = [usual_distance(distances, 1.0, ENOUGH) for distances in pair]
        self._take(self._rounded(series.values[:, 0]), np.inf)

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: no stretch holds both."""
        self.begins_ = np.ones(1, np.bool_)

    def _advance(self, series: Series, line: float) -> SeriesScores:
        values = series.values[:, 0]
        nearest, score = self._take(self._rounded(values), line)
        return SeriesScores(np.where(np.isnan(values), np.nan, score), length=self._farthest(nearest))

    def _farthest(self, nearest: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) the length at which rows are most surprising, given their distances, (w, 2, n)."""
        start, scale = np.moveaxis(self.usual_, 2, 0)[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.where(scale > 0.0, (nearest - start) / scale, np.nan)
        found: NDArray[np.int64] = self.lengths[np.nan_to_num(away, nan=-np.inf).max(axis=1).argmax(axis=0)]
        return found

    def _take(self, rows: NDArray[np.float64], line: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distances, (w, 2, n), and scores of rows, which are then part of the past."""
        n, kept = len(rows), len(self.past_)
        past = np.concatenate([rows[::-1], self.past_])
        barred = np.concatenate([np.zeros(n, np.uint8), self.barred_])
        nearest, score = np.empty((len(self.lengths), 2, n)), np.empty(n)
        seen = int(self.seen_[0])
        begins, release = bool(self.begins_[0]), max(self.release, self.longest + 1)
        advance_windows(
            past, barred, self.lengths, seen, self.squares_, self.usual_, line, begins, release, nearest, score
        )
        self.begins_ = np.array([begins and not n])
        self.past_, self.barred_ = past[:kept].copy(), barred[:kept].copy()
        self.seen_ = np.array([min(seen + n, kept)])
        return nearest, score

    def _to_earlier(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """The distances of rows to what was before each of them, (w, 2, n); nothing stays learned."""
        nearest, _ = self._take(rows, np.inf)
        self._forget()
        return nearest

    def _forget(self) -> None:
        kept = self.memory + self.longest
        self.past_, self.barred_, self.seen_ = np.zeros(kept), np.zeros(kept, np.uint8), np.zeros(1, np.int64)
        self.squares_, self.begins_ = np.zeros((len(self.lengths), self.memory)), np.zeros(1, np.bool_)

    def _rounded(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values as whole numbers of steps from the middle; missing ones as the last before."""
        middle, step = self.grid_
        rows = np.concatenate([self.past_[:1], np.clip(np.rint((values - middle) / step), -WIDEST, WIDEST)])
        known = np.maximum.accumulate(np.where(np.isnan(rows), 0, np.arange(len(rows))))
        return rows[known][1:]

    def _restored(self) -> None:
        kept = self.memory + self.longest
        self._require_shapes(np.float64, (len(self.lengths), 2, 2), "usual_")
        self._require_shapes(np.float64, (2,), "grid_")
        self._require_shapes(np.float64, (kept,), "past_")
        self._require_shapes(np.uint8, (kept,), "barred_")
        self._require_shapes(np.int64, (1,), "seen_")
        self._require_shapes(np.bool_, (1,), "begins_")
        whole = bool((np.rint(self.past_) == self.past_).all() and (np.abs(self.past_) <= WIDEST).all())
        self._require(whole, 0 <= self.seen_[0] <= kept, self.grid_[1] > 0.0)
        self.squares_ = np.zeros((len(self.lengths), self.memory))
        squares_of(self.past_, self.lengths, int(self.seen_[0]), self.squares_)


def _grid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The middle of the values, and a step of which a far value is ``FINE`` away."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.array([0.0, 1.0 / FINE])
    middle = float(np.median(known))
    away = np.abs(known - middle)
    far = min(float(away.max()), FAR * float(np.quantile(away, 0.99))) or float(away.max())
    return np.array([middle, (far or max(abs(middle), 1.0)) / FINE])
