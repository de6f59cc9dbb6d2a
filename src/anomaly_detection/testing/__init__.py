"""Contract suites: what this project tests its own parts with, for the authors of plug-ins to run on theirs."""

from __future__ import annotations

from anomaly_detection.testing.detectors import DetectorCheck, detector_checks
from anomaly_detection.testing.registries import RegistryCheck, registry_checks

__all__ = ["DetectorCheck", "RegistryCheck", "detector_checks", "registry_checks"]
