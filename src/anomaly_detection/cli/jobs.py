"""``jobs``: the long work of the service, seen and ended from a terminal."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli.service_database import service_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.jobs import Job, Queue

app = typer.Typer(help="See, cancel and retry the long work of the service.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The id of a job.")]

COLUMNS = ("id", "kind", "state", "progress", "created")


@app.callback()
def _group() -> None:
    """See, cancel and retry the long work of the service."""


@app.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="Only those that are waiting, running, done, failed or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many, the newest first.")] = 20,
    as_json: o.Json = False,
) -> None:
    """List jobs, the newest first."""
    from anomaly_detection.cli.terminal import print_json, show_table

    with _queue() as queue:
        found = queue.list(state, limit=limit)
    if as_json:
        print_json([_shown(job) for job in found])
    else:
        show_table(None, COLUMNS, [_cells(job) for job in found])


@app.command()
def show(id: Id, as_json: o.Json = False) -> None:
    """Show a job: how far it is, what came of it, and what it logged."""
    from anomaly_detection.cli.terminal import print_json, say, show_table

    with _queue() as queue:
        job, lines = queue.get(id), queue.lines(id)
    if as_json:
        print_json({**_shown(job), "lines": [asdict(line) for line in lines]})
        return
    show_table(None, COLUMNS, [_cells(job)])
    for line in lines:
        say(f"{line.at:%Y-%m-%d %H:%M:%S}  {line.text}")
    if job.problem or job.result:
        say(job.problem or str(job.result))


@app.command()
def cancel(id: Id) -> None:
    """End a job: at once if it waits, within seconds if it runs."""
    from anomaly_detection.cli.terminal import say

    with _queue() as queue:
        job = queue.cancel(id)
    say(f"The job {job.id} is {'cancelled' if job.ended else 'being cancelled'}.")


@app.command()
def retry(id: Id) -> None:
    """Do a job again that has failed or was cancelled."""
    from anomaly_detection.cli.terminal import say

    with _queue() as queue:
        job = queue.retry(id)
    say(f"The job {job.id} waits for a worker.")


@contextmanager
def _queue() -> Iterator[Queue]:
    from anomaly_detection.jobs import Queue

    with service_database() as database:
        yield Queue(database)


def _shown(job: Job) -> dict[str, Any]:
    return {name: value for name, value in asdict(job).items() if name not in {"owner", "lease_until"}}


def _cells(job: Job) -> list[str]:
    return [job.id, job.kind, job.state, f"{job.progress:.0%}", f"{job.created:%m-%d %H:%M}"]
