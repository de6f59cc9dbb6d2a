"""Evaluations as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.cli.terminal import table
from anomaly_detection.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from rich.table import Table

    from anomaly_detection.evaluation.metrics import Evaluation


def evaluation_table(evaluation: Evaluation) -> Table:
    """Measures with their 95 % bootstrap intervals."""
    rows = [(name, _number(getattr(evaluation, name)), _span(evaluation.intervals[name])) for name in METRICS]
    title = f"Against the label ({evaluation.anomalies:,} of {evaluation.rows:,} rows are labelled anomalies)"
    return table(title, ("measure", "value", "95 % interval"), rows, right=("value",))


def _span(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{_number(interval[0])} to {_number(interval[1])}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
