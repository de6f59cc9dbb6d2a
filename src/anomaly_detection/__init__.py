"""From any stream of records to calibrated, explained anomaly verdicts.

>>> from anomaly_detection import AnomalyDetector
>>> detector = AnomalyDetector(algorithm="isolation_forest", contamination=0.05, random_state=0)

Names are imported on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from anomaly_detection.detectors import Detector as Detector
    from anomaly_detection.detectors import register as register
    from anomaly_detection.estimator import AnomalyDetector as AnomalyDetector
    from anomaly_detection.estimator import detect as detect
    from anomaly_detection.keyed import KeyedPipeline as KeyedPipeline
    from anomaly_detection.log_detector import LogDetector as LogDetector
    from anomaly_detection.pipeline import Pipeline as Pipeline
    from anomaly_detection.records import Schema as Schema
    from anomaly_detection.results import Result as Result
    from anomaly_detection.results import Verdict as Verdict
    from anomaly_detection.series import SeriesPipeline as SeriesPipeline
    from anomaly_detection.series.forecasting import forecast as forecast


_HOMES = {
    "AnomalyDetector": "estimator",
    "Detector": "detectors",
    "KeyedPipeline": "keyed",
    "LogDetector": "log_detector",
    "Pipeline": "pipeline",
    "Result": "results",
    "Schema": "records",
    "SeriesPipeline": "series",
    "Verdict": "results",
    "detect": "estimator",
    "forecast": "series.forecasting",
    "register": "detectors",
}

__all__ = [
    "AnomalyDetector",
    "Detector",
    "KeyedPipeline",
    "LogDetector",
    "Pipeline",
    "Result",
    "Schema",
    "SeriesPipeline",
    "Verdict",
    "__version__",
    "detect",
    "forecast",
    "register",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
