"""Windows of a whole file: how far each is from the nearest before or after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series._chart import charted
from anomaly_detection.detectors.series._surprise import surprises, usual_distance
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.detectors.series.windows import ENOUGH, TIMES, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

NEWS_FROM = 5
"""Rows of the first fifth, and of as many lengths, have too few stretches before them to be news."""


class WholeWindows(SeriesDetector):
    """Nearest windows of a file, earlier and later: is anything like the rows around this one anywhere else?

    As :class:`~anomaly_detection.detectors.series.windows.Windows`, with three differences: stretches are compared with
    all others, and once more with those before them, so that what happens twice is news the first time, and the larger
    surprise counts; what is usual is told by rows of the file itself; and a row has, at each length, the largest
    surprise of the stretches that have it in their middle half. Expected values come from a control chart beside it.

    Parameters
    ----------
    longest : rows of the longest stretch.
    memory : rows back and ahead that stretches are compared with.
    span : the memory of the control chart, in rows.
    period : rows of its season; 1 for none.

    Attributes
    ----------
    rows_ : (1,) int64, how many rows it was fitted on; nothing else is learned.

    References
    ----------
    Yeh et al.: Matrix Profile I. ICDM 2016 (discords are the stretches farthest from their nearest neighbour).

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) / 4) + np.random.default_rng(0).normal(0.0, 0.1, size=600)
    >>> values[300:310] = 0.0
    >>> int(np.argmax(WholeWindows().score_whole(Series.of(values)).score)) in range(295, 316)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags(causal=False, multivariate=False, expects=True)
    learned: ClassVar[tuple[str, ...]] = ("rows_",)
    fewest_rows: ClassVar[int] = Windows.fewest_rows
    constraints: ClassVar[Mapping[str, Constraint]] = {
        **{name: Windows.constraints[name] for name in ("longest", "memory")},
        **EWMA.constraints,
        "period": Range(1, 100_000, integer=True),
    }
    instead: ClassVar[str] = "windows"

    rows_: NDArray[np.int64]

    def __init__(self, longest: int = 128, memory: int = 20_000, span: float = 100.0, period: int = 1) -> None:
        self.longest = longest
        self.memory = memory
        self.span = span
        self.period = period

    def score_whole(self, series: Series) -> SeriesScores:
        """Score each row by the windows around it; NaN where its value is missing, or in a file that is too short."""
        windows = Windows(self.longest, min(self.memory, max(len(series), 100)))
        to_all, to_earlier = windows.nearest(series)
        lengths = [one for one in windows.lengths.tolist() if TIMES * one <= len(series)]
        score = np.fmax(_surprise(to_all, lengths), _surprise(to_earlier, lengths, news=True))
        score[np.isnan(series.values[:, 0])] = np.nan
        return charted(series, score, self.span, self.period)

    def evidence(self) -> dict[str, Any]:
        """How far back and ahead it looks, and the season of what it expects."""
        return {"memory": self.memory, "period": self.period}

    def _fit(self, series: Series) -> None:
        self.rows_ = np.array([len(series)])

    def _restored(self) -> None:
        self._require_shapes(np.int64, (1,), "rows_")


def _surprise(nearest: NDArray[np.float64], lengths: list[int], *, news: bool = False) -> NDArray[np.float64]:
    """(n,) root mean square of the surprises around each row.

    Parameters
    ----------
    nearest : (w, 2, n) distances of the stretches that end at each row; the first lengths are used.
    news : they are distances to earlier stretches, which are few at the beginning.
    """
    n = nearest.shape[2]
    squares, used = np.zeros(n), 0
    for length, pair in zip(lengths, nearest, strict=False):
        for distances in pair:
            usual = usual_distance(distances[n // 2 if news else 0 :], 1.0, ENOUGH)
            if usual[1] > 0.0:
                surprise = np.nan_to_num(surprises(distances, usual))
                if news:
                    surprise[: NEWS_FROM * max(length, n // NEWS_FROM**2)] = 0.0
                squares += _around(surprise, length) ** 2
                used += 1
    return np.sqrt(squares / used) if used else np.full(n, np.nan)


def _around(ends: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The largest value of the stretches, given where they end, that have a row in their middle half."""
    half, quarter = length // 2, length // 4
    centred = np.concatenate([ends[half:], np.zeros(half)])
    padded = np.concatenate([np.zeros(quarter), centred, np.zeros(max(half - 1 - quarter, 0))])
    most: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(padded, max(half, 1)).max(axis=1)
    return most[: len(ends)]
