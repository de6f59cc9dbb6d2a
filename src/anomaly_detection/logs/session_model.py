"""What is learned of sessions, and how odd each is by each way of looking at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs._markov_kernels import END
from anomaly_detection.logs.attributes import Attributes
from anomaly_detection.logs.grouping import Sessions, long_pause
from anomaly_detection.logs.markov import Markov
from anomaly_detection.logs.patterns import Patterns
from anomaly_detection.logs.pauses import Pauses
from anomaly_detection.logs.rarity import Rarity
from anomaly_detection.logs.responses import ResponseTimes
from anomaly_detection.logs.tables import taken
from anomaly_detection.logs.values import Values
from anomaly_detection.scorer import under

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


PARTS: dict[str, type[Any]] = {
    "patterns": Patterns,
    "markov": Markov,
    "rarity": Rarity,
    "values": Values,
    "attributes": Attributes,
    "responses": ResponseTimes,
    "pauses": Pauses,
}

WAYS = ("counts", "pairs", "sequences", "rare_templates", "parameters", "attributes", "response_times", "pauses")
"""The ways of looking at sessions, in the order of the columns of their scores."""


class SessionModel:
    """Eight ways of looking at sessions (:data:`WAYS`)."""

    def fit(self, sessions: Sessions) -> Self:
        """Learn; some of the sessions may be anomalies, and the last ones may go on after the data end."""
        self.pause = np.array(long_pause(sessions))
        unfinished = self.unfinished(sessions)
        finished = np.flatnonzero(~unfinished)
        whole = sessions.chosen(finished) if 2 * len(finished) >= len(sessions) else sessions
        self.patterns = Patterns().fit(whole.symbols, whole.starts)
        symbols, owners = sessions.with_ends(unfinished)
        self.markov = Markov().fit(symbols, owners.astype(np.uint64) + np.uint64(1))
        self.rarity, self.values = Rarity().fit(sessions.batch), Values().fit(sessions.batch)
        self.attributes, self.responses = Attributes().fit(sessions.batch), ResponseTimes().fit(sessions.batch)
        self.pauses = Pauses().fit(sessions.symbols, sessions.pauses)
        return self

    def unfinished(self, sessions: Sessions) -> NDArray[np.bool_]:
        """(s,) which sessions may go on."""
        found: NDArray[np.bool_] = sessions.quiet < self.pause
        return found

    def score(self, sessions: Sessions) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(s, 8) how odd each session is by each way, and (n,) how odd each line is."""
        unfinished = self.unfinished(sessions)
        symbols, owners = sessions.with_ends(unfinished)
        costs = self.markov.surprises(symbols, owners.astype(np.uint64) + np.uint64(1), self.markov.memory())
        counts = self.patterns.score(sessions.symbols, sessions.starts)
        counts[unfinished] = -np.inf
        of_lines = self._of_lines(sessions)
        begins = np.searchsorted(owners, np.arange(len(sessions)))
        lengths = np.diff(np.append(begins, len(owners)))
        means = np.add.reduceat(costs, begins, axis=0) / lengths[:, None]
        rare = np.add.reduceat(self.rarity.score(sessions.batch, {}), sessions.starts[:-1]) / np.diff(sessions.starts)
        largest = [np.maximum.reduceat(one, sessions.starts[:-1]) for one in of_lines]
        line_scores = costs[symbols != END, 0] + np.sum(of_lines, axis=0)
        return np.column_stack([counts, means[:, 1], means[:, 0], rare, *largest]), line_scores

    def _of_lines(self, sessions: Sessions) -> list[NDArray[np.float64]]:
        """How odd the parameters, the attributes, the response time and the pause of each line are."""
        batch, owners = sessions.batch, sessions.owners.astype(np.uint64) + np.uint64(1)
        return [
            self.values.score(batch, {}),
            self.attributes.score(batch, {}),
            self.responses.of(batch, owners, self.responses.memory()),
            self.pauses.score(sessions.symbols, sessions.pauses),
        ]

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""
        parts = {name: getattr(self, name).state() for name in PARTS}
        flat = {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}
        return {**flat, "pause": self.pause}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back; raises ArtifactError if it is damaged."""
        self.pause = taken(state, "pause", np.float64)
        for name, kind in PARTS.items():
            setattr(self, name, kind().restore(under(f"{name}/", state)))
        return self
