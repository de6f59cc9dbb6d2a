"""Names that the shell completes; imported only when it asks."""

from __future__ import annotations


def algorithms(incomplete: str) -> list[tuple[str, str]]:
    """Algorithms that begin like this, with what each does."""
    from anomaly_detection.catalog import DETECTORS, SERIES_DETECTORS

    known = [*DETECTORS.entries(), *SERIES_DETECTORS.entries()]
    return [(entry.name, entry.summary) for entry in known if entry.name.startswith(incomplete)]


def forecasters(incomplete: str) -> list[tuple[str, str]]:
    """Forecasters that begin like this, with what each does."""
    from anomaly_detection.catalog import FORECASTERS

    return [(entry.name, entry.summary) for entry in FORECASTERS.entries() if entry.name.startswith(incomplete)]


def thresholds(incomplete: str) -> list[tuple[str, str]]:
    """Estimators of the alarm line that begin like this."""
    from anomaly_detection.thresholds import THRESHOLDS

    return [(entry.name, entry.summary) for entry in THRESHOLDS.entries() if entry.name.startswith(incomplete)]


def transforms(incomplete: str) -> list[tuple[str, str]]:
    """Transforms of number columns that begin like this."""
    from anomaly_detection.features.scaling import TRANSFORMS

    found = [entry for entry in TRANSFORMS.entries() if entry.load().row_wise]
    return [(entry.name, entry.summary) for entry in found if entry.name.startswith(incomplete)]


def formats(incomplete: str) -> list[str]:
    """File formats that begin like this."""
    from anomaly_detection.formats import KINDS

    return [kind for kind in KINDS if kind.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Registered models that begin like this; after ``@`` their aliases and versions."""
    from anomaly_detection.errors import AnomalyDetectionError
    from anomaly_detection.registry.local import LocalRegistry
    from anomaly_detection.settings import Settings

    try:
        known = LocalRegistry(Settings().registry_folder).list()
    except (AnomalyDetectionError, OSError):
        return []
    names = [model.name for model in known]
    if "@" in incomplete:
        names = [f"{model.name}@{place}" for model in known for place in (*model.aliases, "latest", *model.versions)]
    return [name for name in names if name.startswith(incomplete)]


def report_formats(incomplete: str) -> list[str]:
    """Formats of a report that begin like this."""
    from anomaly_detection.workflows.report import FORMATS

    return [each for each in FORMATS if each.startswith(incomplete)]
