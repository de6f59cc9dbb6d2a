"""``quality``: checks of whole tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli import table_checks
from anomaly_detection.cli import table_options as t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.quality.answer import Finding
    from anomaly_detection.quality.pattern import PatternAnswer

app = typer.Typer(help="Check whole tables.", no_args_is_help=True)

WRITTEN = "What comes out"

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", help="Columns a,b to look at; all by default.", metavar="NAMES", rich_help_panel=t.JUDGED
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Columns that say what a row is about; rows with the same key are held against each other.",
        metavar="NAMES",
        rich_help_panel=t.JUDGED,
    ),
]
History = Annotated[
    list[str] | None,
    typer.Option(
        "--history",
        help="A folder that remembers, a directory of daily files, or a file with an earlier table; repeatable, the "
        "oldest first. Without it the table is its own norm.",
        metavar="PLACE",
        rich_help_panel=t.PAST,
    ),
]
Rows = Annotated[
    int,
    typer.Option(
        "--rows",
        min=1,
        help="With --url: the most rows that are read, spread over the table.",
        metavar="NUMBER",
        rich_help_panel=t.TABLE,
    ),
]
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance",
        help="Share of a column's rows that may be wrong in one way without an alarm.",
        metavar="SHARE",
        rich_help_panel=t.JUDGED,
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        help="auto; autoencoder looks also at rows as a whole.",
        metavar="NAME",
        rich_help_panel=t.JUDGED,
    ),
]
CellScores = Annotated[
    str | None,
    typer.Option(
        "--cell-scores",
        help="A file for the score of every cell, in the table's shape; higher is worse.",
        metavar="FILE",
        rich_help_panel=WRITTEN,
    ),
]
Output = Annotated[
    str | None,
    typer.Option("--output", "-o", help="A file for the findings.", metavar="FILE", rich_help_panel=WRITTEN),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--output-format", help="Its format, when the name does not tell.", metavar="FORMAT", rich_help_panel=WRITTEN
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=0, help="How many findings are shown.", metavar="NUMBER", rich_help_panel=WRITTEN)
]


@app.callback()
def _group() -> None:
    """Check whole tables."""


@app.command()
def pattern(
    data: t.Data = None,
    url: t.Url = None,
    table: t.Table = None,
    rows: Rows = 50_000,
    columns: Columns = None,
    key: Key = None,
    history: History = None,
    remember: t.Remember = False,
    now: t.Now = None,
    segment: t.Segment = None,
    tolerance: Tolerance = 0.002,
    method: Method = "auto",
    cell_scores: CellScores = None,
    output: Output = None,
    output_format: OutputFormat = None,
    top: Top = 20,
    fail_on_anomaly: o.FailOnAnomaly = False,
    format_: o.Format = None,
    encoding: o.Encoding = "utf-8",
    delimiter: o.Delimiter = None,
    as_json: o.Json = False,
    quiet: o.Quiet = False,
) -> int:
    """Find wrong cells: odd shapes, typos, values that contradict their row, missing ones. No rules are needed."""
    from anomaly_detection.cli.terminal import progress
    from anomaly_detection.workflows.cell_reading import TableReading
    from anomaly_detection.workflows.quality import PatternRequest, check_pattern_of
    from anomaly_detection.workflows.table_reading import microseconds

    o.one_standard_output(as_json=as_json, output=output, cell_scores=cell_scores)
    present = None if now is None else t.moment(now)
    until = None if present is None else microseconds(present)
    request = PatternRequest(
        TableReading(data, format_, encoding, delimiter, o.names(columns), url, table, rows, until),
        key=o.names([key] if key else None),
        history=tuple(history or ()),
        tolerance=tolerance,
        method=method,
        segments=o.names(segment),
        remember=remember,
        now=present,
        cell_scores=cell_scores,
        output=output,
        output_format=output_format,
    )
    with progress(quiet=quiet) as show:
        answer = check_pattern_of(request, show)
    _show(answer, top, quiet=quiet, as_json=as_json, onscreen="-" not in (output, cell_scores))
    return 1 if fail_on_anomaly and answer.is_anomaly else 0


def _show(answer: PatternAnswer, top: int, *, quiet: bool, as_json: bool, onscreen: bool) -> None:
    from anomaly_detection.cli.terminal import SEVERITY_STYLES, print_json, say, side

    if as_json:
        print_json(answer.to_dict())
        return
    for note in () if quiet else answer.notes:
        say(f"note: {note}", "dim", screen=side())
    if onscreen:
        _show_findings(answer.findings[:top])
        say(answer.message, "bold")
        say(f"{answer.severity}, confidence {answer.confidence:.2f}", SEVERITY_STYLES[answer.severity])


def _show_findings(findings: Sequence[Finding]) -> None:
    from anomaly_detection.cli.terminal import severity, show_table

    if findings:
        cells = [(severity(one.severity), f"{one.rows:,}", one.message) for one in findings]
        show_table(None, ("severity", "rows", "finding"), cells, right=("rows",))


for _check in table_checks.COMMANDS:
    app.command()(_check)
