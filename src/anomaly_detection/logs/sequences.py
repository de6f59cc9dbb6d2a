"""Unusual order: a line that does not follow from those before it in its session, thread or service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs.markov import Markov
from anomaly_detection.logs.method import Memory, Method

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


class Sequences(Method):
    """``-ln`` of the probability of a line's template after those of the three lines before it (:class:`Markov`).

    What was odd in the lines before in the same session is added, half as much with each line: a session that lost its
    order is odder than a line that is rare.
    """

    name: ClassVar[str] = "sequences"

    def fit(self, batch: LogBatch) -> Self:
        """Learn the transitions."""
        self._markov = Markov().fit(batch.templates, batch.sessions)
        return self

    def memory(self) -> Memory:
        """No session was seen yet."""
        owners, history, carried = self._markov.memory()
        return {"owners": owners, "history": history, "carried": carried}

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) the decayed sum of ``-ln p``."""
        memories = memory["owners"], memory["history"], memory["carried"]
        return np.ascontiguousarray(self._markov.surprises(batch.templates, batch.sessions, memories)[:, 2])

    def state(self) -> dict[str, NDArray[Any]]:
        """The transitions."""
        return self._markov.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        self._markov = Markov().restore(state)
        return self
