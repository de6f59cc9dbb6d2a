"""Why a row of a series is an anomaly, channel by channel, and what would bring it back inside its band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.explain.counterfactuals import Change, Counterfactual
from anomaly_detection.explain.explanation import Explanation
from anomaly_detection.explain.reasons import Reason, listed
from anomaly_detection.results import Result
from anomaly_detection.series.reasons import MOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.series.reasons import Told

SAME = 1e-9
"""A score is the distance from the expected value if both differ by no more, in proportion; so far inside is inside."""

MOST_SEEN = 4_000_000
"""Values of more rows times channels than this are not kept with the verdicts."""

OF_A_COURSE = "the rows before it"
"""What a value has to fit where no value is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """What there is to say about some rows of one series.

    Parameters
    ----------
    rows : (n,) where they stand in the input.
    told : what is known of them.
    odd : (n,) whether each is an anomaly.
    p_edge : the p-value of the largest score that is no alarm.
    """

    rows: NDArray[np.int64]
    told: Told
    odd: NDArray[np.bool_]
    p_edge: float

    def explanation(self, i: int, most: int = MOST, actionable: Sequence[str] | None = None) -> Explanation:
        """All there is to say about row i of these.

        Parameters
        ----------
        i : which one.
        most : at most so many channels are named.
        actionable : the channels that a counterfactual may change; all when not given.
        """
        row, shares = int(self.rows[i]), self._shares(i)
        named = [k for k in self.told.channels(i, len(self.told.names)) if shares[k] > 0.0][:most] or [0]
        reasons = tuple(self._reason(i, k, shares) for k in named)
        if not self.odd[i]:
            usual = "; ".join(self.told.usual(i, k) for k in named)
            return Explanation(
                row, reasons, usual, "Nothing to check: it is no anomaly.", no_counterfactual="It is normal as it is."
            )
        found = self._counterfactual(i, actionable)
        return Explanation(
            row,
            reasons,
            self.told.reason(i),
            self._recommendation(i, named),
            counterfactual=found,
            no_counterfactual=None if found else self._no_way_back(i, actionable),
        )

    def _shares(self, i: int) -> NDArray[np.float64]:
        """(d,) the part of each channel, adding up to 1 where there is any."""
        parts = self.told.scores.contributions
        own = np.ones(1) if parts is None or parts.shape[1] == 1 else np.maximum(parts[i], 0.0)
        own = own if len(own) == len(self.told.names) else np.zeros(len(self.told.names))
        total = own.sum()
        return own / total if total > 0.0 else own

    def _reason(self, i: int, k: int, shares: NDArray[np.float64]) -> Reason:
        value, parts = self.told.values[i, k], self.told.scores.contributions
        band = self.told.band()
        known = band is not None and not np.isnan(band[0][i, k])
        normal = f"{band[1][i, k]:.6g} to {band[2][i, k]:.6g}" if band is not None and known else OF_A_COURSE
        part = float(self.told.scores.score[i]) if parts is None else float(parts[i, k])
        shown = None if np.isnan(value) else float(value)
        return Reason(self.told.named(k), shown, part if np.isfinite(part) else 0.0, normal, float(shares[k]))

    def _outside(self, i: int) -> list[tuple[int, float]]:
        """The channels that are outside their band or bounds, and the nearest value inside."""
        wishes, values = self.told.wishes, self.told.values[i]
        band = self.told.band()
        found = []
        for k in range(len(values)):
            low, high = (-np.inf, np.inf) if band is None else (band[1][i, k], band[2][i, k])
            low, high = np.nan_to_num(low, nan=-np.inf), np.nan_to_num(high, nan=np.inf)
            low = max(low, -np.inf if wishes.low is None else wishes.low)
            high = min(high, np.inf if wishes.high is None else wishes.high)
            if values[k] < low or values[k] > high:
                within = SAME * (high - low) if np.isfinite(high - low) else 0.0
                found.append((k, float(low + within if values[k] < low else high - within)))
        return found

    def _counterfactual(self, i: int, actionable: Sequence[str] | None) -> Counterfactual | None:
        outside = self._outside(i)
        if not outside or any(actionable is not None and self.told.names[k] not in actionable for k, _ in outside):
            return None
        changes = (Change(self.told.named(k), float(self.told.values[i, k]), inside) for k, inside in outside)
        return Counterfactual(tuple(changes), self.p_edge if self._is_distance(i) else None)

    def _is_distance(self, i: int) -> bool:
        """Whether the score is how far the farthest channel is from what was expected."""
        scores = self.told.scores
        if scores.expected is None or scores.scale is None:
            return False
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.abs(self.told.values[i] - scores.expected[i]) / scores.scale[i]
        farthest = float(np.max(away[np.isfinite(away)], initial=0.0))
        return bool(abs(farthest - scores.score[i]) <= SAME * farthest)

    def _no_way_back(self, i: int, actionable: Sequence[str] | None) -> str:
        outside = [self.told.names[k] for k, _ in self._outside(i)]
        if outside and actionable is not None:
            left = [name for name in outside if name not in actionable]
            return f"Not all channels outside their bands may be changed: {listed(left)} may not."
        return "No channel lies outside its band: each value is usual, and the course of the rows is not."

    def _recommendation(self, i: int, named: Sequence[int]) -> str:
        away = {k: float(self.told.values[i, k]) - inside for k, inside in self._outside(i)}
        far = [k for k in named if k in away]
        if not far:
            return f"Compare {listed([self.told.named(k) for k in named])} with {OF_A_COURSE}: the course is unusual."
        said = [f"{self.told.named(k)}: it lies {abs(away[k]):.4g} {'above' if away[k] > 0 else 'below'}" for k in far]
        return f"Check {'; '.join(said)} {'its band' if len(far) == 1 else 'their bands'}."


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class SeriesResult(Result):
    """Verdicts on rows of series, with what there is to say about the anomalies among them.

    Parameters
    ----------
    explained : what is known of rows, a series at a time.
    names : the channels, in the order of ``contributions``.
    seen : (n, d, 4) float32, of each value what was judged (of a counter what was added), expected, and the ends of the
        band; NaN where there is none; None where that would be more than :data:`MOST_SEEN` values.
    """

    explained: tuple[Explained, ...] = ()
    names: tuple[str, ...] = ()
    seen: NDArray[np.float32] | None = None

    def explanations(
        self, rows: Iterable[int], most: int = MOST, actionable: Sequence[str] | None = None
    ) -> list[Explanation]:
        """What there is to say about rows of this result, anomalies or those that were asked for while judging."""
        places = {int(row): (part, i) for part in self.explained for i, row in enumerate(part.rows.tolist())}
        found = (places[row] for row in rows if row in places)
        return [part.explanation(i, most, actionable) for part, i in found]
