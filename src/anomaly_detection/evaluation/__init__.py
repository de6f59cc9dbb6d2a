"""How good verdicts are, where the truth is known."""

from anomaly_detection.evaluation.compare import Change, Difference, compare, compare_metrics
from anomaly_detection.evaluation.inject import KINDS, Injected, inject, kinds_for
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, Evaluation, evaluate

__all__ = [
    "KINDS",
    "METRICS",
    "Change",
    "Difference",
    "Evaluation",
    "Injected",
    "compare",
    "compare_metrics",
    "evaluate",
    "inject",
    "kinds_for",
    "parse_labels",
]
