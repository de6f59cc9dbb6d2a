"""Joint: several channels at once, how far a row is from where training rows lay, and how far it moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._ewma_kernels import advance_levels
from anomaly_detection.detectors.series._joint_kernels import advance_joint
from anomaly_detection.detectors.series._surprise import far_distance
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

FLAT = 1e-9
"""A standard deviation below this share of the largest value is rounding: the channel never varied."""

LEAST = 0.01
"""A direction in which training rows vary less than this, in squared scales, counts as varying so much."""

SLOW = 0.1
"""The level of a channel with a trend remembers such a share of the training rows, and a hundred at least."""

MOST_AWAY = 1e100
"""Values farther from the middle than so many scales are moved there, so that squares stay finite."""


class Joint(SeriesDetector):
    """Levels and changes of all channels: where a row lies, and how far it is from the row before.

    Each row has four distances. Its values are held against the mean and the covariance of the training rows
    (Mahalanobis), which sees channels that no longer go together; and channel by channel, as the power mean (3/2) of
    their standardised distances, which sees several small deviations and one large alike. The same is done with the
    changes since the row before. Each distance is divided by its 99 % quantile among training rows; the score is the
    root mean square of the four. A channel that never varied in training is ``unseen`` scales away when it differs.

    What is normal stays what it was in training: a long anomaly does not become normal. Channels that are followed are
    held against their level of late instead, which moves slowly with every row. A missing value counts as expected.

    Parameters
    ----------
    unseen : how many standard deviations a value counts in a channel that never varied.
    follow : the channel that is followed, or several, such as those with a trend.

    Attributes
    ----------
    frame_ : (4, d) float64, mean and scale of each channel and of its changes; scale 0 where it never varied.
    turn_ : (2, d, d) what makes directions of unit variance of scaled values and changes.
    usual_ : (4,) the 99 % quantile of each distance.
    last_ : (d,) the last known value of each channel.
    levels_ : (3, f) level, mean absolute deviation and values seen of the channels that are followed.
    slow_ : (1,) the memory of these levels, in rows.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> common = np.random.default_rng(0).normal(size=(400, 1))
    >>> values = common + 0.1 * np.random.default_rng(1).normal(size=(400, 3))
    >>> values[350] = 1.5, -1.5, 1.5
    >>> scores = Joint().fit(Series.of(values[:300])).advance(Series.of(values)[300:])
    >>> int(np.argmax(scores.score)), int(np.argmax(scores.contributions[50]))
    (50, 1)
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ("frame_", "turn_", "usual_", "last_", "levels_", "slow_")
    moving: ClassVar[tuple[str, ...]] = ("last_", "levels_")
    constraints: ClassVar[Mapping[str, Constraint]] = {"unseen": Range(0)}

    frame_: NDArray[np.float64]
    turn_: NDArray[np.float64]
    usual_: NDArray[np.float64]
    last_: NDArray[np.float64]
    levels_: NDArray[np.float64]
    slow_: NDArray[np.float64]

    def __init__(self, unseen: float = 30.0, follow: str | Sequence[str] = ()) -> None:
        self.unseen = unseen
        self.follow = follow

    def parameters(self) -> dict[str, Any]:
        """The parameters as they were given."""
        return {"unseen": self.unseen, "follow": names_of(self.follow)}

    def _fit(self, series: Series) -> None:
        self.slow_ = np.array([max(100.0, SLOW * len(series))])
        self._begin()
        values = self._levelled(series)
        self._begin()
        changes = values - _before(values)
        self.frame_ = np.concatenate([_standard(values), _standard(changes)])
        self.turn_ = np.stack([_whitening(values, self.frame_[:2]), _whitening(changes, self.frame_[2:])])
        self.usual_, self.last_ = np.ones(4), np.full(series.width, np.nan)
        distances, _ = self._distances(series)
        self.usual_ = np.array([far_distance(one) for one in distances.T])

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: the first of them has not changed."""
        self.last_ = np.full_like(self.last_, np.nan)

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  nothing is learned from any row
        distances, shares = self._distances(series)
        distances /= self.usual_
        score = np.sqrt((distances**2).mean(axis=1))
        score[np.isnan(series.values).all(axis=1)] = np.nan
        moved = distances[:, 2:].max(axis=1) > distances[:, :2].max(axis=1)
        return SeriesScores(score, contributions=shares, length=1 + moved.astype(np.int64))

    def _distances(self, series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n, 4) distances, and (n, d) distances of the channels; the rows are then the last ones."""
        n, d = series.values.shape
        levelled = self._levelled(series)
        reach = MOST_AWAY * np.where(self.frame_[1] > 0.0, self.frame_[1], 1.0)
        values = np.ascontiguousarray(np.clip(levelled, self.frame_[0] - reach, self.frame_[0] + reach))
        distances, shares = np.empty((n, 4)), np.empty((n, d))
        advance_joint(values, self.frame_, self.turn_, float(self.unseen), self.last_, distances, shares)
        return distances, shares

    def _begin(self) -> None:
        self.levels_ = np.zeros((3, len(self._followed)))

    @property
    def _followed(self) -> list[int]:
        return [k for k, name in enumerate(self.names_) if name in names_of(self.follow)]

    def _levelled(self, series: Series) -> NDArray[np.float64]:
        """(n, d) values, those of channels that are followed less their level of late; it moves on."""
        if not (followed := self._followed):
            return series.values
        n, wide = len(series), (len(series), len(followed))
        expected, unused = np.empty(wide), (np.empty(n), np.empty(wide), np.empty(wide), np.empty(n, np.int8))
        values = np.ascontiguousarray(series.values[:, followed])
        score, scale, distance, side = unused
        rows = values, self.levels_, np.zeros(1), float(self.slow_[0]), 1.0, np.inf
        advance_levels(*rows, score, expected, scale, distance, side)
        levelled = series.values.copy()
        levelled[:, followed] = values - np.where(np.isnan(expected), values, expected)
        return levelled

    def _restored(self) -> None:
        d = len(self.names_)
        for name, shape in (("frame_", (4, d)), ("turn_", (2, d, d)), ("usual_", (4,)), ("last_", (d,))):
            self._require_shapes(np.float64, shape, name)
        self._require_shapes(np.float64, (3, len(self._followed)), "levels_")
        self._require_shapes(np.float64, (1,), "slow_")
        self._require(not np.isnan(self.levels_).any(), self.slow_[0] >= 1.0)
        self._require(not np.isnan(self.frame_).any(), (self.frame_[1::2] >= 0.0).all(), (self.usual_ > 0.0).all())


