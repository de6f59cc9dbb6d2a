"""``serve``: the REST API and the dashboard."""

from __future__ import annotations

import gc
import sys
from typing import Annotated, Any, Literal

import typer

Parts = Literal["all", "api", "web"]


def serve(
    host: Annotated[list[str] | None, typer.Option(help="Where to listen; may be given more than once.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 for any that is free.")] = None,
    open_access: Annotated[
        bool, typer.Option("--open", help="Ask nobody for a key. For development; this machine only.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=0, max=64, help="Processes beside it that run jobs.")] = None,
    log_format: Annotated[Literal["lines", "json"] | None, typer.Option(help="How it logs.")] = None,
    only: Annotated[Parts, typer.Option(help="One part alone.")] = "all",
) -> None:
    """Start the REST API and the dashboard in one process; settings of the environment hold for what is not given."""
    gc.disable()  # a fifth of the start was looking for garbage among what is imported, and there is none
    try:
        from anomaly_detection.server import serve as serve_until_stopped
        from anomaly_detection.settings import Settings
    finally:
        gc.enable()

    given: dict[str, Any] = {"host": ",".join(host) if host else None, "workers": workers, "log_format": log_format}
    given["web_port" if only == "web" else "port"] = port
    given["open_access"] = open_access or None
    settings = Settings(**{name: value for name, value in given.items() if value is not None})
    serve_until_stopped(settings, only, _say)


def _say(text: str) -> None:
    from anomaly_detection.cli.terminal import say

    say(text)
    sys.stdout.flush()
