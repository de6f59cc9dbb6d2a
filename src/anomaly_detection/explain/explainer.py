"""Explanations of rows: contributions, the columns that carry the score, the way back to normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.explain.counterfactuals import Change, Counterfactual, smallest
from anomaly_detection.explain.deviations import deviation, recommendation
from anomaly_detection.explain.explanation import Explanation
from anomaly_detection.explain.reasons import Reason, listed
from anomaly_detection.explain.repairs import Repair, search
from anomaly_detection.explain.shapley import FEW_SCORINGS, MOST_SCORINGS, contributions
from anomaly_detection.features.nesting import value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.explain.background import Background, Score

WORTH = 0.01
"""A further column is named only if it takes away this share of the excess."""

FURTHEST = 3
"""With up to so many columns the search for the smallest change looks at any; with more it follows contributions."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What verdicts are given by.

    Parameters
    ----------
    p_value : scores to p-values.
    alpha : the p-value at and below which a record is an anomaly.
    """

    p_value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    alpha: float

    def is_normal(self, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which scores raise no alarm."""
        return self.p_value(scores) > self.alpha


class Explainer:
    """Explains rows of a native matrix.

    Parameters
    ----------
    score : scores (m, d) native matrices.
    background : normal rows, and what is normal in words.
    yardstick : what verdicts are given by.
    most : the most columns that are named.
    changeable : positions of the columns that a counterfactual may change; all when None.
    brief : leave out the search for the named columns and for the counterfactual: contributions only, from fewer
        scorings.
    """

    def __init__(
        self,
        score: Score,
        background: Background,
        yardstick: Yardstick,
        *,
        most: int = 3,
        changeable: Sequence[int] | None = None,
        brief: bool = False,
    ) -> None:
        self.score = score
        self.background = background
        self.yardstick = yardstick
        self.most = most
        self.changeable = changeable
        self.brief = brief

    def explain(
        self,
        row: NDArray[np.float32],
        record: Mapping[str, Any],
        number: int | None = None,
        similar: Callable[[NDArray[np.float64]], tuple[int, ...]] = lambda _: (),
    ) -> Explanation:
        """Explain one row.

        Parameters
        ----------
        row : (d,) native.
        record : its values as the user knows them.
        number : its number in the frame.
        similar : finds similar rows from the contributions.
        """
        parts = self.contributions(row[None, :])[0]
        start = Repair(float(self.score(row[None, :])[0]), row, {})
        repairs = [] if self.brief else search(self.score, start, self.background, parts, max(self.most, FURTHEST))
        named, removed = self._named(start, repairs[: self.most], parts)
        reasons = self._reasons(named, parts, record)
        kinds = {self.background.names[column]: deviation(row, self.background, column) for column in named}
        found, hindrance = self._way_back(start, repairs, parts, record)
        return Explanation(
            row=number,
            reasons=reasons,
            sentence=listed([reason.sentence() for reason in reasons]) or "no column stands out",
            recommendation=recommendation(reasons, kinds),
            removed=removed,
            counterfactual=found,
            no_counterfactual=hindrance,
            similar=similar(parts),
        )

    def contributions(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, columns) how much each column adds to the score of each row."""
        background, scorings = self.background, FEW_SCORINGS if self.brief else MOST_SCORINGS
        return contributions(self.score, X, background.references, background.space, scorings)

    def _named(
        self, start: Repair, repairs: list[Repair], parts: NDArray[np.float64]
    ) -> tuple[list[int], float | None]:
        """The columns that carry the score, those that add most first, and how much of its excess they do."""
        strongest = np.argsort(-parts, kind="stable").tolist()
        excess = start.score - self.background.typical
        if not repairs or not excess > 0:
            return [column for column in strongest[: self.most] if parts[column] > 0], None
        removed = [min(1.0, (start.score - repair.score) / excess) for repair in repairs]
        enough = next(i for i, share in enumerate(removed) if share >= max(removed) - WORTH)
        chosen = repairs[enough]
        named = [column for column in strongest if column in chosen.changes]
        return named, removed[enough]

    def _reasons(self, named: list[int], parts: NDArray[np.float64], record: Mapping[str, Any]) -> tuple[Reason, ...]:
        total = float(np.maximum(parts, 0.0).sum()) or 1.0
        names, normal = self.background.names, self.background.normal
        return tuple(
            Reason(
                names[column],
                value_at(record, names[column]),
                float(parts[column]),
                normal.get(names[column], "unknown"),
                max(0.0, float(parts[column])) / total,
            )
            for column in named
        )

    def _way_back(
        self, start: Repair, repairs: list[Repair], parts: NDArray[np.float64], record: Mapping[str, Any]
    ) -> tuple[Counterfactual | None, str | None]:
        """The smallest change, or why there is none."""
        if self.yardstick.is_normal(np.array([start.score]))[0]:
            return None, "The record is no anomaly."
        if self.brief:
            return None, "No change was looked for."
        allowed = self.changeable
        if allowed is not None:
            repairs = search(self.score, start, self.background, parts, FURTHEST, allowed)
        order = [j for j in np.argsort(-parts, kind="stable").tolist() if allowed is None or j in allowed]
        found = (
            smallest(self.score, self.yardstick.is_normal, start, repairs, self.background, order) if order else None
        )
        if found is None:
            columns = listed([self.background.names[column] for column in order]) or "no column at all"
            return None, f"No normal values of {columns} make the record normal."
        return self._told(found, record), None

    def _told(self, found: Repair, record: Mapping[str, Any]) -> Counterfactual:
        names, values = self.background.names, self.background.values
        changes = tuple(
            Change(names[column], value_at(record, names[column]), values[names[column]][place])
            for column, place in found.changes.items()
        )
        return Counterfactual(changes, float(self.yardstick.p_value(np.array([found.score]))[0]))
