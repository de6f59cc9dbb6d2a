"""How good verdicts are, where the truth is known."""

from anomaly_detection.evaluation.compare import Change, Difference, compare, compare_metrics
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, Evaluation, evaluate

__all__ = [
    "METRICS",
    "Change",
    "Difference",
    "Evaluation",
    "compare",
    "compare_metrics",
    "evaluate",
    "parse_labels",
]
