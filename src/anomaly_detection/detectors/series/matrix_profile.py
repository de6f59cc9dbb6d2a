"""The matrix profile as detectors: of a whole file, and causal, of each window against those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Range
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.features.series._undisturbed import season_length, without_gaps
from anomaly_detection.features.series.matrix_profile import FEWEST_IN_WINDOW, exclusion, matrix_profile
from anomaly_detection.features.series.row_profile import RowProfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

USUAL_WINDOW = 50
"""Rows of a window where the series has no season."""

FEWEST_WINDOWS = 8
"""A series has room for so many windows at least, or they are made shorter."""

MISSING = 0.25
"""A window that lacks more than this share of its values is compared with none."""

WINDOW: Constraint = AnyOf(Choice("auto"), Range(FEWEST_IN_WINDOW, 100_000, integer=True))


def window_for(values: NDArray[np.float64], window: int | str) -> int:
    """The rows of a window: as given, or a season of the (n,) values, or 50; an eighth of the rows at most."""
    if not isinstance(window, str):
        return int(window)
    season = season_length(without_gaps(values))
    return max(FEWEST_IN_WINDOW, min(season or USUAL_WINDOW, len(values) // FEWEST_WINDOWS))


class MatrixProfileDetector(SeriesDetector):
    """Windows unlike any other of the file (discords), by the matrix profile.

    The score of a row is ``sqrt(1 - r)``, r being the correlation of the window around it with the one most like it, so
    it lies from 0, seen elsewhere in the same shape, to 1.41. Level and scale of a window do not count. Of several
    channels, the one that is farthest out counts. A window without a quarter of its values or more is not judged; fewer
    are put on a line between their neighbours.

    Parameters
    ----------
    window : rows of a window, at least 3; ``"auto"`` is the length of the season, or 50 where there is none.

    Attributes
    ----------
    window_ : (d,) int64, the rows of a window in each channel, as chosen from the rows that it was fitted on.

    References
    ----------
    Yeh et al.: Matrix Profile I: All Pairs Similarity Joins for Time Series. ICDM 2016.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) * 2 * np.pi / 24) + np.random.default_rng(0).normal(0.0, 0.05, size=600)
    >>> values[300:312] = values[300]
    >>> int(np.argmax(MatrixProfileDetector().score_whole(Series.of(values)).score)) in range(290, 322)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags(causal=False)
    learned: ClassVar[tuple[str, ...]] = ("window_",)
    constraints: ClassVar[Mapping[str, Constraint]] = {"window": WINDOW}
    instead: ClassVar[str] = "left_matrix_profile"

    window_: NDArray[np.int64]

    def __init__(self, window: int | str = "auto") -> None:
        self.window = window

    def _fit(self, series: Series) -> None:
        self.window_ = np.array([window_for(column, self.window) for column in series.values.T])

    def score_whole(self, series: Series) -> SeriesScores:
        """Score each row by the window around it; rows at the ends by the first and the last window."""
        each = np.column_stack([_around(column, window_for(column, self.window)) for column in series.values.T])
        highest: NDArray[np.float64] = np.fmax.reduce(each, axis=1)
        return SeriesScores(highest, contributions=np.nan_to_num(each))

    def evidence(self) -> dict[str, Any]:
        """How many rows a window has, in each channel."""
        return {"window": dict(zip(self.names_, self.window_.tolist(), strict=True))}

    def _restored(self) -> None:
        self._require_shapes(np.int64, (len(self.names_),), "window_")
        self._require((self.window_ >= FEWEST_IN_WINDOW).all())


