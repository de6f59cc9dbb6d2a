"""``reports``: results as a page for people."""

from __future__ import annotations

from typing import Annotated

import typer

from anomaly_detection.cli import completion

app = typer.Typer(help="Turn results into pages for people.", no_args_is_help=True)

Results = Annotated[
    str, typer.Argument(help="JSON results of `detection run` or `logs score`; - is standard input.", metavar="RESULTS")
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        help="html, md or json; told from --output, else html.",
        autocompletion=completion.report_formats,
        metavar="FORMAT",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", help="The file to write; beside the results by default; - is standard output.", metavar="FILE"
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=0, max=1_000, help="How many anomalies are told in full.", metavar="NUMBER")
]


@app.callback()
def _group() -> None:
    """Turn results into pages for people."""


@app.command()
def detection(results: Results, format_: Format = None, output: Output = None, top: Top = 50) -> int:
    """Write a report on the results of `detection run` or `logs score`, written with `--output results.json`.

    HTML is one page with charts that opens anywhere and loads nothing; Markdown and JSON say the same.
    """
    from anomaly_detection.cli.terminal import say
    from anomaly_detection.workflows.report import STANDARD, ReportRequest, report_detection

    outcome = report_detection(ReportRequest(results, output, format_, top))
    if outcome.place != STANDARD:
        say(outcome.lead)
        say(f"Report written to {outcome.place}")
    return 0
