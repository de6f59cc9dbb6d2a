"""Unusual order: a line that does not follow from those before it in its session, thread or service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs.markov import Markov
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

REMEMBERED = ("owners", "history", "carried", "lines")
"""The arrays of the memory."""

LULL = 0.99
"""The share of the lines that come sooner after the line before them in their session."""


class Sequences(Method):
    """``-ln`` of the probability of a line's template after those of the three lines before it (:class:`Markov`).

    What was odd in the lines before in the same session is added, half as much with each line: a session that lost its
    order is odder than a line that is rare. A session that comes soon after the memory began may have begun before it:
    then its first line may follow from anything.
    """

    name: ClassVar[str] = "sequences"

    def fit(self, batch: LogBatch) -> Self:
        """Learn the transitions."""
        self._markov, self._lull = Markov().fit(batch.templates, batch.sessions), _lull(batch.sessions)
        return self

    def memory(self) -> Memory:
        """No session was seen yet."""
        return dict(zip(REMEMBERED, self._markov.memory(), strict=True))

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) the decayed sum of ``-ln p``."""
        owners, history, carried, lines = (memory[name] for name in REMEMBERED)
        memories = owners, history, carried, lines
        return np.ascontiguousarray(self._markov.surprises(batch.templates, batch.sessions, memories, self._lull)[:, 2])

    def state(self) -> dict[str, NDArray[Any]]:
        """The transitions, and the length of a lull."""
        return {**self._markov.state(), "lull": np.array(self._lull, np.int64)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        self._markov, self._lull = Markov().restore(state), int(taken(state, "lull", np.int64))
        return self


def _lull(sessions: NDArray[np.uint64]) -> int:
    """After so many lines of all, a session without one hardly ever goes on."""
    order = np.argsort(sessions, kind="stable")
    gaps = np.diff(order)[sessions[order[1:]] == sessions[order[:-1]]]
    return int(np.quantile(gaps, LULL)) if len(gaps) else 0