def _around(values: NDArray[np.float64], m: int) -> NDArray[np.float64]:
    """(n,) the distance of the window around each row, from 0 to 1.41; NaN where that cannot be said."""
    if len(values) < m:
        return np.full(len(values), np.nan)
    distance: NDArray[np.float64] = matrix_profile(without_gaps(values), m).distance / np.sqrt(2.0 * m)
    distance[_lacking(values, m)[m - 1 :]] = np.nan
    around: NDArray[np.float64] = distance[np.clip(np.arange(len(values)) - m // 2, 0, len(distance) - 1)]
    return around


class LeftMatrixProfile(SeriesDetector):
    """Windows unlike any before them, by the left matrix profile; row by row, in bounded memory.

    The score of a row is ``sqrt(1 - r)``, r being the correlation of the window that ends there with the one most like
    it among those remembered. Level and scale of a window do not count. A missing value counts as the one before it; a
    window without a quarter of its values or more is not judged.

    Parameters
    ----------
    window : rows of a window, at least 3; ``"auto"`` is the length of the season in training, or 50 without one.
    remembered : how many windows are remembered; the time a row takes is in proportion to it.

    Attributes
    ----------
    window_ : (1,) int64, the rows of a window.
    clock_ : (2,) int64, values seen, and how many of the latest were equal.
    missing_ : (m,) whether each of the latest values was missing, value number i at i mod m.
    middle_ : (2,) float64, what values are held against: their median in training, and their range.
    points_, windows_, covariance_ : what is remembered; see
        :class:`~anomaly_detection.features.series.row_profile.RowProfile`.

    References
    ----------
    Yeh et al.: Matrix Profile I. ICDM 2016. Lu et al.: Matrix Profile XXIV: Scaling Time Series Anomaly Detection to
    Trillions of Datapoints and Ultra-fast Arriving Data Streams. KDD 2022.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) * 2 * np.pi / 24) + np.random.default_rng(0).normal(0.0, 0.05, size=600)
    >>> values[500:512] = values[500]
    >>> detector = LeftMatrixProfile().fit(Series.of(values[:400]))
    >>> int(np.argmax(detector.advance(Series.of(values)[400:]).score)) in range(100, 136)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags(multivariate=False)
    learned: ClassVar[tuple[str, ...]] = (
        "window_", "clock_", "missing_", "middle_", "points_", "windows_", "covariance_",
    )  # fmt: skip
    moving: ClassVar[tuple[str, ...]] = ("clock_", "missing_", "points_", "windows_", "covariance_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "window": WINDOW,
        "remembered": Range(100, 10_000_000, integer=True),
    }

    window_: NDArray[np.int64]
    clock_: NDArray[np.int64]
    missing_: NDArray[np.bool_]
    middle_: NDArray[np.float64]
    points_: NDArray[np.float64]
    windows_: NDArray[np.float64]
    covariance_: NDArray[np.float64]

    def __init__(self, window: int | str = "auto", remembered: int = 5_000) -> None:
        self.window = window
        self.remembered = remembered

    def _fit(self, series: Series) -> None:
        values = series.values[:, 0]
        m = window_for(values, self.window)
        known = values[np.isfinite(values)]
        centre = float(np.median(known)) if len(known) else 0.0
        reach = float(np.abs(known - centre).max(initial=0.0))
        self.window_, self.middle_ = np.array([m]), np.array([centre, reach if reach > 0.0 else 1.0])
        empty = RowProfile.empty(m, max(self.remembered, exclusion(m) + 2))
        self.points_, self.windows_, self.covariance_ = empty.points, empty.windows, empty.covariance
        self.clock_, self.missing_ = empty.clock, np.ones(m, np.bool_)
        self._advance(series, np.inf)

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: windows say nothing before three quarters of one came."""
        self.missing_ = np.ones_like(self.missing_)

    def _advance(self, series: Series, line: float) -> SeriesScores:
        values, seen = (series.values[:, 0] - self.middle_[0]) / self.middle_[1], int(self.clock_[0])
        m, missing = int(self.window_[0]), np.isnan(values)
        latest = self.points_[(seen - 1) % (len(self.points_) // 2)] if seen else 0.0
        before = self.missing_[np.arange(seen, seen + m) % m]
        lacking = _lacking(np.where(np.concatenate([before, missing]), np.nan, 0.0), m)[m:]
        memory = RowProfile(m, self.clock_, self.points_, self.windows_, self.covariance_)
        found, _ = memory.advance(_held(values, latest), ~lacking, line * line if line > 0.0 else line)
        self.missing_[np.arange(seen, seen + len(values))[-m:] % m] = missing[-m:]
        return SeriesScores(np.where(lacking, np.nan, np.sqrt(found)))

    def evidence(self) -> dict[str, Any]:
        """How many rows a window has."""
        return {"window": int(self.window_[0])}

    def _restored(self) -> None:
        self._require_shapes(np.int64, (1,), "window_")
        m, r = int(self.window_[0]), max(self.remembered, exclusion(max(int(self.window_[0]), 1)) + 2)
        self._require(m >= FEWEST_IN_WINDOW)
        self._require_shapes(np.int64, (2,), "clock_")
        self._require_shapes(np.bool_, (m,), "missing_")
        self._require_shapes(np.float64, (2,), "middle_")
        self._require_shapes(np.float64, (2 * (r + m),), "points_")
        self._require_shapes(np.float64, (5, 2 * r), "windows_")
        self._require_shapes(np.float64, (r + 1,), "covariance_")
        self._require((self.clock_ >= 0).all(), self.middle_[1] > 0.0, not np.isnan(self.points_).any())


def _lacking(values: NDArray[np.float64], m: int) -> NDArray[np.bool_]:
    """(n,) whether the last m values up to each lack more than a quarter; those before the first count as there."""
    total = np.concatenate([np.zeros(m, np.int64), np.cumsum(np.isnan(values))])
    more: NDArray[np.bool_] = total[m:] - total[:-m] > MISSING * m
    return more


def _held(values: NDArray[np.float64], latest: float) -> NDArray[np.float64]:
    """Missing values as the one before them."""
    known = np.concatenate([[True], ~np.isnan(values)])
    place = np.maximum.accumulate(np.where(known, np.arange(len(known)), 0))
    held: NDArray[np.float64] = np.concatenate([[latest], values])[place[1:]]
    return held
