"""Change points as they come: that the level or the scatter of a channel is another one, and since when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._run_kernels import GONE, KEPT, RUNS, START, WEIGHT, advance_runs
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.features.series._undisturbed import (
    long_run_variance,
    moving_mean,
    robust_scale,
    without_gaps,
)
from anomaly_detection.features.series.axis import on_grid
from anomaly_detection.features.series.periods import season_lengths
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

ROUNDS = 5
"""A season is taken out if the training rows go round it so often."""


class ChangePointsOnline(SeriesDetector):
    """Says at a row that the level or the scatter of a channel has changed some rows ago; each change once.

    For each channel it follows how probable it is that the present run began at each of the last rows, those that are
    improbable being forgotten (Bayesian online change point detection). Once it is 90 % probable that the told run is
    over, and the new one has four rows, the score of that row is this probability; that of every other row is 0. So
    there is nothing to calibrate. Spikes of three rows and fewer are no change: a value counts as at most four scales
    from the level. The season of the training rows is taken out, and where their noise goes on for some rows, a value
    counts as the part of an independent one that it is.

    Parameters
    ----------
    run : a level is expected to last so many rows; the shorter, the sooner a change is told, and the oftener wrongly.

    Attributes
    ----------
    periods_ : (d,) int64, rows of the season of each channel, 1 for none.
    shapes_ : (p, d) float64, what each place of the season adds.
    frame_ : (3, d) float64, median, scale, and what a value counts as.
    runs_ : (d, 6, 64) float64, the runs that are thought of: beginning, logarithmic weight, and a normal-gamma
        distribution of level and variance.
    told_ : (d, 2) float64, the first row of the run that is known, and how many rows there were.
    past_ : (d, 3, 128) float64, level and spread of that run after each of the latest rows, and their values.

    References
    ----------
    Adams and MacKay: Bayesian Online Changepoint Detection. arXiv:0710.3742, 2007. Fearnhead and Liu: On-line Inference
    for Multiple Changepoint Problems. JRSS B 69(4), 2007 (forgetting what is improbable).

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(20.0, 1.0, size=300)
    >>> values[250:] += 6.0
    >>> scores = ChangePointsOnline().fit(Series.of(values[:200])).advance(Series.of(values)[200:])
    >>> row = int(np.argmax(scores.score))
    >>> row, str(scores.why[row])
    (53, 'v0 changed its level from 19.99 to 26.08, 3 rows ago')
    """

    tags: ClassVar[SeriesTags] = SeriesTags(decides=True)
    learned: ClassVar[tuple[str, ...]] = ("periods_", "shapes_", "frame_", "runs_", "told_", "past_")
    moving: ClassVar[tuple[str, ...]] = ("runs_", "told_", "past_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"run": Range(2, 1e9)}

    periods_: NDArray[np.int64]
    shapes_: NDArray[np.float64]
    frame_: NDArray[np.float64]
    runs_: NDArray[np.float64]
    told_: NDArray[np.float64]
    past_: NDArray[np.float64]

    def __init__(self, run: float = 250.0) -> None:
        self.run = run

    def _fit(self, series: Series) -> None:
        d = series.width
        self._learn_seasons(series)
        self.frame_ = np.column_stack([_frame(values) for values in self._rest(series).T])
        self.told_, self.past_ = np.zeros((d, 2)), np.zeros((d, 3, KEPT))
        self.interrupted()
        self._advance(series, np.inf)

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: a new run begins with them."""
        self.runs_ = np.zeros((len(self.told_), 6, RUNS))
        self.runs_[:, START], self.runs_[:, WEIGHT] = -1.0, GONE
        self.told_[:, 0] = self.told_[:, 1]

    def _learn_seasons(self, series: Series) -> None:
        grid, _ = on_grid(series)
        first = int(series.time[0] // series.step)
        shapes = [_season(values, series.step, first) for values in grid.T]
        self.periods_ = np.array([len(shape) for shape in shapes])
        self.shapes_ = np.zeros((int(self.periods_.max()), series.width))
        for k, shape in enumerate(shapes):
            self.shapes_[: len(shape), k] = shape

    def _rest(self, series: Series) -> NDArray[np.float64]:
        """(n, d) values without the season."""
        places = (series.time[:, None] // self.step_) % self.periods_
        return series.values - np.take_along_axis(self.shapes_, places, axis=0)

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  a change that is told is learned
        n, d = series.values.shape
        found = np.zeros((n, d, 6))
        rest = (self._rest(series) - self.frame_[0]) / self.frame_[1]
        advance_runs(rest, self.frame_[2], 1.0 / self.run, self.runs_, self.told_, self.past_, found)
        score, side, why = np.zeros((n, d)), np.zeros((n, d), np.int8), np.full((n, d), "", dtype=object)
        for i, k in np.argwhere(found[:, :, 0]).tolist():
            score[i, k], (side[i, k], why[i, k]) = found[i, k, 0], self._told(found[i, k], k)
        best, rows = score.argmax(axis=1), np.arange(n)
        words = why[rows, best].astype(np.str_)
        return SeriesScores(score.max(axis=1), contributions=score, side=side[rows, best], why=words)

    def _told(self, found: NDArray[np.float64], k: int) -> tuple[int, str]:
        """Whether it rose, and what changed in words."""
        since, level, spread, new_level, new_spread = found[1:].tolist()
        away, wider = (new_level - level) / spread, math.log(new_spread / spread)
        middle, unit = self.frame_[:2, k].tolist()
        if away * away >= math.exp(2.0 * wider) - 1.0 - 2.0 * wider:  # twice what each adds to the likelihood
            what, before, after = "level", middle + unit * level, middle + unit * new_level
        else:
            what, before, after = "scatter", unit * spread, unit * new_spread
        ago = f"{counted(int(since), 'row')} ago"
        return (
            1 if after > before else -1,
            f"{self.names_[k]} changed its {what} from {before:.4g} to {after:.4g}, {ago}",
        )

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.int64, (d,), "periods_")
        self._require_shapes(np.float64, (None, d), "shapes_")
        self._require_shapes(np.float64, (3, d), "frame_")
        self._require_shapes(np.float64, (d, 6, RUNS), "runs_")
        self._require_shapes(np.float64, (d, 2), "told_")
        self._require_shapes(np.float64, (d, 3, KEPT), "past_")
        known = (self.frame_, self.shapes_, self.runs_, self.told_, self.past_[:, :2])
        self._require(not any(np.isnan(one).any() for one in known), (self.frame_[1:] > 0.0).all())
        self._require(((self.periods_ >= 1) & (self.periods_ <= len(self.shapes_))).all(), (self.told_ >= 0.0).all())


def _season(values: NDArray[np.float64], step: int, first: int) -> NDArray[np.float64]:
    """(p,) what each place of the season adds; one 0 where there is none."""
    lengths = [length for length, _ in season_lengths(values, step) if ROUNDS * length <= len(values)]
    if not lengths:
        return np.zeros(1)
    period = max(lengths)
    filled = without_gaps(values)
    rest = filled - moving_mean(filled, period)
    place = (first + np.arange(len(values))) % period
    shape = np.array([np.median(rest[place == one]) for one in range(period)])
    centred: NDArray[np.float64] = shape - shape.mean()
    return centred


def _frame(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Median and scale of known values, and what one of them counts as, next to an independent one."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 1.0, 1.0
    scale = robust_scale(known) or float(known.std()) or 1.0
    lasting = long_run_variance(known, max(1, round(math.cbrt(len(known)))))
    independent = long_run_variance(known, 1)
    return float(np.median(known)), scale, independent / lasting if independent > 0.0 else 1.0
