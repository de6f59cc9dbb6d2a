"""Logs: a live tail of what was judged and of what stands out, services, and templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.logs import LogPipeline
from anomaly_detection.store import alerts, views
from anomaly_detection.store.alerts import AlertFilter
from anomaly_detection.store.journal import latest_in
from anomaly_detection.web.doors import context_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.log_models import TrainedLog

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.workflows.serving import Models

BACK = timedelta(hours=24)
MOST_ODD = 20
MOST_JUDGED = 20
MOST_TEMPLATES = 200


def logs(request: Request) -> Response:
    """The page; HTMX asks for the tail."""
    here = context_of(request)
    name = here.settings.log_model
    service, now = request.query_params.get("service", ""), datetime.now(UTC)
    wanted = AlertFilter(model=name, key=service or None, begin=now - BACK)
    with here.database.read() as connection:
        services = views.keys_seen(connection, name, now - BACK)
        odd = alerts.listed(connection, wanted, MOST_ODD)
    judged = latest_in(here.recorder.journal.folder, name, service or None, MOST_JUDGED)
    values = {"name": name, "service": service, "services": services, "odd": odd, "judged": judged}
    if "HX-Request" not in request.headers:
        values["templates"], values["problem"] = _templates(here.models, name)
    return render(request, "logs", values, block="tail")


def _templates(models: Models, name: str) -> tuple[list[str], str]:
    """What the lines of the log model were written from, or why that is not known."""
    try:
        loaded = models.get(name)
    except AnomalyDetectionError as error:
        return [], str(error)
    pipeline = loaded.model.pipeline if isinstance(loaded.model, TrainedLog) else None
    if not isinstance(pipeline, LogPipeline):
        return [], ""
    with loaded.lock:
        return [one for one in pipeline.templates() if one != "<*>"][:MOST_TEMPLATES], ""
