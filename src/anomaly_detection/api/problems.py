"""Errors as problem documents (RFC 9457): what went wrong, the value, the way out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from anomaly_detection.errors import (
    AnomalyDetectionError,
    ArtifactError,
    InputError,
    JobConflictError,
    JobNotFoundError,
    MissingDependencyError,
    ModelConflictError,
    ModelNotFoundError,
    SinkError,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request
    from starlette.types import Scope

MEDIA_TYPE = "application/problem+json"

STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (ModelNotFoundError, 404),
    (JobNotFoundError, 404),
    (ModelConflictError, 409),
    (JobConflictError, 409),
    (ArtifactError, 500),
    (InputError, 422),
    (SinkError, 507),
    (MissingDependencyError, 501),
    (StoreError, 503),
    (AnomalyDetectionError, 500),
)
"""Which status an error of ours has; the first that fits."""


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem document."""

    title: str
    status: int
    detail: str = ""
    instance: str = ""
    request_id: str = ""
    errors: list[dict[str, str]] = []
    type: str = "about:blank"


class ProblemError(Exception):
    """A refusal that no error of the core stands for, such as a missing scope."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})


def problem(
    status: int,
    detail: str = "",
    *,
    instance: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
    request_id: str = "",
) -> Response:
    """The response that says so."""
    title = HTTPStatus(status).phrase
    body = msgspec.json.encode(Problem(title, status, detail, instance, request_id, errors or []))
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def told(
    scope: Scope,
    status: int,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, str]] | None = None,
) -> Response:
    """The same about a request, whose path and id are named."""
    path, request_id = scope["path"], scope.get("request_id", "")
    return problem(status, detail, instance=path, headers=headers, errors=errors, request_id=request_id)


def status_of(error: Exception) -> int:
    """The status that stands for an error.

    >>> status_of(InputError("no rows")), status_of(StoreError("down")), status_of(KeyError("x"))
    (422, 503, 500)
    """
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Answer every error with a problem document."""

    @app.exception_handler(AnomalyDetectionError)
    @app.exception_handler(ProblemError)
    async def _ours(request: Request, error: AnomalyDetectionError | ProblemError) -> Response:
        return answer_to(request.scope, error)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        return told(request.scope, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        found = [
            {"where": _place(one["loc"]), "what": str(one["msg"]).removeprefix("Value error, ")}
            for one in error.errors()
        ]
        return told(request.scope, 422, "The request does not have the form it should.", errors=found)


def answer_to(scope: Scope, error: AnomalyDetectionError | ProblemError) -> Response:
    """The problem document for an error of ours."""
    if isinstance(error, ProblemError):
        return told(scope, error.status, str(error), error.headers)
    return told(scope, status_of(error), _without_places(scope, str(error)))


def _without_places(scope: Scope, text: str) -> str:
    """Callers need not know in which folder of the server something is."""
    settings = scope["app"].state.context.settings
    for folder in (settings.registry_folder, settings.home):
        text = text.replace(f" {folder} ", " ").replace(str(folder), folder.name)
    return text


def _place(parts: tuple[Any, ...]) -> str:
    return ".".join(str(part) for part in parts)
