"""What was found in logs as a person reads it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from anomaly_detection.cli.terminal import print_json, say, severity, show_table, side
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from anomaly_detection.workflows.log_scoring import LogScoringOutcome


def show_scoring(outcome: LogScoringOutcome, *, as_json: bool, quiet: bool, onscreen: bool) -> None:
    """The most anomalous lines or sessions, and how many there are of each severity."""
    for note in () if quiet or as_json else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    if as_json:
        print_json({**asdict(outcome), "anomaly_count": outcome.anomaly_count})
        return
    screen = None if onscreen else side()
    if outcome.top:
        columns = (outcome.unit, "score", "p-value", "severity", "why")
        cells = [
            (
                one[outcome.unit],
                f"{one['anomaly_score']:.3f}",
                f"{one['p_value']:.2g}",
                severity(one["severity"]),
                "; ".join(filter(None, (one["reason"], one.get("template")))),
            )
            for one in outcome.top
        ]
        show_table("Most anomalous", columns, cells, right=("score", "p-value"), screen=screen)
        say(screen=screen)
    counts = [f"{outcome.severities[name]:,} {name}" for name in reversed(outcome.severities) if name != "normal"]
    told = ", ".join(one for one in counts if not one.startswith("0 "))
    judged = counted(outcome.judged, outcome.unit)
    anomalies = "1 anomaly" if outcome.anomaly_count == 1 else f"{outcome.anomaly_count:,} anomalies"
    ending = f": {told}" if told else ""
    say(f"{anomalies} in {judged} at \u03b1 = {outcome.alpha:.4g}{ending}", "bold", screen=screen)
