"""Gauges that stand for what is stored, filled when somebody asks for metrics."""

from __future__ import annotations

import platform
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from prometheus_client import generate_latest

from anomaly_detection import telemetry
from anomaly_detection.errors import AnomalyDetectionError, StoreError
from anomaly_detection.monitoring.readiness import missing
from anomaly_detection.store import counts
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from anomaly_detection.store import Database

FEWEST = 100
"""Below this many records a share of alarms says nothing about drift."""

_log = structlog.get_logger(__name__)

_one_at_a_time = threading.Lock()


def page(database: Database, home: Path, registry: Path) -> bytes:
    """Everything as Prometheus reads it, of one moment."""
    with _one_at_a_time:
        refresh(database, home, registry)
        return generate_latest(telemetry.METRICS)


def refresh(database: Database, home: Path, registry: Path) -> None:
    """Fill every gauge; where a part does not answer, its gauges are gone rather than old."""
    telemetry.BUILD.labels(__version__, platform.python_version()).set(1)
    down = missing(database, home, registry)
    now = datetime.now(UTC)
    _clear()
    if "database" not in down:
        try:
            with database.read() as connection:
                fill_jobs(connection, now)
                fill_alerts(connection)
                fill_models_at_work(connection, now)
        except StoreError as error:
            _log.warning("metrics without the database", problem=str(error))
    if "registry" not in down:
        fill_models(registry, now)


def _clear() -> None:
    for gauge in (
        telemetry.JOBS,
        telemetry.JOB_SECONDS,
        telemetry.ALERTS,
        telemetry.MODEL_DRIFT,
        telemetry.MODEL_QUALITY,
        telemetry.MODEL_AGE_SECONDS,
    ):
        gauge.clear()
    for number in (telemetry.JOBS_WAITING, telemetry.JOBS_OLDEST_SECONDS, telemetry.MODELS):
        number.set(float("nan"))


def fill_jobs(connection: sa.Connection, now: datetime) -> None:
    """How many jobs there are, how long they wait, and how long they take."""
    found = counts.jobs_by_state(connection)
    for labels, number in found.items():
        telemetry.JOBS.labels(*labels).set(number)
    telemetry.JOBS_WAITING.set(sum(number for (_, state), number in found.items() if state == "waiting"))
    since = counts.longest_due(connection, now)
    telemetry.JOBS_OLDEST_SECONDS.set((now - since).total_seconds() if since else 0)
    for kind, seconds in counts.seconds_of_jobs(connection, now - timedelta(days=1)).items():
        telemetry.JOB_SECONDS.labels(kind).set(seconds)


def fill_alerts(connection: sa.Connection) -> None:
    """How many alarms are kept."""
    for labels, number in counts.alerts_by_state(connection).items():
        telemetry.ALERTS.labels(*labels).set(number)


def fill_models_at_work(connection: sa.Connection, now: datetime) -> None:
    """What people say of alarms, and how alarms of the last hour compare with those of the day before it."""
    for (model, version), share in counts.right_alarms(connection).items():
        telemetry.MODEL_QUALITY.labels(model, str(version)).set(share)
    hour = now - timedelta(hours=1)
    usual = counts.judged_between(connection, hour - timedelta(days=1), hour)
    for version_of, late in counts.judged_between(connection, hour, now).items():
        ratio = alarm_ratio(late, usual.get(version_of, (0, 0)))
        if ratio is not None:
            telemetry.MODEL_DRIFT.labels(version_of[0], str(version_of[1])).set(ratio)


def alarm_ratio(late: tuple[int, int], usual: tuple[int, int]) -> float | None:
    """Share of anomalies of late over the usual one, half an anomaly added to both; None if rows are too few.

    >>> alarm_ratio((1000, 30), (24000, 240)), alarm_ratio((50, 30), (24000, 240))
    (3.04, None)
    """
    if min(late[0], usual[0]) < FEWEST:
        return None
    return round((late[1] + 0.5) / late[0] / ((usual[1] + 0.5) / usual[0]), 2)


def fill_models(folder: Path, now: datetime) -> None:
    """How many models there are, and how old."""
    from anomaly_detection.registry.local import LocalRegistry  # noqa: PLC0415 - NumPy comes with it

    try:
        models = LocalRegistry(folder).list()
    except (AnomalyDetectionError, OSError) as error:
        _log.warning("metrics without the registry", problem=str(error))
        return
    telemetry.MODELS.set(len(models))
    for model in models:
        if model.latest.problem is None:
            age = now - datetime.fromisoformat(model.latest.created)
            telemetry.MODEL_AGE_SECONDS.labels(model.name).set(max(0.0, age.total_seconds()))
