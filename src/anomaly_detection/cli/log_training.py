"""``logs train`` and ``logs stats``: a model of a log, and the last minutes of a service."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from anomaly_detection.cli import log_options as o
from anomaly_detection.cli.logs import app
from anomaly_detection.cli.models import Aliases, Name
from anomaly_detection.cli.options import Contamination, Json, Quiet, RegistryFolder, Seed, names
from anomaly_detection.cli.options import contamination as as_contamination

Log = Annotated[
    str,
    typer.Option(
        "--data",
        "-d",
        help="The log file, .gz and .zst too; - is standard input.",
        metavar="FILE",
        rich_help_panel=o.RECORDS,
    ),
]


@app.command()
def train(
    file: o.File,
    name: Name,
    time: o.Time = None,
    level: o.Level = None,
    service: o.Service = None,
    message: o.Message = None,
    session: o.Session = None,
    session_pattern: o.SessionPattern = None,
    sessions: o.Sessions = False,
    response_time: o.ResponseTime = None,
    status: o.Status = None,
    contamination: Contamination = "auto",
    alias: Aliases = None,
    format_: o.Format = None,
    pattern: o.Pattern = None,
    zone: o.Zone = None,
    aside: o.Aside = None,
    registry: RegistryFolder = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn what is normal in a log, and register a new version of a model.

    How the log is read is kept with the model: logs score FILE --model NAME needs no more.
    """
    from anomaly_detection.cli.log_tables import show_log_trained
    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.workflows.log_reading import LogReading
    from anomaly_detection.workflows.log_training import LogTrainRequest, train_log

    roles = {"time": time, "level": level, "service": service, "message": message}
    fields = o.fields(**roles, session=session, response_time=response_time, status_code=status)
    request = LogTrainRequest(
        LogReading(file, format_, pattern, fields, zone, aside, session_pattern),
        name,
        by_session=sessions or session is not None or session_pattern is not None,
        contamination=as_contamination(contamination),
        seed=seed,
        aliases=names(alias),
        registry=registry,
    )
    with progress(quiet=quiet or as_json) as show:
        outcome = train_log(request, show)
    if as_json:
        print_json(outcome.to_dict())
    else:
        show_log_trained(outcome, quiet=quiet)


@app.command()
def stats(
    name: Annotated[str, typer.Argument(help="The service.", metavar="SERVICE")],
    data: Log,
    minutes: o.Minutes = 5.0,
    time: o.Time = None,
    level: o.Level = None,
    service: o.Service = None,
    response_time: o.ResponseTime = None,
    status: o.Status = None,
    format_: o.Format = None,
    pattern: o.Pattern = None,
    zone: o.Zone = None,
    aside: o.Aside = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show lines, errors and latencies of a service in the minutes up to the last line of a log."""
    from anomaly_detection.cli.log_tables import show_statistics
    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.workflows.log_reading import LogReading
    from anomaly_detection.workflows.log_statistics import statistics_of_log

    roles = {"time": time, "level": level, "service": service}
    fields = o.fields(**roles, response_time=response_time, status_code=status)
    reading = LogReading(data, format_, pattern, fields, zone, aside)
    with progress(quiet=quiet or as_json) as show:
        found, notes = statistics_of_log(reading, name, minutes, show)
    if as_json:
        print_json(asdict(found))
    else:
        show_statistics(found, notes, quiet=quiet)
