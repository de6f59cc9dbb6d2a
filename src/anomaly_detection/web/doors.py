"""What stands before every page: who may see it, what a form has to bring, and errors as pages."""

from __future__ import annotations

from hmac import compare_digest
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from anomaly_detection.api.problems import ProblemError, status_of
from anomaly_detection.web.rendering import render

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.datastructures import FormData
    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from anomaly_detection.api.context import Context
    from anomaly_detection.api.principal import Principal, Scope

MOST_FIELDS = 64
TITLES = {
    400: "This form was not understood",
    401: "Please sign in",
    403: "You may not do this",
    404: "There is no such page",
    405: "This page does not take that",
    409: "Somebody was faster",
    413: "That is too large",
    422: "This does not work as it is",
    503: "The database does not answer",
}


def context_of(request: Request) -> Context:
    """What the service consists of."""
    context: Context = request.app.state.context
    return context


def caller_of(request: Request) -> Principal:
    """Who asks; pages are only reached by somebody."""
    found: Principal = request.scope["principal"]
    return found


def shown(place: str, scope: Scope = "read") -> Callable[[Request], Response]:
    """A page for those with a scope; others are sent to sign in, or told that they may not.

    Parameters
    ----------
    place : the function that makes it, such as ``jobs:job``.
    scope : what it takes.
    """

    def endpoint(request: Request) -> Response:
        turned_away = _turned_away(request, scope)
        if turned_away is not None:
            return turned_away
        made: Response = _work(place)(request)
        return made

    return endpoint


def posted(place: str, scope: Scope) -> Callable[[Request], Awaitable[Response]]:
    """What a form does, for those with a scope; the work is done in a thread. Parameters as those of :func:`shown`."""

    async def endpoint(request: Request) -> Response:
        turned_away = _turned_away(request, scope)
        if turned_away is not None:
            return turned_away
        form = await form_of(request)
        try:
            made: Response = await run_in_threadpool(_work(place), request, form)
        finally:
            await form.close()
        return made

    return endpoint


def _work(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(f"anomaly_detection.web.pages.{module}"), name)
    return found


def _turned_away(request: Request, scope: Scope) -> Response | None:
    caller: Principal | None = request.scope.get("principal")
    if caller is None:
        after = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?next={quote(after)}", 303)
    if not caller.may(scope):
        raise ProblemError(403, f"This needs the scope {scope!r}, and the key of {caller.name!r} does not have it.")
    return None


async def form_of(request: Request) -> FormData:
    """The fields of a form that came from a page of ours.

    Raises
    ------
    ProblemError
        where its token is not that of the session.
    """
    most = context_of(request).settings.max_body
    form = await request.form(max_files=2, max_fields=MOST_FIELDS, max_part_size=most)
    token, given = request.scope.get("csrf", ""), form.get("csrf")
    same_site = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    if not (same_site and token and isinstance(given, str) and compare_digest(token.encode(), given.encode())):
        raise ProblemError(403, "The form is too old, or does not come from this site. Load the page again.")
    return form


def text_of(form: FormData, name: str, otherwise: str = "") -> str:
    """A field of a form, without spaces around it."""
    found = form.get(name)
    return (found.strip() if isinstance(found, str) else "") or otherwise


def upload_of(form: FormData, name: str) -> UploadFile | None:
    """A file of a form; None where none was chosen."""
    found = form.get(name)
    return found if isinstance(found, UploadFile) and found.filename else None


def back(place: str) -> Response:
    """After a form: the page that shows what it did."""
    return RedirectResponse(place, 303)


def not_done(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page that says what went wrong."""
    values = {"status": status, "title": TITLES.get(status, "Something went wrong"), "detail": detail}
    return render(request, "error", values, status=status, headers=headers)


async def ours(request: Request, error: Exception) -> Response:
    """An error of this package, as a page."""
    return not_done(request, status_of(error), str(error))


async def refused(request: Request, error: Any) -> Response:
    """A refusal, as a page."""
    return not_done(request, error.status, str(error), error.headers)


async def http(request: Request, error: Any) -> Response:
    """An error of the protocol, as a page."""
    known: HTTPException = error
    detail = "" if known.status_code == 404 else str(known.detail)
    return not_done(request, known.status_code, detail, known.headers)


async def unknown(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """An error that nobody foresaw, as a page that shows nothing of it; the log has it."""
    return not_done(request, 500, "This is a mistake of the program. Its log says more.")
