"""The REST API: its operations, from its own description."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from anomaly_detection.api.app import create_api
from anomaly_detection.web.rendering import render

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

METHODS = ("get", "post", "put", "patch", "delete")


def reference(request: Request) -> Response:
    """The page."""
    found = sorted(operations(_described(request.app)), key=lambda one: (one["tag"], one["path"]))
    groups = [(tag, list(ones)) for tag, ones in groupby(found, key=lambda one: one["tag"])]
    return render(request, "reference", {"groups": groups, "base": str(request.base_url).rstrip("/")})


def _described(app: Starlette) -> dict[str, Any]:
    """The OpenAPI document, made when it is first looked at."""
    if not hasattr(app.state, "description"):
        app.state.description = create_api(app.state.context).openapi()
    found: dict[str, Any] = app.state.description
    return found


def operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be asked of an API, from its OpenAPI document."""
    return [
        {
            "method": method.upper(),
            "path": path,
            "tag": (one.get("tags") or ["other"])[0],
            "summary": one.get("summary", ""),
            "about": str(one.get("description", "")).strip(),
            "parameters": [_parameter(each) for each in one.get("parameters", [])],
            "body": sorted(one.get("requestBody", {}).get("content", {})),
            "answers": sorted(one.get("responses", {})),
        }
        for path, every in description.get("paths", {}).items()
        for method, one in every.items()
        if method in METHODS
    ]


def _parameter(one: dict[str, Any]) -> tuple[str, str, str]:
    return one.get("name", ""), one.get("in", ""), one.get("description", "")
