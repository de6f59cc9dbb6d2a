"""The REST API, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware

from anomaly_detection.api import problems
from anomaly_detection.api.bare import Shortcut
from anomaly_detection.api.middleware import stack
from anomaly_detection.api.openapi import describe
from anomaly_detection.api.routes import (
    alerts,
    audit,
    detection,
    events,
    health,
    job_events,
    jobs,
    logs,
    model_files,
    model_rows,
    models,
    point_series,
    quality,
    schedules,
    scoring,
    streams,
    tokens,
    uploads,
)
from anomaly_detection.api.unanswered import Unanswered
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import APIRouter

    from anomaly_detection.api.context import Context

ROUTES = (
    logs.bare,
    logs.router,
    health.router,
    detection.router,
    quality.router,
    models.router,
    model_rows.router,
    model_files.router,
    jobs.router,
    job_events.router,
    schedules.router,
    uploads.router,
    alerts.router,
    events.router,
    scoring.router,
    streams.router,
    tokens.router,
    point_series.router,
    audit.router,
)
"""A router for each noun; those of the hot path first."""


def create_api(context: Context, routers: Sequence[APIRouter] = ROUTES) -> FastAPI:
    """The application with all routes of ``/api/v1`` and the short ones beside it, or with some of them.

    The context stays open; who made it closes it.
    """
    routes = [route for router in routers for route in router.routes]
    app = FastAPI(
        title="anomaly-detection",
        version=__version__,
        summary="From any stream of records to calibrated, explained anomaly verdicts.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        middleware=[*stack(context), Middleware(Shortcut, routes)],
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.context = context
    problems.install(app)
    describe(app)
    for router in routers:
        app.include_router(router)
    app.router.routes.append(Unanswered(routes))
    return app
