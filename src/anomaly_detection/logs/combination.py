"""Several methods, one score: each method's p-value from held-out lines, added up as surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.calibration import Calibrator
from anomaly_detection.logs._combination_kernels import combine, fill_p_values
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.logs.method import Memory

MOST_OF_METHOD, MOST_OF_ALL = 2_000, 10_000
"""The most scores that a method, and all together, are calibrated on."""

ALIKE = 0.02
"""Scores that differ by less than this share of what is usual are alike."""

KEEP = 0.5
"""What is left of the latest surprise after a line."""


class Combination:
    """The surprise of all methods: the weighted sum of ``-ln p``, and a share of what it was in the lines before.

    Incidents come in runs: a line that is a little odd says more among odd lines. So a share of the decayed mean of the
    sums is added. The sum is no p-value itself; it is calibrated once more. With many methods that look for different
    things, one that is sure has to be heard: then the root of the sum of squares is taken, between sum and maximum.

    Parameters
    ----------
    weights : how much each method counts.
    share : how much of the latest surprise is added.
    squared : whether surprises are squared before they are added.
    """

    def __init__(self, weights: Sequence[float], share: float = 0.0, *, squared: bool = False) -> None:
        self.weights = np.array(weights, dtype=np.float64)
        self.share, self.squared = share, squared

    def fit(self, scores: NDArray[np.float64]) -> Self:
        """Calibrate each method on (n, m) scores of what it was not fitted on; -inf stands for no score."""
        return self._take([calibrated(_usable(scores[:, k])) for k in range(scores.shape[1])])

    def p_values(self, scores: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """(n, m) the p-value of each method's scores."""
        out = np.empty((len(scores[0]), len(scores)))
        fill_p_values(np.array(scores), *self._tables, out)
        return out

    def memory(self) -> Memory:
        """No line was seen yet."""
        return {"recent": np.zeros(1)}

    def score(self, p_values: NDArray[np.float64], memory: Memory) -> NDArray[np.float64]:
        """(n,) the sum for each line; the memory takes it in."""
        out = np.empty(len(p_values))
        combine(p_values, self.weights, memory["recent"], KEEP, self.share, self.squared, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """The calibrators and the share, as arrays by name."""
        each = {f"{k}/{name}": array for k, one in enumerate(self.each) for name, array in one.state().items()}
        return {**each, "share": np.array(self.share, np.float64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back; raises ArtifactError if they are damaged."""
        self.share = taken(state, "share", np.float64).item()
        if not 0.0 <= self.share <= 1.0:
            raise damaged("the share of the latest surprise")
        return self._take([restored_calibrator(state, f"{k}/") for k in range(len(self.weights))])

    def _take(self, each: list[Calibrator]) -> Self:
        self.each = each
        starts = np.cumsum([0, *(one.n_ for one in each)])
        self._tables = np.concatenate([one.ordered_ for one in each]), starts, np.stack([one.tail_ for one in each])
        return self


def calibrated(scores: NDArray[np.float64]) -> Calibrator:
    """A calibrator of held-out scores, each a little higher.

    The model that is kept has seen more than those that gave the scores, and scores a little differently; where all
    lines are much alike, that little is all there is. So a score has to be higher by a fiftieth of what is usual.
    """
    low, middle, high = np.quantile(scores, (0.25, 0.5, 0.75))
    return Calibrator().fit(scores + ALIKE * (abs(middle) + high - low))


def restored_calibrator(state: Mapping[str, NDArray[Any]], prefix: str) -> Calibrator:
    """A calibrator that was saved under a prefix; raises ArtifactError if it is damaged."""
    ordered, tail = taken(state, f"{prefix}ordered_", np.float64, None), state.get(f"{prefix}tail_")
    well_formed = tail is not None and tail.shape == (4,) and tail.dtype == np.float64 and not np.isnan(tail).any()
    if not well_formed or tail is None or not len(ordered) or (np.diff(ordered) < 0).any():
        raise damaged(f"{prefix}calibrator")
    return Calibrator().restore({"ordered_": ordered, "tail_": tail})


def evenly(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many of the values, evenly spread over them."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.int64)]


def restored_line(spec: Mapping[str, Any]) -> tuple[float, int]:
    """Alpha and the number of rows of a saved pipeline; raises ArtifactError if they are none."""
    alpha, rows = spec.get("alpha"), spec.get("rows")
    if not isinstance(alpha, float) or not 0.0 < alpha < 1.0 or not isinstance(rows, int) or rows < 1:
        raise damaged("the alarm line")
    return alpha, rows


def _usable(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    there = scores[scores > -np.inf]
    return evenly(there, MOST_OF_METHOD) if len(there) else np.zeros(1)
