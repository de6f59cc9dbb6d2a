"""Surges and silences of services: how much one says, against what it said in the last half hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.logs._service_kernels import SEEN, unusual_traffic
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, table_of, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

PLACES = 1 << 10
"""Services whose traffic is remembered."""

MOST_SERVICES = 500
"""Services with a rate of their own: those with the most lines; the others are taken for rare."""


class Traffic(Method):
    """How unlikely it is that a service says so much within seconds, or nothing for so long.

    What is usual is the rate of the service in the last half hour, so that days and nights are alike; it begins with
    the one of training, as if that had been seen for a minute. A surge scores twice the log-likelihood ratio of the
    lines of the last ten seconds against that rate (of Poisson counts), a silence the number of lines that it lacks;
    the line that ends a silence tells of it, and the next ones less and less. The score is the larger one. Without
    times nothing can be said, and lines score 0.
    """

    name: ClassVar[str] = "service_rate"

    def fit(self, batch: LogBatch) -> Self:
        """Learn the rate of each service."""
        timed = batch.lines.times != NO_TIME
        names, counts = np.unique(batch.lines.services[timed], return_counts=True)
        clock = batch.clock[timed]
        span = max(float(clock[-1] - clock[0]), 1.0) if len(clock) else 1.0
        chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_SERVICES])
        return self._take(names[chosen], np.append(counts[chosen], 1.0) / span)

    def memory(self) -> Memory:
        """No service was seen yet."""
        memory = np.zeros((PLACES, 5))
        memory[:, SEEN] = -np.inf
        return {"owners": np.zeros(PLACES, np.uint64), "services": memory}

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) how unusual the traffic is, at least 0."""
        out, lines = np.empty(len(batch)), batch.lines
        remembered = memory["owners"], memory["services"]
        unusual_traffic(lines.times, batch.clock, lines.services, self._services, self._rates, *remembered, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """The services, and lines a second of each; those of others last."""
        return {"services": self._services.keys, "rates": self._rates}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        services = taken(state, "services", np.uint64, None)
        rates = taken(state, "rates", np.float64, len(services) + 1)
        if (rates <= 0).any():
            raise damaged("rates of services")
        return self._take(services, rates)

    def _take(self, services: NDArray[np.uint64], rates: NDArray[np.float64]) -> Self:
        self._services, self._rates = table_of(services), rates
        return self
