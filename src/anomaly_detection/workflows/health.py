"""What is up, what is not, and which versions are in use."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from anomaly_detection.calibration import Calibrator
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.records import counted
from anomaly_detection.registry.lineage import library_versions
from anomaly_detection.settings import Settings
from anomaly_detection.version import __version__
from anomaly_detection.workflows.models import registry_at
from anomaly_detection.workflows.service_health import service_findings

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["ok", "warning", "failed"]

LITTLE_DISK = 2**30
"""Below this many free bytes the disk is a warning."""

EXTRAS = {
    "pandas": "pandas",
    "arrow": "pyarrow",
    "pyod": "pyod",
    "postgres": "psycopg",
    "redis": "redis",
    "oidc": "jwt",
    "otel": "opentelemetry.sdk",
}
"""Extras and the module each brings."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str


def system_health(registry: Path | None = None) -> list[Check]:
    """Look at everything the system needs; nothing is changed for good."""
    settings = Settings()
    folder = registry or settings.registry_folder
    return [
        Check("version", "ok", f"anomaly-detection {__version__}, Python {platform.python_version()}"),
        _compiler(),
        _registry(folder),
        *(Check(name, state, found) for name, state, found in service_findings(settings)),
        _disk(folder),
        _memory(),
        _extras(),
    ]


def details() -> dict[str, str]:
    """Versions and places, for ``--detailed``."""
    settings = Settings()
    return {
        "platform": platform.platform(),
        "processors": str(os.cpu_count()),
        "home": str(settings.home),
        "registry": str(settings.registry_folder),
        "service": f"{settings.host}, port {settings.port}; workers beside it: {settings.workers}",
        "algorithms": ", ".join(entry.name for entry in DETECTORS.entries() if entry.extra is None),
        **library_versions(),
    }


def as_dict(checks: list[Check]) -> dict[str, Any]:
    """Plain values, for JSON."""
    return {"status": worst(checks), "checks": [asdict(check) for check in checks]}


def worst(checks: list[Check]) -> State:
    """The worst state among checks."""
    order: tuple[State, ...] = ("ok", "warning", "failed")
    return max((check.state for check in checks), key=order.index)


def _compiler() -> Check:
    p_value = Calibrator().fit(np.arange(100.0)).p_value_one(50.0)
    return Check("kernels", "ok" if 0 < p_value < 1 else "failed", "compiled kernels answer")


def _registry(folder: Path) -> Check:
    try:
        models = registry_at(folder).list()
    except (AnomalyDetectionError, OSError) as error:
        return Check("registry", "failed", str(error))
    broken = [model.name for model in models if model.latest.problem is not None]
    if broken:
        return Check("registry", "failed", f"{folder}: damaged: {', '.join(broken)}; see `models list`")
    if folder.exists() and not _writable(folder):
        return Check("registry", "warning", f"{folder} cannot be written to; {len(models)} models can be read")
    return Check("registry", "ok", f"{counted(models, 'model')} in {folder}")


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _disk(folder: Path) -> Check:
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    return Check("disk", "ok" if free >= LITTLE_DISK else "warning", f"{free / 2**30:.1f} GiB free at {place}")


def _memory() -> Check:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return Check("memory", "ok", "not known on this system")
    return Check("memory", "ok" if free >= 2**28 else "warning", f"{free / 2**30:.1f} GiB free")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a part of a package that is not there
        return False


def _extras() -> Check:
    found = [extra for extra, module in EXTRAS.items() if _is_there(module)]
    missing = [extra for extra in EXTRAS if extra not in found]
    return Check(
        "extras", "ok", f"installed: {', '.join(found) or 'none'}; not installed: {', '.join(missing) or 'none'}"
    )
