"""Evaluations as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.cli.terminal import console, show_table
from anomaly_detection.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from rich.console import Console

    from anomaly_detection.evaluation.metrics import Evaluation


def show_evaluation(evaluation: Evaluation, screen: Console | None = None) -> None:
    """Print measures with their 95 % bootstrap intervals."""
    rows = [(name, _number(getattr(evaluation, name)), _span(evaluation.intervals[name])) for name in METRICS]
    title = f"Against the label ({evaluation.anomalies:,} of {evaluation.rows:,} rows are labelled anomalies)"
    show_table(title, ("measure", "value", "95 % interval"), rows, right=("value",), screen=screen)
    if evaluation.anomalies in (0, evaluation.rows):
        words = "anomalies" if evaluation.anomalies else "normal rows"
        out = screen or console()
        out.print(f"The label knows only {words}, so measures that need both are undefined.", style="dim")


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{_number(interval[0])} to {_number(interval[1])}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
