"""``demo``: see it work on a table of orders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    from anomaly_detection.cli.terminal import console, say, severity
    from anomaly_detection.cli.verdicts import show_outcome

    _step("1. Find the anomalies in a table of orders")
    say(f"$ anomaly-detection detection run --data {found.data} --key order_id --label fraud --explain", "dim")
    show_outcome(found.outcome)
    _step("2. Train and register a model")
    say(f"$ anomaly-detection models train --data {found.data} --name orders --registry {place / 'registry'}", "dim")
    say(f"Registered {found.model.name} version {found.model.version}.")
    _step("3. Score one order with it")
    verdict = found.verdict
    words = f"  anomaly score {verdict.anomaly_score:.2f}, p-value {verdict.p_value:.2g}"
    console().print(severity(verdict.severity), words, sep="")
    for reason in found.explanation.reasons:
        say(f"  {reason.sentence()}")
    if found.explanation.counterfactual is not None:
        say(f"  {found.explanation.counterfactual.sentence()}")
    say(f"One record takes {found.microseconds:.0f} µs from a dict to its verdict.")
    say()
    say(f"Everything is in {place}")


def _step(title: str) -> None:
    from anomaly_detection.cli.terminal import say

    say()
    say(title, "bold")
