"""Bursts and silences: how often a template comes, against how often it came in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs._rate_kernels import measure_rates, rate_distances
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

SPREAD = 0.35
"""Logarithms of rates differ by this much at least, whatever training says of a template."""

LEAN = 5.0
"""What is known of all templates weighs as much as so many lines of one."""

FOLLOWS = 30.0
"""What is usual of templates that training has not seen is told by about so many of their latest lines."""


class Rates(Method):
    """How far the rate of a line's template is from its usual one, and the pause before it from its usual one.

    A rate is a count in which a line of ``minutes`` ago weighs 1 / e, so that nothing jumps at the edge of a window. A
    silence is told by the line that ends it. Both are held against mean and spread of their logarithms in training;
    the score is the larger distance, in spreads. A pause that is shorter than usual is none. Of templates that training
    has not seen, the means follow their lines: what a new release writes all the time is no burst for ever.

    Parameters
    ----------
    minutes : over which lines are counted.
    """

    name: ClassVar[str] = "template_rate"

    def __init__(self, minutes: float = 5.0) -> None:
        self.minutes = minutes

    def fit(self, batch: LogBatch) -> Self:
        """Learn mean and spread of the logarithms for each template."""
        templates = int(batch.templates.max(initial=-1)) + 1
        self._take(np.zeros((templates + 1, 4), np.float32))
        measured = self._measured(batch, self.memory())
        known = np.where(batch.templates < 0, templates, batch.templates)
        self._take(np.column_stack([usual_of(known, measured[:, k], templates + 1) for k in (0, 1)]).astype(np.float32))
        return self

    def memory(self) -> Memory:
        """No template was seen yet: when one first comes, its rate is taken for usual."""
        usual = self._usual.astype(np.float64)
        lately = np.array([0.0, usual[-1, 0], 0.0, usual[-1, 2]])
        return {"counts": np.expm1(usual[:, 0]), "seen": np.full(len(usual), -np.inf), "lately": lately}

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) distance in spreads, at least 0."""
        measured, out = self._measured(batch, memory), np.empty(len(batch))
        rate_distances(batch.templates, measured, self._usual, LEAN, FOLLOWS, memory["lately"], out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """Mean and spread of both for each template, those of unseen ones last."""
        return {"usual": self._usual}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        usual = taken(state, "usual", np.float32, None, 4)
        if not len(usual) or (usual[:, 1::2] <= 0).any():
            raise damaged("rates of templates")
        return self._take(usual)

    def _take(self, usual: NDArray[np.float32]) -> Self:
        self._usual = usual
        return self

    def _measured(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        out = np.empty((len(batch), 2))
        seconds = 60.0 * float(self.minutes)
        measure_rates(batch.templates, batch.clock, seconds, memory["counts"], memory["seen"], out)
        return out


def usual_of(groups: NDArray[np.int32], values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(size, 2) mean and spread of each group, leaning on those of all where there are few."""
    there = np.isfinite(values)
    groups, values = groups[there], values[there]
    mean, variance = (float(values.mean()), float(values.var())) if len(values) else (0.0, 1.0)
    counts = np.bincount(groups, minlength=size) + LEAN
    means = (np.bincount(groups, values, minlength=size) + LEAN * mean) / counts
    squares = np.bincount(groups, (values - means[groups]) ** 2, minlength=size)
    spreads = np.sqrt((squares + LEAN * (variance + (means - mean) ** 2)) / counts)
    return np.column_stack([means, np.maximum(spreads, SPREAD)])
