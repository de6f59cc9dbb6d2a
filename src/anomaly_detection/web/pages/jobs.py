"""Long work: what runs, how far it is, what it said; cancel and retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from anomaly_detection.api.routes.jobs import check_scope
from anomaly_detection.store.jobs import ENDED, STATES
from anomaly_detection.web.doors import back, caller_of, context_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.job_files import result_file

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.jobs import Job


def jobs(request: Request) -> Response:
    """All jobs, the newest first."""
    state = request.query_params.get("state", "")
    rows = context_of(request).queue.list(state if state in STATES else None)
    return render(request, "jobs", {"rows": rows, "state": state, "states": STATES}, block="live")


def job(request: Request) -> Response:
    """One job, with its lines."""
    here, id_ = context_of(request), request.path_params["id"]
    one = here.queue.get(id_)
    values = {
        "one": one,
        "lines": here.queue.lines(id_),
        "ended": one.state in ENDED,
        "file": result_file(one, here.settings.home) is not None,
    }
    return render(request, "job", values, block="live")


def file(request: Request) -> Response:
    """The file that a job made."""
    here = context_of(request)
    one = here.queue.get(request.path_params["id"])
    path = result_file(one, here.settings.home)
    if path is None:
        raise HTTPException(404)
    name = f"{one.kind}-{one.id[:12]}{path.suffix}"
    return FileResponse(path, filename=name, content_disposition_type="attachment")


def cancel(request: Request, form: FormData) -> Response:  # noqa: ARG001
    """End it."""
    one = _of_caller(request)
    context_of(request).queue.cancel(one.id)
    return back(f"/jobs/{one.id}")


def retry(request: Request, form: FormData) -> Response:  # noqa: ARG001
    """Let it begin anew."""
    one = _of_caller(request)
    context_of(request).queue.retry(one.id)
    return back(f"/jobs/{one.id}")


def _of_caller(request: Request) -> Job:
    one = context_of(request).queue.get(request.path_params["id"])
    check_scope(one.kind, caller_of(request))
    return one
