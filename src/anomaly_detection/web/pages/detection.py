"""Find the anomalies in a file or in pasted rows, look at them, take them away."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from anomaly_detection.errors import InputError
from anomaly_detection.sources.results import read_results
from anomaly_detection.web.doors import back, caller_of, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.web.sent_tables import algorithm_names, checked, names_of, sent_table, share_of
from anomaly_detection.workflows.job_requests import Page
from anomaly_detection.workflows.runs import Runs, RunWishes

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from anomaly_detection.api.context import Context
    from anomaly_detection.reports.document import Row

MOST_SHOWN = 100

AT_ONCE = 256 * 1024
"""Bytes of a table that is judged while the browser waits; a larger one is a job."""

REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
"""A report carries its style and its script in itself; in a sandbox it can reach nothing of this site."""

FILES = {"json": ("results.json", "application/json"), "parquet": ("rows.parquet", "application/octet-stream")}


def runs_of(here: Context) -> Runs:
    """The detections of this service."""
    return Runs.of(here.settings)


def ask(request: Request) -> Response:
    """The form, and what was found before."""
    here = context_of(request)
    values = {
        "algorithms": algorithm_names(),
        "models": [model.name for model in here.models.registry.list()],
        "runs": runs_of(here).list(),
    }
    return render(request, "detection", values)


def detect(request: Request, form: FormData) -> Response:
    """Judge the rows, and show what was found."""
    table = sent_table(form)
    wishes = RunWishes(
        name=table.name,
        algorithm=text_of(form, "algorithm", "auto"),
        model=text_of(form, "model") or None,
        key=names_of(form, "key"),
        timestamp=text_of(form, "timestamp") or None,
        label=text_of(form, "label") or None,
        contamination=share_of(form, "contamination"),
        per_key=bool(text_of(form, "per_key")),
        budget=text_of(form, "budget") or None,
    )
    here, caller = context_of(request), caller_of(request).name
    if table.size <= AT_ONCE:
        run = runs_of(here).start(table.file, wishes, caller)
        return back(f"/detection/{run.id}")
    with here.uploads.writing(table.name) as upload:
        payload = checked(Page, {**asdict(wishes), "upload": upload.id, "asked_by": caller})
        shutil.copyfileobj(table.file, upload, 1 << 20)
    job = here.queue.put("page", payload, asked_by=caller)
    return back(f"/jobs/{job.id}")


def found(request: Request) -> Response:
    """What was found in one file."""
    runs, id_ = runs_of(context_of(request)), request.path_params["id"]
    try:
        run = runs.get(id_)
    except InputError as error:
        raise HTTPException(404) from error
    document = read_results(runs.place(id_, "results.json"))
    odd = sorted((row for row in document.results if row.is_anomaly), key=_worst)
    records = {one.row: one.record for one in document.summary.anomalies} if document.summary else {}
    values = {"run": run, "rows": odd[:MOST_SHOWN], "most": MOST_SHOWN, "records": records}
    return render(request, "found", values)


def _worst(row: Row) -> tuple[float, int]:
    return -row.anomaly_score, row.row


def report(request: Request) -> Response:
    """The report on one."""
    path = _place(request, "report.html")
    return FileResponse(path, headers={"Content-Security-Policy": REPORT_POLICY}, media_type="text/html; charset=utf-8")


def download(request: Request) -> Response:
    """The verdicts as a file."""
    name, media_type = FILES.get(request.path_params["format"], ("", ""))
    if not name:
        raise HTTPException(404)
    return FileResponse(_place(request, name), media_type=media_type, filename=name)


def _place(request: Request, name: str) -> str:
    try:
        return str(runs_of(context_of(request)).place(request.path_params["id"], name))
    except InputError as error:
        raise HTTPException(404) from error
