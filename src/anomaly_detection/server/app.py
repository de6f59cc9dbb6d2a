"""The application of a service."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from anomaly_detection.api import Context, create_api
from anomaly_detection.api.routes import health
from anomaly_detection.monitoring.requests import Requests
from anomaly_detection.web import create_web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette

Parts = Literal["all", "api", "web"]


def create_app(context: Context, parts: Parts = "all") -> Starlette:
    """The application of a context, which is closed when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        context.close()

    app = create_api(context, (health.router,)) if parts == "web" else create_api(context)
    app.router.lifespan_context = lifespan
    if parts != "api":
        app.mount("/", create_web(context))
    app.add_middleware(Requests)
    return app
