"""What is known of one key: its detector, its calibrator, and which of its channels count."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from anomaly_detection.calibration import Calibrator, declustered
from anomaly_detection.detectors.series import SeriesScores, from_saved, saved
from anomaly_detection.drift import apart
from anomaly_detection.features.series.counters import differences, is_counter
from anomaly_detection.features.series.series import Series
from anomaly_detection.thresholds import choose_alpha

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.series.wishes import Wishes

RECENT = 2_000
"""So many values of each key are kept to make forecasts from."""

FIRST_SHARE = 0.5
"""So many of the training rows are fitted on and the rest scored row by row, forwards and backwards, to calibrate."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of one key.

    Parameters
    ----------
    detector : fitted; its state goes on in :meth:`advance`.
    calibrator : of scores of rows that came after those fitted on.
    counters : (d,) bool, channels of which what was added is judged.
    before : (d,) the last value of each channel, NaN if none; goes on, too.
    history : the training rows as the detector sees them, where it looks at whole files; else None.
    every : how far apart rows of training were not related any more; not saved.
    recent : the latest rows as users gave them, at most :data:`RECENT` values, to make forecasts from.
    """

    detector: SeriesDetector
    calibrator: Calibrator
    counters: NDArray[np.bool_]
    before: NDArray[np.float64]
    history: Series | None = None
    every: int = 1
    recent: Series | None = None

    @property
    def promises(self) -> bool:
        """Whether its p-values are a promise about rows that follow."""
        return self.detector.tags.causal and not self.detector.tags.decides

    def twin(self) -> Model:
        """A copy that goes on by itself."""
        return replace(self, detector=self.detector.twin(), before=self.before.copy())

    def restarted(self) -> Model:
        """The same with no value before: for rows that do not follow those learned from. Called on a copy."""
        self.detector.interrupted()
        return replace(self, before=np.full_like(self.before, np.nan))

    def seen(self, series: Series) -> Series:
        """The rows as the detector sees them: counters as what was added. They are the last ones from now on."""
        return _seen(series, self.counters, self.before)

    def advance(self, seen: Series, line: float) -> SeriesScores:
        """Scores of the rows that follow, which are then part of the state."""
        if self.detector.tags.causal:
            return self.detector.advance(seen, line)
        history = seen[:0] if self.history is None else self.history
        return self.detector.score_whole(seen.after(history))[len(history) :]

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        spec, arrays = saved(self.detector)
        found = {f"detector/{name}": array for name, array in arrays.items()}
        found |= {f"calibrator/{name}": array for name, array in self.calibrator.state().items()}
        found |= {"counters": self.counters, "before": self.before.copy()}
        if self.recent is not None:
            found |= {"recent/values": self.recent.values, "recent/time": self.recent.time}
        if self.history is not None:
            found |= {"history/values": self.history.values, "history/time": self.history.time}
        return {"detector": spec, "calibrator": self.calibrator.parameters()}, found

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """The inverse of :meth:`state`."""
        detector = from_saved(spec["detector"], under("detector/", arrays))
        calibrator = Calibrator(**spec["calibrator"]).restore(under("calibrator/", arrays))
        history, recent = (_kept(under(f"{name}/", arrays), detector) for name in ("history", "recent"))
        before = np.array(arrays["before"])
        return cls(detector, calibrator, arrays["counters"], before, history, recent=recent)


def learned(
    template: SeriesDetector, series: Series, wishes: Wishes, wish: float | str, *, tail: bool
) -> tuple[Model, NDArray[np.float64]]:
    """Fit on a series; score the second half of it by a detector fitted on the first, and the first by the second.

    Parameters
    ----------
    template : an unfitted detector.
    series : the training rows of one key, as many as the detector needs.
    wishes : rows that are not looked at count as having the lowest score.
    wish : α, or how to choose it.
    tail : as in :class:`~anomaly_detection.calibration.Calibrator`.

    Returns
    -------
    The model, with a calibrator that is not fitted where there were no scores; and those scores, one for each cluster.
    """
    as_they_are = template.tags.decides and not template.tags.causal
    seen, counters, before = as_seen(series, as_they_are=as_they_are)
    history = None if template.tags.causal else seen
    calibrator = Calibrator(tail=tail)
    sample, every = _calibrated(calibrator, _Halves.of(template, seen), wishes, wish)
    detector = template.clone().fit(seen)
    return Model(detector, calibrator, counters, before, history, every, latest(series)), sample


def latest(series: Series) -> Series:
    """The last rows, of which there are at most :data:`RECENT` values."""
    last = series[max(len(series) - max(RECENT // series.width, 1), 0) :]
    return replace(last, values=last.values.copy(), time=last.time.copy())


def as_seen(series: Series, *, as_they_are: bool = False) -> tuple[Series, NDArray[np.bool_], NDArray[np.float64]]:
    """Training rows as a detector sees them, which channels count, and the last value of each of these.

    Parameters
    ----------
    series : the training rows of one key.
    as_they_are : leave counters as they are.
    """
    counters = np.array([not as_they_are and counts(column) for column in series.values.T], dtype=np.bool_)
    before = np.full(series.width, np.nan)
    return _seen(series, counters, before), counters, before


def calibration_sample(scores: SeriesScores, wishes: Wishes) -> NDArray[np.float64]:
    """The scores that there are; rows on the side that is not looked at count as having the lowest."""
    said = ~np.isnan(scores.score)
    if not said.any():
        return np.empty(0)
    lowest = float(scores.score[said].min())
    sample: NDArray[np.float64] = np.where(wishes.looked_at(scores), scores.score, lowest)[said]
    return sample


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin like this, without that beginning."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


class _Halves(NamedTuple):
    """Detectors fitted on one half of the rows each, and the other half: the second one, and with time reversed.

    So every row counts, which halves the variance of the alarm line, and each half follows the other without a seam.
    """

    pairs: list[tuple[SeriesDetector, Series]]

    @classmethod
    def of(cls, template: SeriesDetector, seen: Series) -> _Halves:
        """Detectors that look at whole files have one half: all rows."""
        if not template.tags.causal:
            return cls([(template.clone(), seen)])
        first = max(template.fewest_rows, int(len(seen) * FIRST_SHARE))
        ways = (seen, seen.backwards()) if len(seen) > first else ()
        return cls([(template.clone().fit(way[:first]), way[first:]) for way in ways])

    def scores(self, wishes: Wishes, line: float = math.inf) -> list[NDArray[np.float64]]:
        """Scores of the rows that were not fitted on, of each half in order; a row above the line is not learned."""
        scores = [
            detector.score(rows, line) if detector.tags.causal else detector.score_whole(rows)
            for detector, rows in self.pairs
        ]
        return [calibration_sample(one, wishes) for one in scores]


def _calibrated(
    calibrator: Calibrator, halves: _Halves, wishes: Wishes, wish: float | str
) -> tuple[NDArray[np.float64], int]:
    """The calibration scores, one for each cluster, and how far apart rows are not related; the calibrator is fitted.

    It is done twice. Rows above the line are not learned from, which makes the scores of others higher: the second
    time, those are kept out that are above the line that the first time gave.
    """
    scores = halves.scores(wishes)
    sample = declustered(scores)
    if not len(sample):
        return sample, 1
    calibrator.fit(sample)
    line = calibrator.line(wish if isinstance(wish, float) else choose_alpha(wish, calibrator, sample))
    if halves.pairs[0][0].tags.causal and line < math.inf:
        scores = halves.scores(wishes, line)
        sample = declustered(scores)
        calibrator.fit(sample)
    return sample, apart(scores[0])


def _seen(series: Series, counters: NDArray[np.bool_], before: NDArray[np.float64]) -> Series:
    if not counters.any():
        return series
    values = series.values.copy()
    last = before[counters]
    values[:, counters] = differences(values[:, counters], last)
    before[counters] = last
    return series.with_values(values)


def counts(values: NDArray[np.float64]) -> bool:
    """Whether a channel is a counter, of which what was added is judged."""
    return is_counter(values[~np.isnan(values)])


def _kept(arrays: Mapping[str, NDArray[Any]], detector: SeriesDetector) -> Series | None:
    """Rows that were saved; None if there are none."""
    if not arrays:
        return None
    return Series(arrays["values"], arrays["time"], detector.step_, detector.names_, detector.zone_)
