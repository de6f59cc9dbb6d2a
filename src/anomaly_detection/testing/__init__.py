"""Contract suites: what this project tests its own parts with, for the authors of plug-ins to run on theirs."""

from __future__ import annotations

from anomaly_detection.testing.detectors import DetectorCheck, detector_checks
from anomaly_detection.testing.forecasters import ForecasterCheck, forecaster_checks
from anomaly_detection.testing.registries import RegistryCheck, registry_checks
from anomaly_detection.testing.series import SeriesCheck, series_checks
from anomaly_detection.testing.sinks import SinkCheck, sink_checks
from anomaly_detection.testing.sources import SourceCheck, source_checks

__all__ = [
    "DetectorCheck",
    "ForecasterCheck",
    "RegistryCheck",
    "SeriesCheck",
    "SinkCheck",
    "SourceCheck",
    "detector_checks",
    "forecaster_checks",
    "registry_checks",
    "series_checks",
    "sink_checks",
    "source_checks",
]
