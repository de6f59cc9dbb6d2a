"""Long work: ask for it, watch it, end it, fetch what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Response
from starlette.responses import FileResponse

from anomaly_detection.api.context import Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.principal import Caller, Principal, needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas.jobs import (
    EXAMPLES,
    JobAnswer,
    JobPage,
    JobRequest,
    LineAnswer,
    LinePage,
    State,
    VolumeTraining,
)
from anomaly_detection.workflows.job_files import check_job, result_file

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context

router = APIRouter(tags=["jobs"])

Reads = Annotated[Principal, Depends(needs("read"))]
Trains = Annotated[Principal, Depends(needs("train"))]
Id = Annotated[str, "The id of a job."]

SCOPES: dict[str, Any] = {"detect": "score", "page": "score", "retain": "admin"}
"""What a job of a kind takes; ``train`` else."""


@router.post("/api/v1/jobs", status_code=202)
def put(
    asked: Annotated[JobRequest, Body(openapi_examples=EXAMPLES)], here: Here, caller: Caller, response: Response
) -> JobAnswer:
    """Ask for long work: train, tune, detect, backtest, retain or volume. Once this is answered, it will be done."""
    check_scope(asked.kind, caller)
    payload = asked.payload.model_dump(mode="json")
    check_job(asked.kind, payload, here.uploads)
    job = here.queue.put(
        asked.kind,
        payload,
        asked_by=caller.name,
        priority=asked.priority,
        run_after=asked.run_after,
        dedupe=None if asked.dedupe is None else f"{caller.name[:60]}: {asked.dedupe}",
        max_attempts=asked.max_attempts,
    )
    return _accepted(JobAnswer.of(job), response)


@router.post("/api/v1/train/volume-anomaly", status_code=202)
def train_volume(asked: VolumeTraining, here: Here, caller: Trains, response: Response) -> JobAnswer:
    """Learn how many rows a table has; a job of the kind ``volume``."""
    job = here.queue.put("volume", asked.model_dump(mode="json"), asked_by=caller.name)
    return _accepted(JobAnswer.of(job), response)


@router.get("/api/v1/jobs")
def every(
    here: Here,
    _: Reads,
    state: State | None = None,
    kind: Annotated[str | None, Query(max_length=60, pattern="^[a-z_]*$")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[str | None, Query(max_length=64)] = None,
) -> JobPage:
    """List jobs, the newest first."""
    jobs = here.queue.list(state, kind, limit, after)
    return JobPage(items=[JobAnswer.of(job) for job in jobs], after=jobs[-1].id if len(jobs) == limit else None)


@router.get("/api/v1/jobs/{id}")
def one(id: Id, here: Here, _: Reads) -> JobAnswer:
    """Show a job: its state, progress, and what came of it."""
    return JobAnswer.of(here.queue.get(id))


@router.get("/api/v1/jobs/{id}/lines")
def lines(
    id: Id,
    here: Here,
    _: Reads,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 1_000,
) -> LinePage:
    """Show what a job logged, from behind a line on."""
    found = here.queue.lines(id, after, limit)
    items = [LineAnswer(id=line.id, at=line.at, text=line.text) for line in found]
    return LinePage(items=items, after=items[-1].id if items else after)


@router.post("/api/v1/jobs/{id}/cancel", status_code=202)
def cancel(id: Id, here: Here, caller: Caller) -> JobAnswer:
    """End a job: at once if it waits, within seconds if it runs."""
    return JobAnswer.of(here.queue.cancel(_of_caller(id, here, caller)))


@router.post("/api/v1/jobs/{id}/retry", status_code=202)
def retry(id: Id, here: Here, caller: Caller) -> JobAnswer:
    """Do a job again that has failed or was cancelled."""
    return JobAnswer.of(here.queue.retry(_of_caller(id, here, caller)))


@router.get("/api/v1/jobs/{id}/result", response_class=FileResponse)
def result(id: Id, here: Here, _: Reads) -> FileResponse:
    """Download the file that a job made: verdicts, or the page of a backtest."""
    job = here.queue.get(id)
    path = result_file(job, here.settings.home)
    if path is None:
        raise ProblemError(404, f"The job {id} has made no file: it is {job.state}, and a {job.kind} job.")
    return FileResponse(path, filename=f"{job.kind}-{id[:12]}{path.suffix}", content_disposition_type="attachment")


def _of_caller(id: str, here: Context, caller: Principal) -> str:
    """Make sure that they may change the job: those who could ask for it."""
    check_scope(here.queue.get(id).kind, caller)
    return id


def check_scope(kind: str, caller: Principal) -> None:
    """Make sure that a caller may ask for jobs of a kind.

    Raises
    ------
    ProblemError
        403 if they may not.
    """
    needs(SCOPES.get(kind, "train"))(caller)


def _accepted(job: JobAnswer, response: Response) -> JobAnswer:
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job
