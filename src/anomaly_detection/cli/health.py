"""``health system``: what is up and what is not."""

from __future__ import annotations

from typing import Annotated

import typer

from anomaly_detection.cli import options as o

app = typer.Typer(help="See whether everything works.", no_args_is_help=True)

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@app.callback()
def _group() -> None:
    """See whether everything works."""


@app.command()
def system(
    detailed: Annotated[bool, typer.Option("--detailed", help="Show versions and places, too.")] = False,
    registry: o.RegistryFolder = None,
    as_json: o.Json = False,
) -> int:
    """Say what is up, what is not, and what is missing; exits with 3 when something failed."""
    from rich.text import Text

    from anomaly_detection.cli.terminal import print_json, say, show_table
    from anomaly_detection.workflows.health import as_dict, details, system_health, worst

    checks = system_health(registry)
    if as_json:
        print_json({**as_dict(checks), **({"details": details()} if detailed else {})})
    else:
        rows = [(check.name, Text(check.state, STYLES[check.state]), check.detail) for check in checks]
        show_table(None, ("part", "state", "detail"), rows)
        if detailed:
            say()
            show_table("Details", ("what", "value"), details().items())
    return 3 if worst(checks) == "failed" else 0
