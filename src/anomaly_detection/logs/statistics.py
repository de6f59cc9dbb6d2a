"""What the window of a service holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs.lines import hash_name

if TYPE_CHECKING:
    from anomaly_detection.features.logs import ServiceWindows


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
    latencies, errors = windows.of_service(hash_name(service or ""))
    there = latencies[~np.isnan(latencies)].astype(np.float64)
    measured = [float(f(there)) for f in (np.mean, np.max, np.min)] if len(there) else [None] * 3
    count = int(errors.sum())
    return ServiceStatistics(service, minutes, len(errors), count, count / max(len(errors), 1), *measured)
