"""What the window of a service holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.features.logs.lines import hash_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.logs import Lines, ServiceWindows


@dataclass(frozen=True, slots=True)
class ServiceStatistics:
    """The lines of a service in its window; latencies are in milliseconds, None where no line has one."""

    service: str | None
    window_minutes: float
    total_logs: int
    error_count: int
    error_rate: float
    avg_latency: float | None
    max_latency: float | None
    min_latency: float | None


def statistics_of(windows: ServiceWindows, service: str | None, minutes: float) -> ServiceStatistics:
    """Count what the windows hold of a service; nothing of one that is not known."""
    return _counted(service, minutes, *windows.of_service(hash_name(service or "")))


class WholeWindow:
    """The window of one service, with all of its lines, however many they are.

    Parameters
    ----------
    service : its name.
    minutes : the length of the window.
    """

    def __init__(self, service: str, minutes: float) -> None:
        self.service, self.minutes = service, minutes
        self._name = np.uint64(hash_name(service))
        self._latest = np.int64(NO_TIME)
        self._times = np.empty(0, np.int64)
        self._values = np.empty(0, np.float32)
        self._errors = np.empty(0, np.bool_)

    def update(self, lines: Lines) -> None:
        """Take in the next lines of all services; late ones and those without a time count as in every window."""
        if not len(lines.times):
            return
        clock = np.maximum(np.maximum.accumulate(lines.times), self._latest)
        mine = lines.services == self._name
        own = np.where(lines.times == NO_TIME, clock, lines.times)[mine]
        self._latest = clock[-1]
        times = np.maximum.accumulate(np.concatenate([self._times, own]))
        kept = np.full(len(times), self._latest == NO_TIME)
        if self._latest != NO_TIME:
            kept = times > self._latest - int(float(self.minutes) * 60e6)
        self._times = times[kept]
        self._values = np.concatenate([self._values, lines.response_times[mine]])[kept]
        self._errors = np.concatenate([self._errors, lines.are_errors()[mine]])[kept]

    def statistics(self) -> ServiceStatistics:
        """Count the lines that came in the minutes up to the last line of all."""
        usable = (self._values >= 0) & (self._values < np.inf)
        return _counted(self.service, self.minutes, np.where(usable, self._values, np.float32(np.nan)), self._errors)


def _counted(
    service: str | None, minutes: float, latencies: NDArray[np.float32], errors: NDArray[np.bool_]
) -> ServiceStatistics:
    there = latencies[~np.isnan(latencies)].astype(np.float64)
    measured = [float(f(there)) for f in (np.mean, np.max, np.min)] if len(there) else [None] * 3
    count = int(errors.sum())
    return ServiceStatistics(service, minutes, len(errors), count, count / max(len(errors), 1), *measured)
