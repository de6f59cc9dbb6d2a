"""Long work at set times."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Response

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Caller, Principal, needs
from anomaly_detection.api.routes.jobs import check_scope
from anomaly_detection.api.schemas.schedules import EXAMPLES, ScheduleAnswer, SchedulePage, ScheduleRequest
from anomaly_detection.workflows.job_files import check_job

router = APIRouter(tags=["jobs"])

Reads = Annotated[Principal, Depends(needs("read"))]
Name = Annotated[str, Path(min_length=1, max_length=100, description="The name of a schedule.")]


@router.get("/api/v1/schedules")
def every(
    here: Here,
    _: Reads,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[str, Query(max_length=100)] = "",
) -> SchedulePage:
    """List schedules by name."""
    found = here.schedules.list(limit, after)
    items = [ScheduleAnswer.of(one) for one in found]
    return SchedulePage(items=items, after=found[-1].name if len(found) == limit else None)


@router.get("/api/v1/schedules/{name}")
def one(name: Name, here: Here, _: Reads) -> ScheduleAnswer:
    """Show a schedule: when it runs next, and its last job."""
    return ScheduleAnswer.of(here.schedules.get(name))


@router.put("/api/v1/schedules/{name}")
def put(
    name: Name, asked: Annotated[ScheduleRequest, Body(openapi_examples=EXAMPLES)], here: Here, caller: Caller
) -> ScheduleAnswer:
    """Make a schedule, or change the one of that name."""
    check_scope(asked.job.kind, caller)
    payload: dict[str, Any] = asked.job.payload.model_dump(mode="json")
    check_job(asked.job.kind, payload, here.uploads)
    kept = here.schedules.put(name, asked.cron, asked.job.kind, payload, zone=asked.zone, enabled=asked.enabled)
    return ScheduleAnswer.of(kept)


@router.delete("/api/v1/schedules/{name}", status_code=204)
def remove(name: Name, here: Here, caller: Caller) -> Response:
    """Delete a schedule; the jobs it put stay."""
    check_scope(here.schedules.get(name).kind, caller)
    here.schedules.remove(name)
    return Response(status_code=204)
