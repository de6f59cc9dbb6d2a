"""``demo``: see it work on a table of orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anomaly_detection.cli import options as o

if TYPE_CHECKING:
    from anomaly_detection.workflows.demo import DemoOutcome


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where to put the demonstration's files; a temporary folder by default."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=200, max=1_000_000, help="How many orders to make.")] = 2_000,
    as_json: o.Json = False,
) -> int:
    """Make orders with planted frauds, find them, say why, and register a model."""
    import tempfile

    from anomaly_detection.cli.terminal import print_json, progress
    from anomaly_detection.workflows.demo import demonstrate

    place = folder or Path(tempfile.mkdtemp(prefix="anomaly-detection-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    with progress(quiet=as_json) as show:
        found = demonstrate(place, rows, show)
    if as_json:
        print_json({**found.outcome.to_dict(), "one_record": found.verdict.to_dict()})
    else:
        _show(found, place)
    return 0


def _show(found: DemoOutcome, place: Path) -> None:
    from anomaly_detection.cli.detection import show_outcome
    from anomaly_detection.cli.terminal import console, styled_severity

    screen = console()
    screen.rule("[bold]1. Find the anomalies in a table of orders")
    screen.print(
        f"[dim]$ anomaly-detection detection run --data {found.data} --key order_id --label fraud --explain[/]"
    )
    show_outcome(found.outcome, quiet=False)
    screen.rule("[bold]2. Train and register a model")
    screen.print(
        f"[dim]$ anomaly-detection models train --data {found.data} --name orders --registry {place / 'registry'}[/]"
    )
    screen.print(f"Registered {found.model.name} version {found.model.version}.")
    screen.rule("[bold]3. Score one order with it")
    verdict = found.verdict
    screen.print(
        f"anomaly_score {verdict.anomaly_score:.2f}  {styled_severity(verdict.severity)}  p = {verdict.p_value:.2g}"
    )
    for reason in found.reasons:
        screen.print(f"  {_plain(reason)}")
    screen.print(f"One record takes {found.microseconds:.0f} µs from a dict to its verdict.")
    screen.print(f"Everything is in {place}")


def _plain(reason: Any) -> str:
    text: str = reason.sentence()
    return text.replace("[", "\\[")
