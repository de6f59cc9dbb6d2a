"""Slow answers: response times against what is usual for the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs._service_kernels import slowness
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

PLACES = 1 << 10
"""Services whose latest distances are remembered."""

FEWEST = 20
"""A template with fewer response times has no usual of its own."""

HIGH, NORMAL_HIGH = 0.75, 0.6745
"""The quantile that tells the spread, and where it lies for a normal distribution of spread 1."""

LEAST_SPREAD = 0.1
"""The logarithms of response times differ by this much at least."""


class ResponseTimes(Method):
    """How much slower than usual for its template a line is, or those of its service lately are.

    A distance is that of ``ln(1 + milliseconds)`` from the median of the template, in spreads; the spread is told by
    the upper quartile, so that slow lines in training, fewer than a quarter, move neither by much. One slow line is
    judged by its own distance, an answer that becomes slower little by little by the decayed mean of its service. The
    score is the larger one; a line without a response time scores 0.
    """

    name: ClassVar[str] = "response_times"

    def fit(self, batch: LogBatch) -> Self:
        """Learn median and spread for each template."""
        took = batch.lines.response_times.astype(np.float64)
        there = np.isfinite(took) & (took >= 0)
        size = int(batch.templates.max(initial=-1)) + 1
        groups = np.where(batch.templates < 0, size, batch.templates)[there]
        return self._take(_usual(groups, np.log1p(took[there]), size).astype(np.float32))

    def memory(self) -> Memory:
        """No service was seen yet."""
        return {"owners": np.zeros(PLACES, np.uint64), "latest": np.zeros(PLACES)}

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) distance in spreads, at least 0."""
        return self.of(batch, batch.lines.services, memory)

    def of(self, batch: LogBatch, owners: NDArray[np.uint64], memory: Memory) -> NDArray[np.float64]:
        """(n,) the same where lines belong together that have the same one of (n,) owners, instead of a service."""
        out, remembered = np.empty(len(batch)), (memory["owners"], memory["latest"])
        slowness(batch.templates, owners, batch.lines.response_times, self._known, *remembered, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """Median and spread for each template, those of others last."""
        return {"usual": self._known}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        usual = taken(state, "usual", np.float32, None, 2)
        if not len(usual) or (usual[:, 1] <= 0).any():
            raise damaged("response times of templates")
        return self._take(usual)

    def _take(self, usual: NDArray[np.float32]) -> Self:
        self._known = usual
        return self


def _usual(groups: NDArray[np.int32], values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """(size + 1, 2) median and spread of each group; where there are few, and last, those of all."""
    of_all = _quantiles(np.sort(values), np.zeros(1, np.int64), np.array([len(values)])) if len(values) else (0.0, 1.0)
    usual = np.empty((size + 1, 2))
    usual[:] = np.column_stack(of_all)
    counts = np.bincount(groups, minlength=size + 1)
    starts = np.cumsum(counts) - counts
    own = np.flatnonzero(counts[:size] >= FEWEST)
    if len(own):
        usual[own] = np.column_stack(_quantiles(values[np.lexsort((values, groups))], starts[own], counts[own]))
    return usual


def _quantiles(
    ordered: NDArray[np.float64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and spread of stretches of values in ascending order."""
    middle = ordered[starts + (counts - 1) // 2]
    high = ordered[starts + np.ceil(HIGH * (counts - 1)).astype(np.int64)]
    return middle, np.maximum((high - middle) / NORMAL_HIGH, LEAST_SPREAD)
