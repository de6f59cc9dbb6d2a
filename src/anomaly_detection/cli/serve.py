"""``serve``: the REST API and the dashboard."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port.")] = None,
    open_access: Annotated[
        bool, typer.Option("--open", help="Ask nobody for a key. For development; this machine only.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=0, max=64, help="Processes beside it that run jobs.")] = None,
    only: Annotated[Literal["all", "api", "web"], typer.Option(help="One part alone.")] = "all",
) -> None:
    """Start the REST API and the dashboard in one process."""
    _serve(only, host, port, open_access, workers)


def _serve(
    parts: Literal["all", "api", "web"], host: str | None, port: int | None, open_access: bool, workers: int | None
) -> None:
    from anomaly_detection.server import serve as serve_until_stopped
    from anomaly_detection.settings import Settings

    given: dict[str, Any] = {"host": host, "web_port" if parts == "web" else "port": port, "workers": workers}
    given["open_access"] = open_access or None
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    serve_until_stopped(settings, parts)
