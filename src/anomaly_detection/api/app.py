"""The REST API, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from anomaly_detection.api import problems
from anomaly_detection.api.middleware import stack
from anomaly_detection.api.routes import (
    audit,
    detection,
    health,
    model_files,
    model_rows,
    models,
    point_series,
    quality,
    tokens,
)
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context

ROUTES = (
    health.router,
    detection.router,
    quality.router,
    models.router,
    model_rows.router,
    model_files.router,
    tokens.router,
    point_series.router,
    audit.router,
)
"""A router for each noun."""

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


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
        middleware=stack(context),
    )
    app.state.context = context
    problems.install(app)
    for router in ROUTES:
        app.include_router(router)
    for under in ("/api", "/anomalydetector"):
        app.add_route(f"{under}/{{rest:path}}", _nowhere, methods=METHODS, include_in_schema=False)
    return app


async def _nowhere(request: Request) -> Response:
    """What no route answers under the paths of the API: not the dashboard's, which may be mounted behind."""
    routes = [route for router in ROUTES for route in router.routes if isinstance(route, APIRoute)]
    found = [route.methods for route in routes if route.path_regex.match(request.url.path)]
    allowed = sorted(set[str]().union(*found))
    if allowed:
        detail = f"{request.method} is not for this path; it takes {', '.join(allowed)}."
        return problems.told(request.scope, 405, detail, {"Allow": ", ".join(allowed)})
    return problems.told(request.scope, 404, "There is nothing at this path. All paths are in /openapi.json.")
