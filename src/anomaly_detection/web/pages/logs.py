"""Logs: services, templates, and a live tail of the lines that stand out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.logs import LogPipeline
from anomaly_detection.store import views
from anomaly_detection.web.doors import context_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.log_models import load_log_model
from anomaly_detection.workflows.models import registry_at

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

BACK = timedelta(hours=24)
MOST_TEMPLATES = 200


def logs(request: Request) -> Response:
    """The page; HTMX asks for the tail."""
    here = context_of(request)
    name = here.settings.log_model
    service, now = request.query_params.get("service", ""), datetime.now(UTC)
    wanted = views.AlertFilter(model=name, key=service, start=now - BACK)
    with here.database.read() as connection:
        services = views.keys_seen(connection, name, now - BACK)
        tail = views.alerts_like(connection, wanted, 50)
    values = {"name": name, "service": service, "services": services, "tail": tail}
    if "HX-Request" not in request.headers:
        values["templates"], values["problem"] = _templates(here.settings.registry_folder, name)
    return render(request, "logs", values, block="tail")


def _templates(registry: Path, name: str) -> tuple[list[str], str]:
    """What the lines of the log model were written from, or why that is not known."""
    try:
        version = registry_at(registry).resolve(name)
        return _learned(registry, version.reference)[:MOST_TEMPLATES], ""
    except AnomalyDetectionError as error:
        return [], str(error)


@lru_cache(maxsize=2)
def _learned(registry: Path, reference: str) -> list[str]:
    pipeline = load_log_model(reference, registry).pipeline
    return [one for one in pipeline.templates() if one != "<*>"] if isinstance(pipeline, LogPipeline) else []
