"""What was found in logs as a person reads it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.text import Text

from anomaly_detection.cli.terminal import console, cut, print_json, say, severity, show_table, side
from anomaly_detection.records import counted
from anomaly_detection.workflows.log_reasons import ODDEST

if TYPE_CHECKING:
    from rich.console import Console

    from anomaly_detection.logs.statistics import ServiceStatistics
    from anomaly_detection.workflows.log_scoring import LogScoringOutcome
    from anomaly_detection.workflows.log_training import LogTrainOutcome

GROUPS = 5
"""So many anomalous templates and windows are shown."""

LONGEST = 32
"""The most characters of a session's name."""

FEWEST = 24
"""Characters of a template that are shown however narrow the terminal is."""


def show_scoring(outcome: LogScoringOutcome, *, as_json: bool, quiet: bool, onscreen: bool) -> None:
    """The most anomalous lines or sessions, templates and windows, and how many there are of each severity."""
    for note in () if quiet or as_json else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    if as_json:
        print_json({**asdict(outcome), "anomaly_count": outcome.anomaly_count})
        return
    screen = console() if onscreen else side()
    _show_top(outcome, screen)
    _show_templates(outcome, screen)
    _show_windows(outcome, screen)
    counts = [f"{outcome.severities[name]:,} {name}" for name in reversed(outcome.severities) if name != "normal"]
    told = ", ".join(one for one in counts if not one.startswith("0 "))
    judged = counted(outcome.judged, outcome.unit)
    anomalies = "1 anomaly" if outcome.anomaly_count == 1 else f"{outcome.anomaly_count:,} anomalies"
    ending = f": {told}" if told else ""
    say(f"{anomalies} in {judged} at \u03b1 = {outcome.alpha:.4g}{ending}", "bold", screen=screen)


def _show_top(outcome: LogScoringOutcome, screen: Console) -> None:
    columns = (outcome.unit, "score", "p-value", "severity", "why")
    names = [cut(one[outcome.unit], LONGEST) for one in outcome.top]
    room = max(FEWEST, screen.width - max(map(len, names), default=0) - 28)
    cells = [
        (name, f"{one['anomaly_score']:.3f}", f"{one['p_value']:.2g}", severity(one["severity"]), _why(one, room))
        for name, one in zip(names, outcome.top, strict=True)
    ]
    _show("Most anomalous", columns, cells, ("score", "p-value"), screen)


def _why(one: dict[str, Any], room: int) -> Text:
    """The reason, and below it the template, or the oddest line, as far as there is room in one line."""
    reason, _, oddest = (one["reason"] or "").partition(ODDEST)
    return Text("\n".join(filter(None, (reason, cut(one.get("template") or oddest, room)))))


def _show_templates(outcome: LogScoringOutcome, screen: Console) -> None:
    columns = ("lines", "p-value", "severity", "template")
    cells = [
        (
            f"{one['lines']:,}",
            f"{one['p_value']:.2g}",
            severity(one["severity"]),
            Text(f"{cut(one['template'], max(FEWEST, screen.width - 28))}\n{one['reason'] or ''}".rstrip()),
        )
        for one in outcome.templates[:GROUPS]
    ]
    _show(_title("Anomalous templates", outcome.odd_templates), columns, cells, ("lines", "p-value"), screen)


def _show_windows(outcome: LogScoringOutcome, screen: Console) -> None:
    columns = ("from", "service", "p-value", "severity", "why")
    cells = [
        (
            one["start"][:16].replace("T", " "),
            cut(one["service"] or "no service", FEWEST),
            f"{one['p_value']:.2g}",
            severity(one["severity"]),
            one["reason"],
        )
        for one in outcome.windows[:GROUPS]
    ]
    _show(_title("Anomalous windows", outcome.odd_windows), columns, cells, ("p-value",), screen)


def _title(words: str, count: int) -> str:
    return words if count <= GROUPS else f"{words}, {GROUPS} of {count:,}"


def _show(
    title: str, columns: tuple[str, ...], cells: list[tuple[Any, ...]], right: tuple[str, ...], screen: Console
) -> None:
    if cells:
        show_table(title, columns, cells, right=right, screen=screen)
        say(screen=screen)


def show_log_trained(outcome: LogTrainOutcome, *, quiet: bool) -> None:
    """What was registered, and what it learned from."""
    version, trained = outcome.version, outcome.trained
    for note in () if quiet else outcome.notes:
        say(f"note: {note}", "dim", screen=side())
    pointing = f", {', '.join(version.aliases)}" if version.aliases else ""
    say(f"Registered {version.reference} ({version.size / 1024:.0f} KiB){pointing}", "bold")
    sessions = f" of {counted(trained.pipeline.rows_, 'session')}" if trained.by_session else ""
    learned = f"{counted(trained.lines, 'line')}{sessions} with {counted(trained.pipeline.templates(), 'template')}"
    say(f"\u03b1 = {trained.pipeline.alpha_:.4g}, learned from {learned}")


def show_statistics(found: ServiceStatistics, notes: tuple[str, ...], *, quiet: bool) -> None:
    """The window of a service."""
    for note in () if quiet else notes:
        say(f"note: {note}", "dim", screen=side())
    rows = [(name, _shown(value)) for name, value in asdict(found).items()]
    show_table(None, ("what", "value"), rows, right=("value",))


def _shown(value: str | float | None) -> str:
    return "none" if value is None else value if isinstance(value, str) else f"{value:,.6g}"
