"""Contract suites: what this project tests its own parts with, for the authors of plug-ins to run on theirs."""

from __future__ import annotations

from anomaly_detection.testing.detectors import DetectorCheck, detector_checks

__all__ = ["DetectorCheck", "detector_checks"]
