"""``logs demo``: see it find the incidents of a log that was made up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anomaly_detection.cli import options as o
from anomaly_detection.cli.logs import app

if TYPE_CHECKING:
    from anomaly_detection.workflows.log_demo import LogDemoOutcome


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where to put the demonstration's files; a temporary folder by default."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=2_000, max=1_000_000, help="How many lines to make.")] = 20_000,
    as_json: o.Json = False,
) -> int:
    """Make a log with known incidents, find them, and write a report on it."""
    import tempfile

    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.workflows.log_demo import demonstrate_logs

    place = folder or Path(tempfile.mkdtemp(prefix="anomaly-detection-logs-"))
    place.mkdir(parents=True, exist_ok=True)
    with progress(quiet=as_json) as show:
        found = demonstrate_logs(place, rows, show)
    if as_json:
        print_json(found.to_dict())
    else:
        _show(found, place)
    return 0


def _show(found: LogDemoOutcome, place: Path) -> None:
    from anomaly_detection.cli.log_tables import show_scoring
    from anomaly_detection.cli.terminal import say

    say(f"$ anomaly-detection logs score {found.data} --train-rows {found.train_rows} --report {found.report}", "dim")
    show_scoring(found.outcome, as_json=False, quiet=True, onscreen=True)
    say()
    _show_incidents(found)
    say(_words(found))
    say(f"Report written to {found.report}; everything is in {place}")


def _show_incidents(found: LogDemoOutcome) -> None:
    from anomaly_detection.cli.terminal import show_table

    cells = [
        (
            f"{one.first_line:,}",
            one.service,
            one.kind.replace("_", " "),
            f"{one.lines:,}",
            f"{one.found / one.lines:.0%}",
            "missed" if one.seen_after is None else f"line {one.seen_after}",
        )
        for one in found.incidents
    ]
    columns = ("from line", "service", "incident", "lines", "alarms", "seen at its")
    show_table("What happened, by the labels", columns, cells, right=("from line", "lines", "alarms"))


def _words(found: LogDemoOutcome) -> str:
    seen = sum(one.seen_after is not None for one in found.incidents)
    told = found.evaluation
    false = 0.0 if told.false_positive_rate is None else told.false_positive_rate
    ranked = "" if told.auroc is None else f" AUROC of the lines: {told.auroc:.3f}."
    return (
        f"{seen} of {len(found.incidents)} incidents were seen; {false:.1%} of the other lines raised an alarm.{ranked}"
    )
