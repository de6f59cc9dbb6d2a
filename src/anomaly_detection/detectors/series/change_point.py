"""Change points of a whole file, each named: level, trend, variance or season."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.features.series.change_points import KINDS, ChangePoint, find_change_points

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

FIELDS = 6


class ChangePoints(SeriesDetector):
    """The rows from which on a series has another level, trend, variance or season.

    The whole series is cut into stretches by an information criterion; see
    :mod:`anomaly_detection.features.series.change_points`, which has the method and its sources. The score of the first
    row of a stretch is how sure the change is, from 0.5 to 1; that of every other row is 0. So there is nothing to
    calibrate: each row that scores above 0 is a change point. Spikes of three rows and fewer are none.

    Attributes
    ----------
    changes_ : (k, 6) float64, the changes of the series that it was fitted on: row, kind (its place in ``KINDS``),
        channel, before, after, sure.

    References
    ----------
    Zhang and Siegmund: A Modified Bayes Information Criterion. Biometrics 63(1), 2007.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(20.0, 1.0, size=300)
    >>> values[180:] += 6.0
    >>> detector = ChangePoints().fit(Series.of(values))
    >>> np.flatnonzero(detector.score_whole(Series.of(values)).score), detector.evidence()["change_points"][0]["kind"]
    (array([180]), 'level')
    """

    tags: ClassVar[SeriesTags] = SeriesTags(causal=False, decides=True)
    learned: ClassVar[tuple[str, ...]] = ("changes_",)

    changes_: NDArray[np.float64]

    def _fit(self, series: Series) -> None:
        kinds = list(KINDS)
        found = find_change_points(series.values)
        rows = [(one.row, kinds.index(one.kind), one.channel, one.before, one.after, one.sure) for one in found]
        self.changes_ = np.array(rows, dtype=np.float64).reshape(-1, FIELDS)

    def score_whole(self, series: Series) -> SeriesScores:
        """How sure a change is at each row, 0 where there is none; which channel changed, and whether it rose."""
        score, side = np.zeros(len(series)), np.zeros(len(series), np.int8)
        contributions, why = np.zeros(series.values.shape), [""] * len(series)
        for change in find_change_points(series.values):
            score[change.row] = contributions[change.row, change.channel] = change.sure
            side[change.row] = np.sign(change.size)
            why[change.row] = change.words(series.names[change.channel])
        return SeriesScores(score, contributions=contributions, side=side, why=np.array(why, dtype=np.str_))

    def changes(self) -> list[ChangePoint]:
        """The changes of the series that it was fitted on, in order of row."""
        kinds = list(KINDS)
        return [
            ChangePoint(int(row), kinds[int(kind)], int(channel), before, after, sure)
            for row, kind, channel, before, after, sure in self.changes_.tolist()
        ]

    def evidence(self) -> dict[str, Any]:
        """The changes as plain values: row, column, kind, before, after, size, and how sure."""
        return {"change_points": [{**one.to_dict(), "column": self.names_[one.channel]} for one in self.changes()]}

    def _restored(self) -> None:
        self._require_shapes(np.float64, (None, FIELDS), "changes_")
        whole, most = self.changes_[:, :3], [np.inf, len(KINDS) - 1, len(self.names_) - 1]
        self._require((whole == np.floor(whole)).all(), (whole >= 0.0).all(), (whole <= most).all())
