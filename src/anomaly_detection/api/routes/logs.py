"""Single log entries, and many at once: judged as they come, by a model that remembers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request  # noqa: TC002 - FastAPI reads it
from starlette.responses import Response  # noqa: TC002

from anomaly_detection.api.bare import BareRoute, Json, body_of
from anomaly_detection.api.context import Here  # noqa: TC001
from anomaly_detection.api.current_logs import made_soon
from anomaly_detection.api.principal import Caller, needs, principal
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas import logs as schemas
from anomaly_detection.errors import InputError, UnknownNameError
from anomaly_detection.workflows.live_logs import CHUNK
from anomaly_detection.workflows.log_entries import is_several
from anomaly_detection.workflows.small_logs import judge_small, train_small_model

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context
    from anomaly_detection.workflows.live_logs import LiveLogs

router = APIRouter(tags=["logs"])
bare = APIRouter(tags=["logs"], route_class=BareRoute)

_score_allowed = needs("score")


_ENTRY = schemas.LogEntry.model_json_schema()
_ENTRIES = {"type": "array", "items": _ENTRY}
_SEVERAL = {"type": "object", "required": ["logs"], "properties": {"logs": _ENTRIES}}


def _body(*options: dict[str, Any]) -> dict[str, Any]:
    """The description of a body that msgspec reads."""
    schema = options[0] if len(options) == 1 else {"anyOf": list(options), "examples": options[0]["examples"]}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


async def _live(request: Request) -> tuple[Context, LiveLogs]:
    _score_allowed(principal(request))
    here: Context = request.app.state.context
    live = here.live_logs.now()
    return here, live if live is not None else await asyncio.to_thread(here.live_logs.get)


@bare.post(
    "/detect",
    openapi_extra=_body(_ENTRY, _ENTRIES, _SEVERAL),
    response_model=schemas.Detection | schemas.Detections,
)
async def detect(request: Request) -> Response:
    """Judge a log entry, or several in order: a JSON array, or ``{"logs": [...]}``."""
    here, live = await _live(request)
    body = await body_of(request)
    if is_several(body):
        return await _detect_many(here, live, body)
    return Json(await here.live_logs.detect(live.read.one(body)))


async def _detect_many(here: Context, live: LiveLogs, body: bytes) -> Response:
    entries = live.read.several(body)
    if len(entries) > here.settings.max_rows:
        raise InputError(f"{len(entries):,} entries are more than the {here.settings.max_rows:,} of one request.")
    found = []
    for at in range(0, len(entries), CHUNK):
        found += await here.live_logs.detect_several(live, entries[at : at + CHUNK])
        await asyncio.sleep(0)
    return Json({"results": found, "total": len(found), "anomalies": sum(one.is_anomaly for one in found)})


@bare.post("/score", openapi_extra=_body(_ENTRY), response_model=schemas.Scored)
async def score(request: Request) -> Response:
    """Judge a log entry, and say what each of ten methods makes of it."""
    here, live = await _live(request)
    return Json(await here.live_logs.score(live, live.read.one(await body_of(request))))


@router.get("/stats/{service}", dependencies=[Depends(needs("read"))])
def stats(service: str, here: Here) -> schemas.Statistics:
    """Say what came of a service in the last minutes, as of the last entry of all."""
    try:
        return schemas.Statistics.model_validate(here.live_logs.get().stats(service))
    except UnknownNameError as error:
        raise ProblemError(404, str(error)) from error


@router.post("/predict", dependencies=[Depends(needs("score"))])
def predict(entry: schemas.SmallEntry, here: Here) -> schemas.Predicted:
    """Judge a latency and a level alone, by the small model."""
    with made_soon():
        told = judge_small(here.models, here.settings.log_model, entry.latency_ms, entry.level)
    return schemas.Predicted.model_validate(told)


@router.post("/train", dependencies=[Depends(needs("train"))])
def train(rows: schemas.TrainingRows, here: Here, caller: Caller) -> schemas.SmallTrained:  # noqa: ARG001
    """Train the small model again; the new version is used at once."""
    if len(rows.data) > here.settings.max_rows:
        raise ProblemError(413, f"{len(rows.data):,} rows are more than the {here.settings.max_rows:,} of one request.")
    return schemas.SmallTrained.model_validate(train_small_model(here.models, here.settings.log_model, rows.data))
