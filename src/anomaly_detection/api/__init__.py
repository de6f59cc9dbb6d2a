"""The REST API: thin; every route calls a workflow."""

from __future__ import annotations

from anomaly_detection.api.app import create_api
from anomaly_detection.api.context import Context

__all__ = ["Context", "create_api"]
