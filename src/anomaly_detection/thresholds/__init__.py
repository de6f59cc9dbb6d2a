"""The alarm line: what the user wishes → α, the p-value at and below which a record is an anomaly.

A wish is a share of false alarms (``contamination``), ``"auto"``, or an estimator that draws a line on the raw scores;
the p-value at that line is α, so that every verdict follows from p and α alone. A budget of alarms is held for rows in
order of time: its line follows the p-values, which are stretched so that it lies at α.
"""

from anomaly_detection.thresholds.base import Threshold
from anomaly_detection.thresholds.budget import Budget, Spending
from anomaly_detection.thresholds.choice import THRESHOLDS, Wish, check_contamination, choose_alpha, named
from anomaly_detection.thresholds.discovery import benjamini_hochberg
from anomaly_detection.thresholds.lines import (
    Mahalanobis,
    MaxPercentile,
    RobustMahalanobis,
    Sigmoid,
    StandardDeviation,
    Static,
)
from anomaly_detection.thresholds.separation import Separation

__all__ = [
    "THRESHOLDS",
    "Budget",
    "Mahalanobis",
    "MaxPercentile",
    "RobustMahalanobis",
    "Separation",
    "Sigmoid",
    "Spending",
    "StandardDeviation",
    "Static",
    "Threshold",
    "Wish",
    "benjamini_hochberg",
    "check_contamination",
    "choose_alpha",
    "named",
]
