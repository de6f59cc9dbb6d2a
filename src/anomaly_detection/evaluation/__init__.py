"""How good verdicts are, where the truth is known."""

from anomaly_detection.evaluation.compare import Change, Difference, compare, compare_metrics
from anomaly_detection.evaluation.inject import KINDS, Injected, inject, kinds_for
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, Evaluation, evaluate
from anomaly_detection.evaluation.series_evaluation import SeriesEvaluation
from anomaly_detection.evaluation.series_metrics import evaluate_series
from anomaly_detection.features.series.injection import SERIES_KINDS, InjectedSeries, inject_series

__all__ = [
    "KINDS",
    "METRICS",
    "SERIES_KINDS",
    "Change",
    "Difference",
    "Evaluation",
    "Injected",
    "InjectedSeries",
    "SeriesEvaluation",
    "compare",
    "compare_metrics",
    "evaluate",
    "evaluate_series",
    "inject",
    "inject_series",
    "kinds_for",
    "parse_labels",
]
