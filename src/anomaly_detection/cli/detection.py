"""``detection run``: find the anomalies in a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o

if TYPE_CHECKING:
    from anomaly_detection.workflows.detect import DetectOutcome

app = typer.Typer(help="Find anomalies in tables.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Find anomalies in tables."""


Fdr = Annotated[float | None, typer.Option("--fdr", help="Hold the false share of the alarms at this instead.")]
Model = Annotated[str | None, typer.Option("--model", "-m", help="Score with a registered model: name@production.")]
TrainColumn = Annotated[str | None, typer.Option("--train-column", help="Fit where it is true, score the others.")]
TrainRows = Annotated[int | None, typer.Option("--train-rows", min=1, help="Fit on the first rows, score the others.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write verdicts: .csv .json .jsonl .parquet …")]
OutputFormat = Annotated[str | None, typer.Option("--output-format", help="When the name of --output does not tell.")]
Explain = Annotated[bool, typer.Option("--explain", help="Write the reasons for every anomaly, too.")]
Top = Annotated[int, typer.Option("--top", min=0, max=10_000, help="How many anomalies to show.")]
FailOnAnomaly = Annotated[bool, typer.Option("--fail-on-anomaly", help="Exit with 1 when there are anomalies.")]


@app.command()
def run(
    data: o.Data,
    algorithm: o.Algorithm = "isolation_forest",
    param: o.Parameter = None,
    contamination: o.Contamination = "auto",
    threshold: o.Threshold = None,
    fdr: Fdr = None,
    model: Model = None,
    train_column: TrainColumn = None,
    train_rows: TrainRows = None,
    output: Output = None,
    output_format: OutputFormat = None,
    explain: Explain = False,
    top: Top = 10,
    fail_on_anomaly: FailOnAnomaly = False,
    columns: o.Columns = None,
    categorical: o.Categorical = None,
    timestamp: o.Timestamp = None,
    key: o.Key = None,
    label: o.Label = None,
    ignore: o.Ignore = None,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    registry: o.RegistryFolder = None,
    seed: o.Seed = 0,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Fit on a table, or use a trained model, and name its anomalous rows.

    Without --model, --train-column or --train-rows the rows are held against one another.
    """
    from anomaly_detection.cli.terminal import console, print_json, progress
    from anomaly_detection.workflows.detect import DetectRequest, detect_file
    from anomaly_detection.workflows.fitting import Fitting

    reading = o.reading(data, format_, encoding, delimiter, columns, categorical, timestamp, key, label, ignore)
    request = DetectRequest(
        reading=reading,
        fitting=Fitting(algorithm, o.parameters(param), o.contamination(contamination), threshold, seed),
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
    if as_json:
        print_json(outcome.to_dict())
    else:
        show_outcome(outcome, quiet=quiet)
        if output is not None:
            console().print(f"Verdicts written to {output}")
    return 1 if fail_on_anomaly and outcome.anomaly_count else 0


def show_outcome(outcome: DetectOutcome, *, quiet: bool) -> None:
    """Print the anomalies, the counts, and the evaluation if there is one."""
    from anomaly_detection.cli.terminal import console, styled_severity, table

    screen = console()
    if not quiet:
        _show_schema(outcome)
    shown = [one for one in outcome.top if one["is_anomaly"]]
    if shown:
        columns = [
            "row",
            *(name for name in ("key", "time") if name in shown[0]),
            "score",
            "p_value",
            "severity",
            "why",
        ]
        rows = [_cells(one, columns, styled_severity(one["severity"])) for one in shown]
        screen.print(table("Most anomalous", columns, rows, right=("row", "score", "p_value")))
        screen.print()
    counts = ", ".join(f"{count:,} {styled_severity(name)}" for name, count in outcome.severities.items() if count)
    screen.print(
        f"[bold]{outcome.anomaly_count:,}[/] anomalies in {outcome.rows:,} rows at α = {outcome.alpha:.4g}  ({counts})"
    )
    if outcome.evaluation is not None:
        screen.print()
        screen.print(_evaluation_table(outcome))


def _cells(one: dict[str, Any], columns: list[str], severity: str) -> list[str]:
    why = "; ".join(_reason(reason) for reason in one["reasons"])
    told = {"score": f"{one['score']:.4f}", "p_value": f"{one['p_value']:.2g}", "severity": severity, "why": why}
    return [told.get(name, str(one.get(name))) for name in columns]


def _reason(reason: dict[str, Any]) -> str:
    from anomaly_detection.explain import Reason

    return Reason(**reason).sentence().replace("[", "\\[")


def _show_schema(outcome: DetectOutcome) -> None:
    from anomaly_detection.cli.terminal import side

    schema = outcome.pipeline.schema_
    kinds: dict[str, list[str]] = {}
    for column in schema.features:
        kinds.setdefault(column.kind, []).append(column.name)
    for kind, columns in kinds.items():
        shown = ", ".join(columns[:12]) + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
        side().print(f"[dim]{kind}: {shown}[/]")
    for left in schema.set_aside:
        side().print(f"[dim]set aside: {left.name} ({left.reason})[/]")
    for note in outcome.notes:
        side().print(f"[dim]note: {note}[/]")


def _evaluation_table(outcome: DetectOutcome) -> Any:
    from anomaly_detection.cli.evaluations import evaluation_table

    assert outcome.evaluation is not None  # noqa: S101
    return evaluation_table(outcome.evaluation)
