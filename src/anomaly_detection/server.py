"""The service: API and dashboard in one process, or each alone."""

from __future__ import annotations

from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from anomaly_detection.api import Context, create_api
from anomaly_detection.errors import ParameterError
from anomaly_detection.web import create_web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anomaly_detection.settings import Settings

Parts = Literal["all", "api", "web"]


def create_app(context: Context, parts: Parts = "all") -> Starlette:
    """The application of a context, which is closed when it ends."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        context.close()

    if parts == "web":
        return Starlette(routes=[Mount("/", create_web(context))], lifespan=lifespan)
    api = create_api(context)
    api.router.lifespan_context = lifespan
    if parts == "all":
        api.mount("/", create_web(context))
    return api


def serve(settings: Settings, parts: Parts = "all") -> None:
    """Serve until stopped.

    Raises
    ------
    ParameterError
        if access is open and others than this machine could reach it.
    StoreError
        if the database does not answer.
    """
    if settings.open_access and not _is_this_machine(settings.host):
        raise ParameterError(
            f"Access is open, and {settings.host} can be reached by others. Listen on 127.0.0.1, or leave out --open "
            "and make keys with: anomaly-detection keys create."
        )
    app = create_app(Context.open(settings), parts)
    port = settings.web_port if parts == "web" else settings.port
    uvicorn.run(app, host=settings.host, port=port, log_level="warning", server_header=False)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
