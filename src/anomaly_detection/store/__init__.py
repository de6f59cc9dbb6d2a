"""What the service remembers: jobs, keys, alarms, labels, in SQLite by default or PostgreSQL."""

from __future__ import annotations

from anomaly_detection.store.database import Database
from anomaly_detection.store.schema import upgrade

__all__ = ["Database", "upgrade"]