def names_of(follow: str | Sequence[str]) -> list[str]:
    """A name, or several, as a list."""
    return [follow] if isinstance(follow, str) else list(follow)


def _before(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) the last known value of each channel before each row, NaN if none."""
    rows = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(rows, axis=0)[:-1]
    known = np.where(last < 0, np.nan, np.take_along_axis(values, np.maximum(last, 0), axis=0))
    return np.concatenate([np.full((1, values.shape[1]), np.nan), known])


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, d) mean and standard deviation of each channel; 0 for the latter where it never varied."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    rows = np.where(known, values, 0.0)
    mean = rows.sum(axis=0) / count
    largest = np.abs(rows).max(axis=0)
    scale = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / count)
    constant = scale <= FLAT * largest
    first = np.take_along_axis(rows, known.argmax(axis=0)[None], axis=0)[0]
    return np.stack([np.where(constant, first, mean), np.where(constant, 0.0, scale)])


def _whitening(values: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d, d) what turns scaled values into directions of unit variance; 0 for channels that never varied."""
    middle, scale = frame
    away = np.where(np.isnan(values) | (scale == 0.0), 0.0, (values - middle) / np.where(scale == 0.0, 1.0, scale))
    variances, directions = np.linalg.eigh(away.T @ away / len(away))
    turn = (directions / np.sqrt(np.maximum(variances, LEAST))).T * (scale > 0.0)
    return np.ascontiguousarray(turn, dtype=np.float64)
