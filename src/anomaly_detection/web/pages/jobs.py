"""Long work: what runs, how far it is, what it said; cancel and retry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from anomaly_detection.store import asks, views
from anomaly_detection.web.doors import back, caller_of, context_of
from anomaly_detection.web.rendering import render

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

STATES = ("waiting", "running", "done", "failed", "cancelled")
ENDED = ("done", "failed", "cancelled")


def jobs(request: Request) -> Response:
    """All jobs, the newest first."""
    state = request.query_params.get("state", "")
    with context_of(request).database.read() as connection:
        rows = views.job_rows(connection, state if state in STATES else "")
    return render(request, "jobs", {"rows": rows, "state": state, "states": STATES}, block="live")


def job(request: Request) -> Response:
    """One job, with its lines."""
    id_ = request.path_params["id"]
    with context_of(request).database.read() as connection:
        one, lines = asks.job_of(connection, id_), asks.lines_of(connection, id_)
    if one is None:
        raise HTTPException(404)
    return render(request, "job", {"one": one, "lines": lines, "ended": one["state"] in ENDED}, block="live")


def cancel(request: Request, form: FormData) -> Response:  # noqa: ARG001
    """End it."""
    return _changed(request, "cancel")


def retry(request: Request, form: FormData) -> Response:  # noqa: ARG001
    """Let it begin anew."""
    return _changed(request, "retry")


def _changed(request: Request, action: str) -> Response:
    id_, now = request.path_params["id"], datetime.now(UTC)
    with context_of(request).database.write() as connection:
        if asks.job_of(connection, id_) is None:
            raise HTTPException(404)
        (asks.cancel_job if action == "cancel" else asks.retry_job)(connection, id_, now)
        asks.note_change(connection, caller_of(request).name, f"job {action}", id_, now)
    return back(f"/jobs/{id_}")
