"""Verdicts on the rows of a file without rows to train on: by their ranks, or within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.calibration import Ranks
from anomaly_detection.features.series.axis import Track, after_state
from anomaly_detection.series.flat import parts_of_charts
from anomaly_detection.series.judging import Gathered, Rule
from anomaly_detection.series.model import calibration_sample
from anomaly_detection.thresholds import choose_alpha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series import SeriesScores
    from anomaly_detection.features.series.clock import Clock
    from anomaly_detection.features.series.series import Series
    from anomaly_detection.series.budgets import Budgets
    from anomaly_detection.series.learning import Learned
    from anomaly_detection.series.model import Model
    from anomaly_detection.series.wishes import Wishes

WARM_UP = 0.25
"""So many of the rows are learned from to begin with."""

WARM_UP_ROWS = 30
"""So many at least, if there are."""

Part = tuple["NDArray[np.int64]", "Series", "SeriesScores", "NDArray[np.bool_]"]
"""Where rows stand in the input, as the detector saw them, what it says, and which channels count."""


def warm_up(track: Track) -> Track:
    """The rows that are learned from to begin with, with enough values among them."""
    values = np.flatnonzero(~np.isnan(track.series.values).all(axis=1))
    enough = values[WARM_UP_ROWS - 1] + 1 if len(values) >= WARM_UP_ROWS else len(track.series)
    return track[: max(enough, int(WARM_UP * len(track.series)))]


@dataclass(frozen=True, slots=True)
class OwnRows:
    """The rows of one file, whose first ones were learned from.

    Parameters
    ----------
    learned : of the first rows.
    wishes : what counts as an alarm.
    clock : how times are read.
    tail : whether a generalised-Pareto tail takes over beyond the ranks.
    """

    learned: Learned
    wishes: Wishes
    clock: Clock
    tail: bool

    def ranked(
        self, tracks: Sequence[Track], warm: Sequence[Track], shape: tuple[int, int], wish: float | str
    ) -> Gathered:
        """Verdicts on all rows; ranks are taken among the rows of a key, or of all keys with few.

        Parameters
        ----------
        tracks : all rows of each key.
        warm : those of them that were learned from.
        shape : how many rows and channels the input has.
        wish : alpha, or how it is chosen.
        """
        groups = self._groups(tracks, warm)
        ranked = {group: self._ranks(parts) for group, parts in groups.items()}
        samples = [(ranks, sample) for ranks, sample in ranked.values() if ranks is not None]
        alphas = [choose_alpha(wish, ranks, sample) for ranks, sample in samples]
        weights = [len(sample) for _, sample in samples]
        found = Gathered(
            *shape, float(np.average(alphas, weights=weights)) if alphas else self.learned.alpha, self.wishes
        )
        decides = any(model.detector.tags.decides for model in self.learned.models.values())
        for group, parts in groups.items():
            ranks, sample = ranked[group]
            if ranks is not None:
                rule = Rule.decided(found.alpha) if decides else Rule.among(ranks, sample, found.alpha)
                found.add_parts(parts, rule)
        return found

    def within(
        self, budgets: Budgets, tracks: Sequence[Track], warm: Sequence[Track], shape: tuple[int, int]
    ) -> Gathered:
        """Verdicts on all rows within a budget: p-values are those of the rows that were learned from."""
        found = Gathered(*shape, self.learned.alpha, self.wishes)
        for group, parts in self._groups(tracks, warm).items():
            found.add_parts(parts, Rule.by(self._model(group), self.learned.alpha))
        found.hold(budgets, tracks)
        return found

    def _model(self, group: str) -> Model:
        return self.learned.models.get(group) or self.learned.shared

    def _groups(self, tracks: Sequence[Track], warm: Sequence[Track]) -> dict[str, list[Part]]:
        """The rows of each key with a model of its own, and under the empty text those of all others."""
        groups: dict[str, list[Part]] = {}
        flat: list[tuple[Track, int]] = []
        for track, first in zip(tracks, warm, strict=True):
            own = track.key in self.learned.models
            if own or track.key in self.learned.sparse or track.series.width > 1:
                groups.setdefault(track.key if own else "", []).extend(self._parts(track, len(first.series)))
            else:
                flat.append((track, len(first.series)))
        if flat:
            shared = self.learned.shared
            said = parts_of_charts(self.learned.charts, flat, shared.calibrator.line(self.learned.alpha))
            groups.setdefault("", []).extend((*part, shared.counters) for part in said)
        return groups

    def _parts(self, track: Track, n: int) -> list[Part]:
        """The scores of the first n rows, which were learned from, and of those that follow."""
        model = self.learned.model(track.key, keep=False)
        again = model.twin().restarted()
        if not model.detector.tags.causal:
            seen = again.seen(track.series)
            return [(track.rows, seen, model.detector.score_whole(seen), model.counters)]
        own = again.seen(after_state(track.series[:n], again.detector.until_, self.clock))
        rest, line = model.seen(track.series[n:]), model.calibrator.line(self.learned.alpha)
        return [
            (track.rows[:n], own, again.advance(own, line), model.counters),
            (track.rows[n:], rest, model.advance(rest, line), model.counters),
        ]

    def _ranks(self, parts: list[Part]) -> tuple[Ranks | None, NDArray[np.float64]]:
        sample = np.concatenate([calibration_sample(scores, self.wishes) for _, _, scores, _ in parts])
        return (Ranks(sample, tail=self.tail) if len(sample) else None), sample
