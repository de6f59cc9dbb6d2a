"""The dashboard: pages made on the server, live by HTMX; works without JavaScript."""

from __future__ import annotations

from anomaly_detection.web.app import create_web

__all__ = ["create_web"]
