"""Evaluations as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.cli.terminal import console, show_table
from anomaly_detection.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from rich.console import Console

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.evaluation.series_evaluation import SeriesEvaluation


def show_evaluation(evaluation: Evaluation, screen: Console | None = None) -> None:
    """Print measures with their 95 % bootstrap intervals."""
    rows = [(name, _number(getattr(evaluation, name)), _span(evaluation.intervals[name])) for name in METRICS]
    title = f"Against the label ({evaluation.anomalies:,} of {evaluation.rows:,} rows are labelled anomalies)"
    show_table(title, ("measure", "value", "95 % interval"), rows, right=("value",), screen=screen)
    if evaluation.anomalies in (0, evaluation.rows):
        words = "anomalies" if evaluation.anomalies else "normal rows"
        out = screen or console()
        out.print(f"The label knows only {words}, so measures that need both are undefined.", style="dim")
    if evaluation.series is not None:
        _show_series(evaluation.series, screen)


def _show_series(found: SeriesEvaluation, screen: Console | None) -> None:
    """Print the measures that know of time."""
    false = f"{found.false_alarms} of {found.false_alarm_budget} false alarms"
    rows = [
        ("VUS-PR, VUS-ROC", f"{_number(found.vus_pr)}, {_number(found.vus_roc)}"),
        (
            "events found, by the flags",
            f"{_number(found.flagged_event_recall)}, {found.flagged_false_alarms} false alarms",
        ),
        ("events found, by the best line", f"{_number(found.event_recall)}, {false}"),
        ("mean delay in rows, by the flags", _number(found.flagged_delay)),
        ("range precision, recall", f"{_number(found.range_precision)}, {_number(found.range_recall)}"),
        (
            "affiliation precision, recall",
            f"{_number(found.affiliation_precision)}, {_number(found.affiliation_recall)}",
        ),
        ("Numenta score", "undefined" if found.nab_standard is None else f"{found.nab_standard:.1f}"),
    ]
    show_table(f"As a series ({found.events:,} events)", ("measure", "value"), rows, right=("value",), screen=screen)


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{_number(interval[0])} to {_number(interval[1])}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
