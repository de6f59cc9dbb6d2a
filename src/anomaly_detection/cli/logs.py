"""``logs``: log files, from raw lines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from anomaly_detection.cli import log_options as o
from anomaly_detection.cli.options import (
    Contamination,
    FailOnAnomaly,
    Json,
    Model,
    Quiet,
    RegistryFolder,
    Seed,
    one_standard_output,
    refuse_with,
)
from anomaly_detection.cli.options import contamination as as_contamination

if TYPE_CHECKING:
    from anomaly_detection.workflows.log_templates import TemplatesOutcome

app = typer.Typer(help="Read log files.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Read log files."""


@app.command()
def templates(
    file: o.File,
    message: o.Message = None,
    mask: o.Mask = None,
    output: o.Output = None,
    output_format: o.OutputFormat = None,
    top: o.Top = 20,
    format_: o.Format = None,
    pattern: o.Pattern = None,
    aside: o.Aside = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Find the templates of a log: which lines the same statement of the program wrote.

    --output has a row for each line: its number in the file, template_id and template.
    """
    from anomaly_detection.cli.terminal import progress
    from anomaly_detection.workflows.log_reading import LogReading
    from anomaly_detection.workflows.log_templates import TemplatesRequest, templates_of_file

    one_standard_output(as_json=as_json, output=output)
    reading = LogReading(file, format_, pattern, o.fields(message=message), aside=aside)
    request = TemplatesRequest(reading, o.masks(mask), output, output_format)
    with progress(quiet=quiet) as show:
        outcome = templates_of_file(request, show)
    _show(outcome, top, as_json=as_json, quiet=quiet, onscreen=output != "-")
    return 0


@app.command()
def score(
    ctx: typer.Context,
    file: o.File,
    model: Model = None,
    time: o.Time = None,
    level: o.Level = None,
    service: o.Service = None,
    message: o.Message = None,
    session: o.Session = None,
    session_pattern: o.SessionPattern = None,
    sessions: o.Sessions = False,
    response_time: o.ResponseTime = None,
    status: o.Status = None,
    train_rows: o.TrainRows = None,
    contamination: Contamination = "auto",
    output: o.Output = None,
    output_format: o.OutputFormat = None,
    report: o.Report = None,
    top: o.Top = 10,
    fail_on_anomaly: FailOnAnomaly = False,
    format_: o.Format = None,
    pattern: o.Pattern = None,
    zone: o.Zone = None,
    aside: o.Aside = None,
    registry: RegistryFolder = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Name the anomalous lines of a log, or with --session, --sessions or --session-pattern its anomalous sessions.

    Without --model or --train-rows the log is learned from and judged as a whole.
    """
    from anomaly_detection.cli.log_tables import show_scoring
    from anomaly_detection.cli.terminal import progress, say
    from anomaly_detection.workflows.log_reading import LogReading
    from anomaly_detection.workflows.log_scoring import LogScoringRequest, score_log

    if model is not None:
        refuse_with(ctx, "--model", ("train_rows", "contamination", "seed"))
    one_standard_output(as_json=as_json, output=output)
    roles = {"time": time, "level": level, "service": service, "message": message}
    fields = o.fields(**roles, session=session, response_time=response_time, status_code=status)
    request = LogScoringRequest(
        LogReading(file, format_, pattern, fields, zone, aside, session_pattern),
        by_session=sessions or session is not None or session_pattern is not None,
        train_rows=train_rows,
        contamination=as_contamination(contamination),
        seed=seed,
        output=output,
        output_format=output_format,
        top=top,
        report=report,
        model=model,
        registry=registry,
    )
    with progress(quiet=quiet) as show:
        outcome = score_log(request, show)
    show_scoring(outcome, as_json=as_json, quiet=quiet, onscreen=output != "-")
    if report is not None and not as_json and output != "-":
        say(f"Report written to {report}")
    return 1 if fail_on_anomaly and outcome.anomaly_count else 0


def _show(outcome: TemplatesOutcome, top: int, *, as_json: bool, quiet: bool, onscreen: bool) -> None:
    from anomaly_detection.cli.terminal import cut, print_json, say, show_table, side

    for note in () if quiet or as_json else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    ranked = sorted(outcome.templates, key=lambda one: (-one.lines, one.template_id))
    if as_json:
        print_json({"lines": outcome.lines, "templates": [asdict(one) for one in ranked], "notes": outcome.notes})
    elif onscreen:
        cells = [(one.template_id, f"{one.lines:,}", cut(one.template)) for one in ranked[:top]]
        show_table(None, ("id", "lines", "template"), cells, right=("id", "lines"), cut=("template",))
        say(f"{len(ranked):,} templates in {outcome.lines:,} lines", "bold")
