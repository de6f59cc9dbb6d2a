"""Named models with immutable integer versions and movable aliases, kept in files that are checked byte by byte."""

from anomaly_detection.registry.artifact import Artifact, Manifest, read_artifact, read_manifest, write_artifact
from anomaly_detection.registry.base import (
    PRODUCTION,
    AliasChange,
    Comparison,
    MetricPair,
    ModelDetails,
    ModelSummary,
    ModelVersion,
    Registry,
    Saveable,
)
from anomaly_detection.registry.lineage import Lineage, fingerprint, library_versions
from anomaly_detection.registry.local import LocalRegistry

__all__ = [
    "PRODUCTION",
    "AliasChange",
    "Artifact",
    "Comparison",
    "Lineage",
    "LocalRegistry",
    "Manifest",
    "MetricPair",
    "ModelDetails",
    "ModelSummary",
    "ModelVersion",
    "Registry",
    "Saveable",
    "fingerprint",
    "library_versions",
    "read_artifact",
    "read_manifest",
    "write_artifact",
]
