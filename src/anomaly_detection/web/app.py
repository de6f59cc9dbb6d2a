"""The dashboard, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context


def create_web(context: Context) -> Starlette:
    """The application with the pages; it may be mounted at ``/`` beside the API, or run alone."""
    app = Starlette(routes=[])
    app.state.context = context
    return app
