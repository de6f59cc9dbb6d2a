"""The REST API, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from anomaly_detection.api import problems
from anomaly_detection.api.routes import alerts, events, health, logs, scoring, streams
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context

ROUTES = (logs.bare, logs.router, alerts.router, events.router, scoring.router, streams.router, health.router)
"""A router for each noun; those of the hot path first."""


def create_api(context: Context) -> FastAPI:
    """The application with all routes of ``/api/v1`` and the short ones beside it.

    The context stays open; who made it closes it.
    """
    app = FastAPI(
        title="anomaly-detection",
        version=__version__,
        summary="From any stream of records to calibrated, explained anomaly verdicts.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.context = context
    problems.install(app)
    for router in ROUTES:
        app.include_router(router)
    return app
