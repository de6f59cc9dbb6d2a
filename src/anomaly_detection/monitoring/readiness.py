"""Whether the parts that a service needs do their work."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from anomaly_detection.errors import StoreError
from anomaly_detection.telemetry import DISK_FREE_BYTES, UP

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.store import Database

_log = structlog.get_logger(__name__)

LEAST_FREE = 64 * 2**20
"""Below this many free bytes nothing is promised to be kept any more."""


def missing(database: Database, home: Path, registry: Path) -> dict[str, str]:
    """What is not there and why, by part; nothing when a service can do its work. The gauges and the log follow."""
    checks = {
        "database": database_problem(database),
        "registry": registry_problem(registry),
        "disk": disk_problem(home),
    }
    for part, problem in checks.items():
        UP.labels(part).set(problem is None)
        if problem is not None:
            _log.warning("not ready", part=part, problem=problem)
    return {part: problem for part, problem in checks.items() if problem is not None}


def database_problem(database: Database) -> str | None:
    """Why the database does not answer, if it does not."""
    try:
        with database.read() as connection:
            connection.execute(sa.text("SELECT 1"))
    except StoreError as error:
        return str(error)
    return None


def registry_problem(folder: Path) -> str | None:
    """Why models cannot be read and kept in a folder, if they cannot; it is made with the first model."""
    place = nearest(folder)
    if not place.is_dir():
        return f"{place} is no folder."
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return f"{place} cannot be read and written by this user."
    return None


def disk_problem(folder: Path) -> str | None:
    """Why nothing can be kept in a folder, if so: too little room, or no writing."""
    place = nearest(folder)
    try:
        free = shutil.disk_usage(place).free
        DISK_FREE_BYTES.set(free)
        if free < LEAST_FREE:
            return f"{free / 2**20:.0f} MiB are free at {place}; {LEAST_FREE // 2**20} MiB have to be."
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"0")
    except OSError as error:
        return f"{place}: {error.strerror}."
    return None


def nearest(folder: Path) -> Path:
    """A folder, or where it would be made."""
    return next(place for place in (folder, *folder.parents) if place.exists())
