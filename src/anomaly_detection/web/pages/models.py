"""Models: their versions and aliases, what was measured, which of two is better; promote, roll back, train anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from anomaly_detection.errors import InputError
from anomaly_detection.registry.names import check_name
from anomaly_detection.web.doors import back, caller_of, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.web.sent_tables import algorithm_names, checked, names_of, sent_table, share_of
from anomaly_detection.workflows.feedback import quality_of
from anomaly_detection.workflows.job_requests import Train
from anomaly_detection.workflows.model_changes import Changes

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.registry.base import ModelVersion


def models(request: Request) -> Response:
    """All models, the form to train one, and what is being trained."""
    here = context_of(request)
    values = {
        "models": here.models.registry.list(),
        "algorithms": algorithm_names(),
        "training": [*here.queue.list("running", "train", 5), *here.queue.list("waiting", "train", 5)],
    }
    return render(request, "models", values, block="live")


def model(request: Request) -> Response:
    """One model."""
    here, name = context_of(request), request.path_params["name"]
    registry = here.models.registry
    versions = registry.versions(name)
    a, b = (request.query_params.get(side, "") for side in "ab")
    values = {
        "name": name,
        "versions": versions[::-1],
        "metrics": _metrics(versions),
        "aliases": registry.aliases(name),
        "history": registry.history(name)[::-1][:30],
        "quality": quality_of(here.database, name),
        "pair": registry.compare(f"{name}@{a}", f"{name}@{b}") if a and b else None,
        "a": a or (str(versions[-2].version) if len(versions) > 1 else ""),
        "b": b or (str(versions[-1].version) if versions else ""),
    }
    return render(request, "model", values)


def _metrics(versions: tuple[ModelVersion, ...]) -> list[str]:
    """The names of all that was measured, in the order of the newest version."""
    return list(dict.fromkeys(name for version in reversed(versions) for name in version.metrics))


def promote(request: Request, form: FormData) -> Response:
    """Let an alias point at a version."""
    name, alias, version = request.path_params["name"], text_of(form, "alias", "production"), text_of(form, "version")
    if not version.isdecimal():
        raise InputError(f"A version is a number, such as 3; {version[:20]!r} is none.")
    _changes(request).promote(name, int(version), alias)
    return back(f"/models/{name}")


def rollback(request: Request, form: FormData) -> Response:
    """Let an alias point at what it pointed at before."""
    name = request.path_params["name"]
    _changes(request).rollback(name, text_of(form, "alias", "production"))
    return back(f"/models/{name}")


def _changes(request: Request) -> Changes:
    here = context_of(request)
    return Changes(here.models.registry, here.database, caller_of(request).name)


def train(request: Request, form: FormData) -> Response:
    """Ask for a new version, from a table that is sent along."""
    name = text_of(form, "name")
    check_name(name)
    table = sent_table(form)
    asked = {
        "name": name,
        "algorithm": text_of(form, "algorithm", "auto"),
        "key": names_of(form, "key"),
        "timestamp": text_of(form, "timestamp") or None,
        "label": text_of(form, "label") or None,
        "contamination": share_of(form, "contamination") or "auto",
        "per_key": bool(text_of(form, "per_key")),
        "budget": text_of(form, "budget") or None,
    }
    here = context_of(request)
    with here.uploads.writing(table.name) as upload:
        payload = checked(Train, {**asked, "upload": upload.id})
        shutil.copyfileobj(table.file, upload, 1 << 20)
    job = here.queue.put("train", payload, asked_by=caller_of(request).name)
    return back(f"/jobs/{job.id}")
