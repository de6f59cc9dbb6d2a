"""Log lines and sessions of them in, calibrated verdicts out.

``pipeline`` judges lines, ``sessions`` groups of lines. ``intake`` makes templates, features and clocks of lines;
``methods`` are one file each and have what ``method`` says; ``combination`` makes one score of their p-values.
"""

from anomaly_detection.logs.pipeline import LogPipeline
from anomaly_detection.logs.sessions import SessionPipeline
from anomaly_detection.logs.verdict import LogResult, LogVerdict, MethodVerdict

__all__ = ["LogPipeline", "LogResult", "LogVerdict", "MethodVerdict", "SessionPipeline"]
