"""``detection run``: find the anomalies in a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import completion
from anomaly_detection.cli import options as o
from anomaly_detection.cli import series_options as so

if TYPE_CHECKING:
    from anomaly_detection.workflows.detect import DetectOutcome

app = typer.Typer(help="Find anomalies in tables.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Find anomalies in tables."""


OUTPUT = "Write the verdicts on all rows: .csv .json .jsonl .parquet, .gz and .zst too; - is standard output."

Fdr = Annotated[
    float | None,
    typer.Option(
        "--fdr",
        help="Hold the false share of the alarms at this; with a model or training rows.",
        metavar="SHARE",
        rich_help_panel=o.MODEL,
    ),
]
TrainColumn = Annotated[
    str | None,
    typer.Option(
        "--train-column", help="Fit where it is true, score the others.", metavar="NAME", rich_help_panel=o.MODEL
    ),
]
TrainRows = Annotated[
    int | None,
    typer.Option(
        "--train-rows",
        min=1,
        help="Fit on the first rows, score the others.",
        metavar="NUMBER",
        rich_help_panel=o.MODEL,
    ),
]
Output = Annotated[str | None, typer.Option("--output", "-o", help=OUTPUT, metavar="FILE", rich_help_panel=o.VERDICTS)]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--output-format",
        help="When the name of --output does not tell.",
        autocompletion=completion.formats,
        metavar="FORMAT",
        rich_help_panel=o.VERDICTS,
    ),
]
Explain = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Say and write why each anomaly is one, and what would make it normal.",
        rich_help_panel=o.VERDICTS,
    ),
]
Top = Annotated[
    int,
    typer.Option(
        "--top", min=0, max=10_000, help="How many anomalies to show.", metavar="NUMBER", rich_help_panel=o.VERDICTS
    ),
]


@app.command()
def run(
    ctx: typer.Context,
    data: o.Data,
    algorithm: o.Algorithm = "auto",
    param: o.Parameter = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    transform: o.Transform = None,
    per_key: o.PerKey = False,
    min_rows: o.MinRows = None,
    fdr: Fdr = None,
    model: o.Model = None,
    train_column: TrainColumn = None,
    train_rows: TrainRows = None,
    output: Output = None,
    output_format: OutputFormat = None,
    explain: Explain = False,
    top: Top = 10,
    fail_on_anomaly: o.FailOnAnomaly = False,
    columns: o.Columns = None,
    categorical: o.Categorical = None,
    timestamp: o.Timestamp = None,
    key: o.Key = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    direction: so.Direction = "both",
    minimum_change: so.MinimumChange = 0.0,
    minimum_share: so.MinimumShare = 0.0,
    lower_bound: so.LowerBound = None,
    upper_bound: so.UpperBound = None,
    offline: so.Offline = False,
    zone: so.Zone = None,
    budget: so.Budget = None,
    registry: o.RegistryFolder = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Fit on a table, or use a trained model, and name its anomalous rows.

    Without --model, --train-column or --train-rows the rows are held against one another. With --timestamp and columns
    of numbers, rows are a time series: each is judged by those before it.
    """
    from anomaly_detection.cli.terminal import progress
    from anomaly_detection.workflows.detect import DetectRequest, detect_file

    if model is not None:
        o.refuse_with(ctx, "--model", (*o.SET_BY_A_MODEL, *so.SET_BY_A_MODEL))
    o.one_standard_output(as_json=as_json, output=output)
    reading = o.reading(data, format_, encoding, delimiter, columns, categorical, timestamp, key, label, ignore)
    series = so.wishes(
        direction, minimum_change, minimum_share, lower_bound, upper_bound, zone, budget, offline=offline
    )
    fitting = o.fitting(
        algorithm, param, contamination, threshold, transform, seed, per_key=per_key, key=key, min_rows=min_rows
    )
    request = DetectRequest(
        reading=reading,
        fitting=replace(fitting, series=series),
        model=model,
        registry=registry,
        train_column=train_column,
        train_rows=train_rows,
        fdr=fdr,
        output=output,
        output_format=output_format,
        explain=explain,
        top=top,
    )
    with progress(quiet=quiet or as_json) as show:
        outcome = detect_file(request, show)
    _tell(outcome, output, as_json=as_json, quiet=quiet)
    return 1 if fail_on_anomaly and outcome.anomaly_count else 0


def _tell(outcome: DetectOutcome, output: str | None, *, as_json: bool, quiet: bool) -> None:
    from anomaly_detection.cli.terminal import console, print_json, say, side
    from anomaly_detection.cli.verdicts import show_notes, show_outcome

    if as_json:
        print_json(outcome.to_dict())
        return
    if not quiet:
        show_notes(outcome)
    show_outcome(outcome, side() if output == "-" else console())
    if output not in (None, "-"):
        say(f"Verdicts written to {output}")
