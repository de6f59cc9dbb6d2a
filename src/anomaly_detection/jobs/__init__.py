"""Long work that survives a kill: a queue with leases, workers, schedules."""

from __future__ import annotations

from anomaly_detection.jobs.queue import Queue
from anomaly_detection.store.jobs import ENDED, STATES, Job, Line

__all__ = ["ENDED", "STATES", "Job", "Line", "Queue"]
