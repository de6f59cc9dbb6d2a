"""All methods, scored together: what is learned of lines beside templates and features."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs.attributes import Attributes
from anomaly_detection.logs.axes import Axes
from anomaly_detection.logs.cleaning import incidents
from anomaly_detection.logs.combination import Combination
from anomaly_detection.logs.forest import Forest
from anomaly_detection.logs.rarity import Rarity
from anomaly_detection.logs.rates import Rates
from anomaly_detection.logs.responses import ResponseTimes
from anomaly_detection.logs.sequences import Sequences
from anomaly_detection.logs.tables import damaged
from anomaly_detection.logs.traffic import Traffic
from anomaly_detection.logs.values import Values
from anomaly_detection.logs.windows import SlidingWindow
from anomaly_detection.scorer import under

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch
    from anomaly_detection.logs.method import Method

WEIGHTS = {
    "isolation_forest": 0.25,
    "pca": 2.0,
    "sliding_window": 0.0,
    "rare_templates": 0.5,
    "template_rate": 0.2,
    "parameters": 1.0,
    "attributes": 1.0,
    "sequences": 1.0,
    "response_times": 1.0,
    "service_rate": 1.0,
}
"""How much the squared surprise of each method counts.

Sliding windows are told, and do not count: they are odd for all lines of a service in trouble, and for minutes after.
"""

LOGARITHMS = ("response_time", "time_since_last")
"""Features whose logarithms are looked at along the axes."""

OF_WINDOWS = ("logs_in_window", "rt_mean", "rt_std", "rt_median", "error_rate", "log_volume")
"""Features that neither the forest nor the axes look at."""

SHARE = 0.5
"""How much of the latest surprise is added in logs without sessions; in others, ``sequences`` remembers of each."""

FEWEST_LINES = 1_000
"""Fewer lines of training are all learned from."""

ROUNDS = 2
"""Incidents hide one another, so they are looked for again once some were found."""

STRETCHES = (0.5, 0.75, 1.0)
"""Lines between these shares of training are calibrated on, by methods that learned from all lines before them."""


class Methods:
    """The methods and their combination.

    Parameters
    ----------
    columns : where the features are, by name.
    minutes : the length of the windows.
    random_state : the seed of the forest.
    """

    def __init__(self, columns: Callable[..., tuple[int, ...]], minutes: float, random_state: int) -> None:
        self.columns, self.minutes, self.random_state = columns, minutes, random_state
        self.each = self._fresh()
        self.combination = Combination(list(WEIGHTS.values()), squared=True)

    def fit(self, batch: LogBatch) -> NDArray[np.float64]:
        """Learn, and return the combined scores of the later half by methods that did not learn from it.

        Lines that look like incidents (:func:`~anomaly_detection.logs.cleaning.incidents`) are set aside first.
        """
        self.combination.share = SHARE if np.array_equal(batch.sessions, batch.lines.services) else 0.0
        kept = self._without_incidents(batch)
        self.set_aside_, batch = len(batch) - len(kept), kept
        held_out = self._held_out(batch)
        for method in self.each:
            method.fit(batch)
        self.forget()
        return held_out

    def forget(self) -> None:
        """Begin with empty memories."""
        self._memories = [method.memory() for method in self.each]
        self._recent = self.combination.memory()

    def score(self, batch: LogBatch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) the combined scores, and (n, m) the p-values of the methods; the memories take the lines in."""
        scores = [method.score(batch, memory) for method, memory in zip(self.each, self._memories, strict=True)]
        p_values = self.combination.p_values(scores)
        return self.combination.score(p_values, self._recent), p_values

    def metrics(self, batch: LogBatch) -> dict[str, float]:
        """What the window of a single line's service holds; the line was just scored."""
        place = list(WEIGHTS).index(SlidingWindow.name)
        window = self.each[place]
        return window.metrics(batch, self._memories[place]) if isinstance(window, SlidingWindow) else {}

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, and the memories, as arrays by name."""
        memories = dict(self._named_memories())
        found = {f"each/{one.name}/{name}": array for one in self.each for name, array in one.state().items()}
        found |= {f"combination/{name}": array for name, array in self.combination.state().items()}
        return found | {f"memory/{name}": array for name, array in memories.items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back; raises ArtifactError if it is damaged."""
        for method in self.each:
            method.restore(under(f"each/{method.name}/", state))
        self.combination.restore(under("combination/", state))
        self.forget()
        for name, array in self._named_memories():
            saved = state.get(f"memory/{name}")
            if saved is None or saved.dtype != array.dtype or saved.shape != array.shape:
                raise damaged(f"memory {name}")
            array[:] = saved
        return self

    def _named_memories(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for method, memory in zip(self.each, self._memories, strict=True):
            yield from ((f"{method.name}/{name}", array) for name, array in memory.items())
        yield from ((f"combination/{name}", array) for name, array in self._recent.items())

    def _fresh(self) -> list[Method]:
        return [
            Forest(self.random_state, self.columns(*OF_WINDOWS)),
            Axes(self.columns(*LOGARITHMS), self.columns(*OF_WINDOWS), *self.columns("time_since_last")),
            SlidingWindow(*self.columns("log_volume")),
            Rarity(),
            Rates(self.minutes),
            Values(),
            Attributes(),
            Sequences(),
            ResponseTimes(),
            Traffic(),
        ]

    def _held_out(self, batch: LogBatch) -> NDArray[np.float64]:
        edges = [int(share * len(batch)) for share in STRETCHES]
        stretches = [slice(a, b) for a, b in pairwise(edges)]
        each = [self._scored(batch, slice(0, rows.start), rows) for rows in stretches]
        p_values = self.combination.fit(np.vstack(each)).p_values(list(np.vstack(each).T))
        ends = [rows.start - edges[0] for rows in stretches[1:]]
        memory = self.combination.memory
        return np.concatenate([self.combination.score(part, memory()) for part in np.split(p_values, ends)])

    def _without_incidents(self, batch: LogBatch) -> LogBatch:
        for _ in range(ROUNDS):
            aside = self._incidents(batch)
            if not aside.any():
                break
            batch = batch.rows(np.flatnonzero(~aside))
        return batch

    def _incidents(self, batch: LogBatch) -> NDArray[np.bool_]:
        """(n,) lines that look like incidents: each half is scored by methods that learned from the other."""
        n = len(batch)
        if n < FEWEST_LINES:
            return np.zeros(n, np.bool_)
        halves = slice(0, n // 2), slice(n // 2, n)
        scores = np.vstack([self._scored(batch, halves[1], halves[0]), self._scored(batch, halves[0], halves[1])])
        combination = Combination(list(WEIGHTS.values()), squared=True).fit(scores)
        p_values = combination.p_values(list(scores.T))
        return incidents(combination.score(p_values, combination.memory()), batch.lines.services)

    def _scored(self, batch: LogBatch, known: slice, rows: slice) -> NDArray[np.float64]:
        """(k, m) the scores of some lines by methods that learned from others."""
        learned, part = batch.part(known), batch.part(rows)
        scores = [method.fit(learned).score(part, method.memory()) for method in self._fresh()]
        return np.column_stack(scores)
