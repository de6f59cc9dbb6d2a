"""``worker``: does the long work that was asked for."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    once: Annotated[bool, typer.Option("--once", help="Do the jobs that wait now, then end.")] = False,
    database: Annotated[
        str | None, typer.Option(help="The service's database.", envvar="ANOMALY_DETECTION_DATABASE")
    ] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Do the jobs of the service: train, tune, judge tables, backtest. As many workers as you like may run."""
    from pydantic import SecretStr

    from anomaly_detection.settings import Settings
    from anomaly_detection.workflows.work import work

    settings = Settings() if database is None else Settings(database=SecretStr(database))
    done = work(settings, once=once, with_parent=with_parent)
    if once:
        typer.echo(f"{done} {'job' if done == 1 else 'jobs'} done.", err=True)
