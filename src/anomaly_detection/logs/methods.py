"""All methods, scored together: what is learned of lines beside templates and features."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs.axes import Axes
from anomaly_detection.logs.combination import Combination
from anomaly_detection.logs.forest import Forest
from anomaly_detection.logs.rarity import Rarity
from anomaly_detection.logs.rates import Rates
from anomaly_detection.logs.sequences import Sequences
from anomaly_detection.logs.tables import damaged
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
    "sliding_window": 0.25,
    "rare_templates": 0.5,
    "template_rate": 0.25,
    "parameters": 0.5,
    "sequences": 1.0,
}
"""How much the surprise of each method counts."""

LOGARITHMS = ("response_time", "time_since_last")
"""Features whose logarithms are looked at along the axes."""

OF_WINDOWS = ("logs_in_window", "rt_mean", "rt_std", "rt_median", "error_rate", "log_volume")
"""Features that are not looked at along the axes."""

SHARE = 0.5
"""How much of the latest surprise is added."""

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
        self.combination = Combination(list(WEIGHTS.values()), SHARE)

    def fit(self, batch: LogBatch) -> NDArray[np.float64]:
        """Learn, and return (n,) the combined scores of the lines by methods that did not learn from them."""
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
            Forest(self.random_state),
            Axes(self.columns(*LOGARITHMS), self.columns(*OF_WINDOWS)),
            SlidingWindow(*self.columns("log_volume")),
            Rarity(),
            Rates(self.minutes),
            Values(),
            Sequences(),
        ]

    def _held_out(self, batch: LogBatch) -> NDArray[np.float64]:
        edges = [int(share * len(batch)) for share in STRETCHES]
        scores = np.zeros((len(batch), len(WEIGHTS)))
        stretches = [slice(a, b) for a, b in pairwise(edges)]
        for rows in stretches:
            before, part = batch.part(slice(0, rows.start)), batch.part(rows)
            for k, method in enumerate(self._fresh()):
                scores[rows, k] = method.fit(before).score(part, method.memory())
        p_values = self.combination.fit(scores[edges[0] :]).p_values(list(scores.T))
        memory = self.combination.memory
        return np.concatenate([self.combination.score(p_values[rows], memory()) for rows in stretches])
