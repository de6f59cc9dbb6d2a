"""What was found, as a person reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rich.text import Text

from anomaly_detection.cli.evaluations import show_evaluation
from anomaly_detection.cli.terminal import console, cut, say, severity, show_table, side
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from rich.console import Console

    from anomaly_detection.workflows.detect import DetectOutcome

REASONS = 2
"""How many reasons are shown for an anomaly."""

LONGEST = 40
"""The most characters of a value or of what is normal."""

COLUMNS = 12
"""How many columns of a kind are named."""

SCORE = "anomaly\nscore"

_SPAN = re.compile(r"^(-?\d[\d.]*(?:e[+-]?\d+)?) to (-?\d[\d.]*(?:e[+-]?\d+)?)")


def show_outcome(outcome: DetectOutcome, screen: Console | None = None) -> None:
    """Print the most anomalous records, the counts, and the evaluation if there is one."""
    screen = screen or console()
    if outcome.top:
        _show_anomalies(outcome.top, screen)
        screen.print()
        _show_advice(outcome.top, screen)
    screen.print(_counts(outcome), soft_wrap=not screen.is_terminal)
    if outcome.evaluation is not None:
        screen.print()
        show_evaluation(outcome.evaluation, screen)


def show_notes(outcome: DetectOutcome) -> None:
    """Say on standard error how the columns were read, which were set aside, and what else there is to know."""
    schema = outcome.pipeline.schema_
    kinds: dict[str, list[str]] = {}
    for column in schema.features:
        kinds.setdefault(column.kind, []).append(column.name)
    for kind, columns in kinds.items():
        _note(f"{kind}: {_listed(columns)}")
    for reason, columns in _by_reason(outcome).items():
        _note(f"set aside: {_listed(columns)} ({reason})")
    for note in outcome.notes:
        _note(f"note: {note}")


def short_reason(reason: dict[str, Any]) -> str:
    """One reason in a few words.

    >>> short_reason({"column": "total", "value": 3405.183, "normal": "48.9712 to 639.5"})
    'total 3,405 (normal 48.97 to 639.5)'
    """
    normal = _SPAN.sub(lambda span: f"{_rounded(span[1])} to {_rounded(span[2])}", reason["normal"])
    return f"{cut(reason['column'], LONGEST)} {_value(reason['value'])} (normal {cut(normal, 2 * LONGEST)})"


def _show_anomalies(top: list[dict[str, Any]], screen: Console) -> None:
    described = [name for name in ("key", "time", "level") if name in top[0]]
    rows = [
        [
            one["row"],
            *(cut(_value(one[name], quote=False), LONGEST) for name in described),
            f"{one['anomaly_score']:.3f}",
            f"{one['p_value']:.2g}",
            severity(one["severity"]),
            one.get("reason") or "; ".join(short_reason(reason) for reason in one["reasons"][:REASONS]),
        ]
        for one in top
    ]
    columns = ["row", *described, SCORE, "p-value", "severity", "why"]
    show_table("Most anomalous", columns, rows, right=("row", SCORE, "p-value"), screen=screen)


def _show_advice(top: list[dict[str, Any]], screen: Console) -> None:
    """What to check in each record, and what would make it normal, where explanations were asked for."""
    explained = [(one["row"], one["explanation"]) for one in top if "explanation" in one]
    for row, why in explained:
        change = "" if why["counterfactual"] is None else f" {why['counterfactual']['sentence']}"
        say(f"row {row}: {_with_short_names(why['recommendation'] + change, why)}", screen=screen)
    if explained:
        screen.print()


def _with_short_names(words: str, why: dict[str, Any]) -> str:
    """The advice on a record with the very long names of its columns cut."""
    changes = [] if why["counterfactual"] is None else why["counterfactual"]["changes"]
    names = {one["column"] for one in (*why["columns"], *changes) if len(one["column"]) > LONGEST}
    for name in sorted(names, key=len, reverse=True):  # one name may begin like another
        words = words.replace(name, cut(name, LONGEST))
    return words


def _counts(outcome: DetectOutcome) -> Text:
    found = [(name, count) for name, count in outcome.severities.items() if count and name != "normal"]
    words: list[str | Text] = []
    for name, count in reversed(found):
        words += [", ", severity(name, f"{count:,} {name}")]
    counts = [": ", *words[1:]] if words else []
    noun = "anomaly" if outcome.anomaly_count == 1 else "anomalies"
    total = Text(f"{outcome.anomaly_count:,}", style="bold")
    return Text.assemble(total, f" {noun} in {counted(outcome.rows, 'row')} at α = {outcome.alpha:.4g}", *counts)


def _by_reason(outcome: DetectOutcome) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in outcome.pipeline.schema_.set_aside:
        found.setdefault(column.reason, []).append(column.name)
    return found


def _note(words: str) -> None:
    say(words, "dim", screen=side())


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - COLUMNS:,} more" if len(names) > COLUMNS else ""
    return ", ".join(cut(name, LONGEST) for name in names[:COLUMNS]) + more


def _value(value: Any, *, quote: bool = True) -> str:
    if value is None:
        return "missing"
    if isinstance(value, float):
        return _rounded(value)
    if isinstance(value, str) and quote:
        return repr(cut(value, LONGEST))
    return cut(
        f"{value:,}" if isinstance(value, int) and quote and not isinstance(value, bool) else str(value), LONGEST
    )


def _rounded(value: float | str) -> str:
    number = float(value)
    return f"{number:,.0f}" if 1000 <= abs(number) < 1e9 else f"{number:.4g}"
