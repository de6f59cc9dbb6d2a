"""How the service is: what is up, versions, settings without secrets, keys, and who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from anomaly_detection.errors import StoreError
from anomaly_detection.store import audit
from anomaly_detection.store import keys as stored
from anomaly_detection.web.doors import caller_of, context_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.health import Check, details, system_health, worst

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.api.context import Context

MOST_CHANGES = 50


def settings(request: Request) -> Response:
    """The page; keys and changes for administrators only."""
    here = context_of(request)
    checks = [_database(here), *system_health(here.settings.registry_folder)]
    keys, changes = [], []
    if caller_of(request).may("admin") and checks[0].state == "ok":
        with here.database.read() as connection:
            keys, changes = stored.listed(connection), audit.newest(connection, MOST_CHANGES)
    values = {
        "checks": checks,
        "worst": worst(checks),
        "settings": [(name, _told(value)) for name, value in here.settings],
        "versions": sorted(details().items()),
        "keys": keys,
        "changes": changes,
        "is_admin": caller_of(request).may("admin"),
    }
    return render(request, "settings", values)


def _database(here: Context) -> Check:
    try:
        waiting = len(here.queue.list("waiting"))
    except StoreError as error:
        return Check("database", "failed", str(error))
    kind = "SQLite" if here.database.is_sqlite else "PostgreSQL"
    return Check("database", "ok", f"{kind} answers; {waiting} jobs wait")


def _told(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "set, not shown"
    return "–" if value is None or value == "" else str(value)
