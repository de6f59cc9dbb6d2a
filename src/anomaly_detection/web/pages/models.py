"""Models: their versions and aliases, what was measured, which of two is better; promote, roll back, train anew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException

from anomaly_detection.catalog import DETECTORS, SERIES_DETECTORS
from anomaly_detection.errors import InputError, ModelNotFoundError
from anomaly_detection.registry.names import check_name
from anomaly_detection.store import asks, views
from anomaly_detection.web.doors import back, caller_of, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.web.sent_tables import names_of, sent_table, share_of
from anomaly_detection.workflows.kept_uploads import keep_upload
from anomaly_detection.workflows.models import registry_at

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.registry.base import ModelVersion
    from anomaly_detection.registry.local import LocalRegistry


def _registry(request: Request) -> LocalRegistry:
    return registry_at(context_of(request).settings.registry_folder)


def models(request: Request) -> Response:
    """All models, the form to train one, and what is being trained."""
    with context_of(request).database.read() as connection:
        training = views.job_rows(connection, kind="train", limit=10)
    values = {
        "models": _registry(request).list(),
        "algorithms": [entry.name for entry in (*DETECTORS.entries(), *SERIES_DETECTORS.entries()) if not entry.extra],
        "training": [job for job in training if job["ended"] is None],
    }
    return render(request, "models", values, block="live")


def model(request: Request) -> Response:
    """One model."""
    registry, name = _registry(request), request.path_params["name"]
    try:
        versions = registry.versions(name)
    except (ModelNotFoundError, InputError) as error:
        raise HTTPException(404) from error
    with context_of(request).database.read() as connection:
        said = views.verdict_counts(connection, name)
    a, b = (request.query_params.get(side, "") for side in "ab")
    values = {
        "name": name,
        "versions": versions[::-1],
        "metrics": _metrics(versions),
        "aliases": registry.aliases(name),
        "history": registry.history(name)[::-1][:30],
        "said": {version: _judged(counts) for version, counts in said.items()},
        "pair": registry.compare(f"{name}@{a}", f"{name}@{b}") if a and b else None,
        "a": a or (str(versions[-2].version) if len(versions) > 1 else ""),
        "b": b or (str(versions[-1].version) if versions else ""),
    }
    return render(request, "model", values)


def _metrics(versions: tuple[ModelVersion, ...]) -> list[str]:
    """The names of all that was measured, in the order of the newest version."""
    return list(dict.fromkeys(name for version in reversed(versions) for name in version.metrics))


def _judged(counts: dict[str, int]) -> dict[str, Any]:
    """What people's words say about a version.

    >>> _judged({"hits": 8, "false alarms": 2})
    {'said': 10, 'precision': 0.8}
    """
    hits, false = counts.get("hits", 0), counts.get("false alarms", 0)
    return {"said": sum(counts.values()), "precision": hits / (hits + false) if hits + false else None}


def promote(request: Request, form: FormData) -> Response:
    """Let an alias point at a version."""
    name, alias, version = request.path_params["name"], text_of(form, "alias", "production"), text_of(form, "version")
    if not version.isdigit():
        raise InputError(f"A version is a number, such as 3; {version[:20]!r} is none.")
    _registry(request).promote(name, int(version), alias)
    return _noted(request, "promote", f"{name}@{version} as {alias}", f"/models/{name}")


def rollback(request: Request, form: FormData) -> Response:
    """Let an alias point at what it pointed at before."""
    name, alias = request.path_params["name"], text_of(form, "alias", "production")
    version = _registry(request).rollback(name, alias)
    return _noted(request, "rollback", f"{version.reference} as {alias}", f"/models/{name}")


def train(request: Request, form: FormData) -> Response:
    """Ask for a new version, from a table that is sent along."""
    name = text_of(form, "name")
    check_name(name)
    table = sent_table(form)
    here = context_of(request)
    payload = {
        "upload": keep_upload(here.settings.home / "uploads", table.file, table.name),
        "name": name,
        "algorithm": text_of(form, "algorithm", "auto"),
        "key": list(names_of(form, "key")),
        "timestamp": text_of(form, "timestamp") or None,
        "label": text_of(form, "label") or None,
        "contamination": share_of(form, "contamination") or "auto",
    }
    with here.database.write() as connection:
        job = asks.put_job(connection, "train", payload, caller_of(request).name, datetime.now(UTC))
    return back(f"/jobs/{job}")


def _noted(request: Request, action: str, subject: str, place: str) -> Response:
    with context_of(request).database.write() as connection:
        asks.note_change(connection, caller_of(request).name, action, subject, datetime.now(UTC))
    return back(place)
