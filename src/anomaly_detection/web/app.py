"""The dashboard, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from anomaly_detection.api.problems import ProblemError
from anomaly_detection.errors import AnomalyDetectionError
from anomaly_detection.web import doors
from anomaly_detection.web.doors import posted, shown
from anomaly_detection.web.pages import live, login
from anomaly_detection.web.sessions import Sessions
from anomaly_detection.web.statics import static

if TYPE_CHECKING:
    from anomaly_detection.api.context import Context

PAGES = (
    Route("/", shown("overview:overview")),
    Route("/explore", shown("explore:explore")),
    Route("/explore/data", shown("explore:live_data")),
    Route("/explore/data/{id}", shown("explore:run_data")),
    Route("/alerts", shown("alerts:alerts")),
    Route("/alerts/{id}", shown("alerts:alert")),
    Route("/alerts/{id}/reasons", shown("alerts:reasons")),
    Route("/logs", shown("logs:logs")),
    Route("/quality", shown("quality:tables")),
    Route("/quality/{table}", shown("quality:table")),
    Route("/models", shown("models:models")),
    Route("/models/{name}", shown("models:model")),
    Route("/detection", shown("detection:ask")),
    Route("/detection/{id}", shown("detection:found")),
    Route("/detection/{id}/report", shown("detection:report")),
    Route("/detection/{id}/results.{format}", shown("detection:download")),
    Route("/jobs", shown("jobs:jobs")),
    Route("/jobs/{id}", shown("jobs:job")),
    Route("/jobs/{id}/file", shown("jobs:file")),
    Route("/settings", shown("settings:settings")),
    Route("/reference", shown("reference:reference")),
)
"""What is looked at: the module of a page is imported when somebody first looks, so that a service starts quickly."""

FORMS = (
    Route("/alerts/{id}/feedback", posted("alerts:say", "score"), methods=["POST"]),
    Route("/alerts/{id}/state", posted("alerts:change", "score"), methods=["POST"]),
    Route("/quality", posted("quality:check", "score"), methods=["POST"]),
    Route("/models", posted("models:train", "train"), methods=["POST"]),
    Route("/models/{name}/promote", posted("models:promote", "admin"), methods=["POST"]),
    Route("/models/{name}/rollback", posted("models:rollback", "admin"), methods=["POST"]),
    Route("/detection", posted("detection:detect", "score"), methods=["POST"]),
    Route("/jobs/{id}/cancel", posted("jobs:cancel", "read"), methods=["POST"]),
    Route("/jobs/{id}/retry", posted("jobs:retry", "read"), methods=["POST"]),
)
"""What is done."""

OPEN = (
    Route("/login", login.ask),
    Route("/login", login.sign_in, methods=["POST"]),
    Route("/logout", login.sign_out, methods=["POST"]),
    Route("/live", live.live),
    Route("/static/{name:path}", static),
)
"""What looks after itself who may."""

ERRORS = {
    AnomalyDetectionError: doors.ours,
    ProblemError: doors.refused,
    HTTPException: doors.http,
    Exception: doors.unknown,
}


def create_web(context: Context) -> Starlette:
    """The application with the pages; it is mounted at ``/``, behind what stands before every route."""
    app = Starlette(
        routes=[*PAGES, *FORMS, *OPEN],
        middleware=[Middleware(Sessions, context=context)],
        exception_handlers=ERRORS,
    )
    app.state.context = context
    app.state.changes = live.Changes(context.database)
    return app
