"""The OpenAPI document: what FastAPI knows, and what every route has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from anomaly_detection.api.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from fastapi import FastAPI

TAGS = {
    "health": "Whether the service lives, and is ready.",
    "detection": "Judge rows that come with the request.",
    "tables": "Check tables: row counts, values, cells, arrivals.",
    "models": "Models, versions, aliases; what they say about rows.",
    "series": "Series of points, in the shapes of Azure's Anomaly Detector.",
    "access": "Tokens, and the audit of changes.",
}

REFUSALS = {
    401: "No key, or one that is unknown, expired or revoked.",
    403: "The key lacks the scope.",
    404: "There is no such thing.",
    409: "Somebody else changed it first, or the first request with this idempotency key is under way.",
    413: "The body is too large, as it came or unpacked.",
    422: "The request does not have the form it should, or its content is off.",
    429: "Too many requests; Retry-After says when to ask again.",
    503: "The database does not answer, or there was no answer in time.",
}
"""What any route may answer instead."""

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, the value, the way out (RFC 9457).",
    "required": ["title", "status"],
    "properties": {
        "type": {"type": "string", "default": "about:blank"},
        "title": {"type": "string", "examples": ["Not Found"]},
        "status": {"type": "integer", "examples": [404]},
        "detail": {"type": "string", "examples": ["Unknown model 'orderz'. Did you mean 'orders'?"]},
        "instance": {"type": "string", "examples": ["/api/v1/models/orderz"]},
        "request_id": {"type": "string", "examples": ["9f2c61d0a4b7e583"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}

KEYS: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key of anomaly-detection keys create."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

OPEN = ("/health", "/metrics")
"""Paths that need no key begin so."""


def describe(app: FastAPI) -> None:
    """Let the application's document say what all routes share: problems, keys, tags."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(
                get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
            )
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to change the document


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    parts["securitySchemes"] = KEYS
    operations = [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]
    for path, operation in operations:
        _complete(operation, is_open=path.startswith(OPEN))
    used = {tag for _, operation in operations for tag in operation.get("tags", ())}
    document["tags"] = [{"name": name, "description": TAGS.get(name, name)} for name in sorted(used)]
    return document


def _complete(operation: dict[str, Any], *, is_open: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status, description in REFUSALS.items():
        if not is_open or status in {429, 503}:
            responses[str(status)] = _problem(description)
    for answer in responses.values():
        if "text/event-stream" in answer.get("content", {}):
            answer["content"]["text/event-stream"] = {}  # a stream is no one text that a schema could describe
    responses["default"] = _problem("Something else is wrong with the request.")
    if not is_open:
        operation["security"] = [{name: []} for name in KEYS]


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
