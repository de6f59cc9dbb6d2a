"""Scores of series to p-values, bands and reasons, and these to a result in the order of the input."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.series.explaining import MOST_SEEN, Explained, SeriesResult
from anomaly_detection.series.reasons import Told
from anomaly_detection.series.wishes import BEYOND
from anomaly_detection.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.calibration import Calibrator, Ranks
    from anomaly_detection.detectors.series import SeriesScores
    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.features.series.series import Series
    from anomaly_detection.series.budgets import Budgets
    from anomaly_detection.series.model import Model
    from anomaly_detection.series.wishes import Wishes


@dataclass(frozen=True, slots=True)
class Rule:
    """How scores become p-values.

    Parameters
    ----------
    p_value : (n,) scores to (n,) p-values.
    line : the largest score that is no alarm.
    neutral : the score of a row of which nothing can be said.
    lowest : the score of a row on the side that is not looked at.
    known : how many scores the p-values come from.
    """

    p_value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    line: float
    neutral: float
    lowest: float
    known: int

    @classmethod
    def of(cls, calibrator: Calibrator, alpha: float) -> Rule:
        """By scores of rows that were not learned from."""
        ordered = calibrator.ordered_
        middle, lowest = float(np.median(ordered)), float(ordered[0])
        return cls(calibrator.p_value, calibrator.line(alpha), middle, lowest, calibrator.n_)

    @classmethod
    def decided(cls, alpha: float) -> Rule:
        """By scores that say how sure an alarm is, from 0.5 to 1; 0 is none."""
        return cls(
            lambda scores: np.where(scores > 0.0, alpha * np.clip(2.0 - 2.0 * scores, BEYOND, 1.0), 1.0),
            0.0,
            0.0,
            0.0,
            1,
        )

    @classmethod
    def by(cls, model: Model, alpha: float) -> Rule:
        """As a model says it."""
        return cls.decided(alpha) if model.detector.tags.decides else cls.of(model.calibrator, alpha)

    @classmethod
    def among(cls, ranks: Ranks, sample: NDArray[np.float64], alpha: float) -> Rule:
        """By the ranks of the rows themselves."""
        fine = sample[ranks.p_value(sample, alpha) > alpha]
        return cls(
            lambda scores: ranks.p_value(scores, alpha),
            float(fine.max(initial=-np.inf)),
            float(np.median(sample)),
            float(sample.min()),
            len(sample),
        )


class Gathered:
    """Verdicts of many series, put where their rows stand in the input.

    Parameters
    ----------
    n, d : how many rows and channels there are.
    alpha : the p-value at and below which a row is an anomaly.
    wishes : what counts as an alarm.
    explain_all : keep what there is to say about all rows, not only about anomalies.
    """

    def __init__(self, n: int, d: int, alpha: float, wishes: Wishes, *, explain_all: bool = False) -> None:
        self.alpha = alpha
        self.wishes = wishes
        self.explain_all = explain_all
        self.budget_notes: list[str] = []
        self._names: tuple[str, ...] = ()
        self._score = np.zeros(n)
        self._p_value = np.ones(n)
        self._known = np.ones(n, dtype=np.int64)
        self._band = np.full((n, 3), np.nan)
        self._shares = np.zeros((n, d))
        self._forced = np.zeros(n, dtype=np.bool_)
        self._told: list[tuple[NDArray[np.int64], Told, float]] = []
        self._has_band = self._has_shares = False
        self._seen = np.full((n, d, 4), np.nan, np.float32) if n * d <= MOST_SEEN else None

    def add(
        self,
        rows: NDArray[np.int64],
        seen: Series,
        scores: SeriesScores,
        counters: NDArray[np.bool_],
        rule: Rule,
    ) -> None:
        """Judge rows of one series.

        Parameters
        ----------
        rows : (n,) where they stand in the input.
        seen : as the detector saw them.
        scores : what it says.
        counters : (d,) channels of which what was added is judged.
        rule : how scores become p-values.
        """
        if not len(rows):
            return
        self._score[rows] = np.where(np.isnan(scores.score), rule.neutral, scores.score)
        self._p_value[rows] = self._p_values(seen, scores, rule, self._score[rows])
        self._known[rows] = rule.known
        self._forced[rows] = self.wishes.beyond(seen.values).any(axis=1)
        told = Told(seen.names, seen.values, scores, rule.line, self.wishes, counters)
        edge = float(rule.p_value(np.array([rule.line]))[0]) if np.isfinite(rule.line) else 1.0
        self._told.append((rows, told, edge))
        self._describe(rows, told)
        self._names = seen.names

    def add_parts(
        self,
        parts: Iterable[tuple[NDArray[np.int64], Series, SeriesScores, NDArray[np.bool_]]],
        rule: Rule,
    ) -> None:
        """Judge rows of several series by one rule; see :meth:`add` for what a part is."""
        for rows, seen, scores, counters in parts:
            self.add(rows, seen, scores, counters, rule)

    @property
    def p_value(self) -> NDArray[np.float64]:
        """(n,) the p-values so far, in the order of the input."""
        return self._p_value

    def hold(self, budgets: Budgets, tracks: Sequence[Track]) -> None:
        """Spend a budget of alarms on the rows; values beyond a bound are alarms whatever is left of it.

        Parameters
        ----------
        budgets : its state goes on.
        tracks : where the rows of each key stand, in order of time.
        """
        before = budgets.counts()
        self._p_value = budgets.spend(tracks, np.where(self._forced, 0.0, self._p_value))
        self.budget_notes = [budgets.note(before)]

    def result(self) -> SeriesResult:
        """All verdicts, in the order of the input."""
        found = judge(self._score, self._p_value, self.alpha, self._known)
        bands = dict(zip(("expected", "lower", "upper"), self._band.T.copy(), strict=True)) if self._has_band else {}
        verdicts = {one.name: getattr(found, one.name) for one in fields(found)}
        verdicts |= {"reason": self._reasons(), **bands}
        verdicts |= {"contributions": self._shares if self._has_shares else None}
        explained = tuple(self._explanations())
        return SeriesResult(**verdicts, explained=explained, names=self._names, seen=self._seen)

    def _reasons(self) -> pl.Series:
        reasons: list[str | None] = [None] * len(self._p_value)
        for rows, told, _ in self._told:
            for i in np.flatnonzero(self._p_value[rows] <= self.alpha).tolist():
                reasons[int(rows[i])] = told.reason(i)
        return pl.Series("reason", reasons, dtype=pl.String)

    def _explanations(self) -> Iterator[Explained]:
        for rows, told, edge in self._told:
            odd = self._p_value[rows] <= self.alpha
            kept = np.arange(len(rows)) if self.explain_all else np.flatnonzero(odd)
            if len(kept):
                yield Explained(rows[kept], told.at(kept), odd[kept], edge)

    def _p_values(
        self, seen: Series, scores: SeriesScores, rule: Rule, plain: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """P-values of rows: 1 where the deviation is too small to matter, a hundredth of α at most beyond a bound."""
        unsaid = np.isnan(scores.score)
        looked_at = self.wishes.looked_at(scores) | unsaid
        p_values = rule.p_value(np.where(looked_at, plain, rule.lowest))
        p_values = np.where(self.wishes.far_enough(seen.values, scores.expected) & ~unsaid, p_values, 1.0)
        beyond = self.wishes.beyond(seen.values).any(axis=1)
        found: NDArray[np.float64] = np.where(beyond, np.minimum(p_values, BEYOND * self.alpha), p_values)
        return found

    def _describe(self, rows: NDArray[np.int64], told: Told) -> None:
        band = told.band()
        if self._seen is not None:
            with np.errstate(over="ignore"):  # beyond single precision is too far away to draw
                for j, part in enumerate((told.values, *(band or ()))):
                    self._seen[rows, :, j] = part
        if band is not None and len(told.names) == 1:
            self._has_band = True
            self._band[rows] = np.column_stack([part[:, 0] for part in band])
        if told.scores.contributions is not None and len(told.names) > 1:
            self._has_shares = True
            self._shares[rows] = told.scores.contributions
