"""Gap: rows and values that did not come, against the pauses that there were in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.features.series.axis import GAP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

KEPT = 1_000
"""So many pauses of each channel are kept, evenly chosen among those of training in order, the longest included."""

NEVER = np.iinfo(np.int64).min
"""The time of the last value where there was none."""


class Gap(SeriesDetector):
    """How improbable it is that nothing came for so long: rows that are missing, and values that are.

    The pause of a row is the time since the last value of a channel, in steps: 1 where values come row by row. It is
    told by the first row after a gap, and by rows whose value is missing while they last. Its score is the surprise
    ``-ln P(a pause is as long)`` by the pauses of training, and beyond the longest of these by a tail that falls with
    its length: twice as long, half as probable. So nights and weekends without rows are no gaps, where training has
    them, and a channel without a value in training may stay so. Nothing is learned later on. Of several channels, the
    one with the most improbable pause counts.

    Attributes
    ----------
    pauses_ : (k, d) float64, the pauses in training in steps, in order, at most 1,000 of each channel.
    weight_ : (d,) float64, of how many pauses each channel has these.
    latest_ : (d,) int64, the time of the last value of each channel, in microseconds since 1970.

    References
    ----------
    Cox: Renewal Theory. Methuen 1962.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.random.default_rng(0).normal(size=300)
    >>> values[250:260] = np.nan
    >>> scores = Gap().fit(Series.of(values[:200])).advance(Series.of(values)[200:])
    >>> int(np.argmax(scores.score)), str(scores.why[60])
    (60, 'v0: no value for 11 steps; the longest pause so far was 1')
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ("pauses_", "weight_", "latest_")
    moving: ClassVar[tuple[str, ...]] = ("latest_",)

    pauses_: NDArray[np.float64]
    weight_: NDArray[np.float64]
    latest_: NDArray[np.int64]

    def evidence(self) -> dict[str, Any]:
        """The longest pause of each channel in training, in steps."""
        return {"longest_pause": dict(zip(self.names_, self.pauses_[-1].tolist(), strict=True))}

    def _fit(self, series: Series) -> None:
        self.latest_ = np.full(series.width, NEVER)
        pauses = self._pauses(series)
        known = ~np.isnan(series.values)
        columns = [pauses[known[:, k], k] for k in range(series.width)]
        kept = min(KEPT, len(series))
        self.pauses_ = np.column_stack([_chosen(column, kept, len(series)) for column in columns])
        self.weight_ = np.array([max(len(column), 1) for column in columns], dtype=np.float64)

    def interrupted(self) -> None:
        """The rows that come do not follow the last one: there is no pause before the first of them."""
        self.latest_ = np.full_like(self.latest_, NEVER)

    def _advance(self, series: Series, line: float) -> SeriesScores:  # noqa: ARG002  nothing is learned from any row
        pauses = self._pauses(series)
        each = np.column_stack([self._surprise(pauses[:, k], k) for k in range(series.width)])
        best = each.argmax(axis=1) if len(each) else np.empty(0, np.int64)
        return SeriesScores(each.max(axis=1), contributions=each, why=self._words(pauses, best))

    def _pauses(self, series: Series) -> NDArray[np.float64]:
        """(n, d) the time from the value before each row to the row, in steps; the latest move on."""
        if not len(series):
            return np.empty(series.values.shape)
        before = np.where(self.latest_ == NEVER, series.time[0] - self.step_, self.latest_)
        times = np.where(np.isnan(series.values), before, series.time[:, None])
        latest = np.maximum.accumulate(np.concatenate([before[None], times]), axis=0)
        self.latest_ = latest[-1]
        pauses: NDArray[np.float64] = (series.time[:, None] - latest[:-1]) / self.step_
        return pauses

    def _surprise(self, pauses: NDArray[np.float64], k: int) -> NDArray[np.float64]:
        """(n,) how improbable pauses of channel k are, 0 for the shortest."""
        known = self.pauses_[:, k]
        longer = len(known) - np.searchsorted(known, pauses * (1.0 - 1e-9), side="left")
        share = (longer / len(known) * self.weight_[k] + 1.0) / (self.weight_[k] + 1.0)
        beyond = np.maximum(pauses / max(known[-1], 1.0), 1.0)
        surprise: NDArray[np.float64] = np.log(beyond) - np.log(share)
        return surprise

    def _words(self, pauses: NDArray[np.float64], best: NDArray[np.int64]) -> NDArray[np.str_]:
        words = [""] * len(pauses)
        longest = pauses[np.arange(len(best)), best]
        for i in np.flatnonzero(longest > GAP).tolist():
            usual = self.pauses_[-1, best[i]]
            name = self.names_[int(best[i])]
            words[i] = f"{name}: no value for {longest[i]:.4g} steps; the longest pause so far was {usual:.4g}"
        return np.array(words, dtype=np.str_)

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (None, d), "pauses_")
        self._require_shapes(np.float64, (d,), "weight_")
        self._require_shapes(np.int64, (d,), "latest_")
        self._require(len(self.pauses_) > 0, (self.weight_ > 0.0).all())
        self._require(not np.isnan(self.pauses_).any(), (np.diff(self.pauses_, axis=0) >= 0.0).all())


def _chosen(pauses: NDArray[np.float64], kept: int, rows: int) -> NDArray[np.float64]:
    """(kept,) of pauses in order, the longest last; where there are none, as long as all rows."""
    if not len(pauses):
        return np.full(kept, float(rows))
    ordered = np.sort(pauses)
    return ordered[np.linspace(0, len(ordered) - 1, kept).round().astype(np.int64)]
