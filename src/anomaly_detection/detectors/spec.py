"""Detectors as plain values, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.detectors import create, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.detectors.base import Detector


def to_spec(detector: Detector) -> dict[str, Any]:
    """The name and parameters of a detector, for JSON."""
    return {"name": name_of(detector), "parameters": detector.parameters()}


def from_spec(spec: Mapping[str, Any]) -> Detector:
    """An unfitted detector from its name and parameters."""
    return create(spec["name"], **spec["parameters"])
