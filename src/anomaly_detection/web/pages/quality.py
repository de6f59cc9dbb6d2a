"""Tables: what the checks said last, how it was before, and a check of a table that is sent along."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException

from anomaly_detection.errors import InputError
from anomaly_detection.store import views
from anomaly_detection.web.doors import back, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.web.sent_tables import sent_table
from anomaly_detection.workflows import remembered_tables
from anomaly_detection.workflows.remembered_tables import CHECKS
from anomaly_detection.workflows.sent_tables import read_table

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response


def tables(request: Request) -> Response:
    """The last answer of each check of each table, and the form for the next one."""
    with context_of(request).database.read() as connection:
        rows = views.latest_checks(connection)
    return render(request, "quality", {"rows": rows, "checks": CHECKS}, block="live")


def table(request: Request) -> Response:
    """The answers on one table, the newest first."""
    name = request.path_params["table"]
    with context_of(request).database.read() as connection:
        rows = views.latest_checks(connection, name)
    if not rows:
        raise HTTPException(404)
    return render(request, "table", {"name": name, "rows": rows, "checks": CHECKS})


def check(request: Request, form: FormData) -> Response:
    """Check a table."""
    name, kind = text_of(form, "table")[:200], text_of(form, "check", "volume")
    if not name or "/" in name:
        raise InputError("Name the table, without a slash: its runs are remembered under that name.")
    here, sent, now = context_of(request), sent_table(form), datetime.now(UTC)
    frame = read_table(sent.file, sent.name, here.settings.max_rows, as_text=kind == "pattern")
    remembered_tables.check(here.database, kind, remembered_tables.Run(name, frame, at=now.isoformat()))
    return back(f"/quality/{quote(name, safe='')}")
