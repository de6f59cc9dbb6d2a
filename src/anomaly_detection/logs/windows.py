"""Sliding windows per service: error rate, latency and volume against what is usual for the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs._feature_kernels import window_distances, window_values
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, places, table_of, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

MOST_SERVICES = 500
"""Services with a usual of their own: those with the most lines; the others share one."""

FEWEST = 30
"""A service with fewer lines has no usual of its own."""

LEAN = 20.0
"""What is usual for all services weighs as much as so many lines of one."""

SPREADS = np.array([0.02, 0.1, 0.35])
"""The least spread of the error rate, of the logarithm of a latency, and of that of the volume."""


class SlidingWindow(Method):
    """How far the window of a line's service is from its usual.

    Three distances in spreads, of the service in training: the error rate (upwards only), the latency of the line
    (logarithm, upwards only), the volume (logarithm, both ways). The score is the root of the sum of their squares.
    An error rate of few lines has a
    wider spread. Negative, infinite and missing latencies have no distance, and volumes have none until
    a whole window has gone by.

    Parameters
    ----------
    column : where the features have the volume.
    """

    name: ClassVar[str] = "sliding_window"

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def fit(self, batch: LogBatch) -> Self:
        """Learn mean and spread of the three for each service."""
        values = self._values(batch)
        names, code, counts = np.unique(batch.lines.services, return_inverse=True, return_counts=True)
        chosen = np.sort(np.argsort(-counts, kind="stable")[:MOST_SERVICES])
        chosen = chosen[counts[chosen] >= FEWEST]
        of_all = [_mean_and_spread(values[:, k], np.zeros(len(code), np.int64), 1, None, k)[0] for k in range(3)]
        each = [_mean_and_spread(values[:, k], code, len(names), of_all[k], k)[chosen] for k in range(3)]
        usual = np.vstack([np.column_stack(each).reshape(-1, 6), np.concatenate(of_all)])
        return self._take(names[chosen], usual.astype(np.float32))

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) distance in spreads."""
        far, total = self._measured(batch)
        memory["latest"][:] = far[-1:].ravel() if len(far) else memory["latest"]
        return total

    def memory(self) -> Memory:
        """The distances of the latest line, for :meth:`metrics`."""
        return {"latest": np.zeros(3)}

    def distances(self, batch: LogBatch) -> NDArray[np.float64]:
        """(n, 3) distance in spreads of error rate, latency and volume; 0 where there is nothing to measure."""
        return self._measured(batch)[0]

    def metrics(self, batch: LogBatch, memory: Memory) -> dict[str, float]:
        """What was measured of a single line that was just scored.

        Error rate and lines of the window of its service, and the distance of its latency.
        """
        rate, lines = batch.windows[0].tolist()
        known = 0.0 if rate != rate else rate  # noqa: PLR0124  NaN where no time is known
        return {"error_rate": known, "latency_zscore": float(memory["latest"][1]), "total_logs": int(lines)}

    def state(self) -> dict[str, NDArray[Any]]:
        """The services, and mean and spread of the three; those of all services last."""
        return {"services": self._services.keys, "usual": self._usual.astype(np.float32)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        services = taken(state, "services", np.uint64, None)
        usual = taken(state, "usual", np.float32, len(services) + 1, 6)
        if (usual[:, 1::2] <= 0).any():
            raise damaged("windows of services")
        return self._take(services, usual)

    def _take(self, services: NDArray[np.uint64], usual: NDArray[np.float32]) -> Self:
        self._services, self._usual = table_of(services), usual.astype(np.float64)
        return self

    def _measured(self, batch: LogBatch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        far, total = np.empty((len(batch), 3)), np.empty(len(batch))
        which = places(self._services, batch.lines.services)
        window_distances(self._values(batch), np.ascontiguousarray(batch.windows[:, 1]), self._usual, which, far, total)
        return far, total

    def _values(self, batch: LogBatch) -> NDArray[np.float64]:
        out = np.empty((len(batch), 3))
        rates = np.ascontiguousarray(batch.windows[:, 0])
        volumes = np.ascontiguousarray(batch.features[:, self.column])
        window_values(rates, volumes, batch.lines.response_times, out)
        return out


def _mean_and_spread(
    values: NDArray[np.float64], code: NDArray[np.int64], size: int, of_all: NDArray[np.float64] | None, kind: int
) -> NDArray[np.float64]:
    """(size, 2) mean and spread of each group, leaning on those of all."""
    there = np.isfinite(values)
    values, code = values[there], code[there]
    counts = np.bincount(code, minlength=size).astype(np.float64)
    mean, spread = (0.0, 1.0) if of_all is None else (float(of_all[0]), float(of_all[1]))
    lean = (counts == 0) * 1.0 if of_all is None else LEAN
    means = (np.bincount(code, values, minlength=size) + lean * mean) / (counts + lean)
    squares = np.bincount(code, (values - means[code]) ** 2, minlength=size)
    spreads = np.sqrt((squares + lean * (spread**2 + (means - mean) ** 2)) / (counts + lean))
    return np.column_stack([means, np.maximum(spreads, SPREADS[kind])])
