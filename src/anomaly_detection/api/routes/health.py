"""Whether the service lives and is ready, and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import needs, principal
from anomaly_detection.api.schemas.health import Health, Live, Ready
from anomaly_detection.monitoring.gauges import page
from anomaly_detection.monitoring.readiness import missing
from anomaly_detection.version import __version__

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context

router = APIRouter(tags=["health"])


@router.get("/health")
def health(here: Here) -> Health:
    """Say in one answer what monitoring wants to know; 200 as long as records are judged."""
    lacking = _missing(here)
    return Health(
        status="degraded" if lacking else "ok",
        model_loaded=_model_loaded(here),
        version=__version__,
        missing=lacking,
    )


@router.get("/health/live")
async def live() -> Live:
    """Say that the process answers."""
    return Live()


@router.get("/health/ready", responses={503: {"model": Ready, "description": "What is missing."}})
def ready(here: Here, response: Response) -> Ready:
    """Say that the service can do its work; 503 and what is missing where it cannot."""
    lacking = _missing(here)
    if lacking:
        response.status_code = 503
    return Ready(status="not ready" if lacking else "ok", missing=lacking)


def _may_measure(here: Here, request: Request) -> None:
    if not here.settings.metrics_open:
        needs("read")(principal(request))


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Metrics as Prometheus reads them."}},
)
def metrics(here: Here, _: Annotated[None, Depends(_may_measure)]) -> Response:
    """Show every metric to Prometheus; with a key of scope `read`, or without where settings say so."""
    text = page(here.database, here.settings.home, here.settings.registry_folder)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _missing(here: Context) -> list[str]:
    return list(missing(here.database, here.settings.home, here.settings.registry_folder))


def _model_loaded(here: Context) -> bool:
    return here.models.peek(here.settings.log_model) is not None
