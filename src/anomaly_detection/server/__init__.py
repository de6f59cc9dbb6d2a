"""The service: API and dashboard in one process, or each alone."""

from __future__ import annotations

from anomaly_detection.server.app import Parts, create_app
from anomaly_detection.server.running import serve

__all__ = ["Parts", "create_app", "serve"]
