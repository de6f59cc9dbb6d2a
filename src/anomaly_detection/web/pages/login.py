"""A key is shown once, and the browser has a session from then on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from anomaly_detection.store.sessions import close_session, open_session
from anomaly_detection.web.doors import context_of, form_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.web.sessions import LASTS, let_in

if TYPE_CHECKING:
    from starlette.requests import Request


def ask(request: Request) -> Response:
    """The page that asks for a key."""
    return render(request, "login", {"next": _inside(request.query_params.get("next", "/")), "problem": ""})


async def sign_in(request: Request) -> Response:
    """Exchange a key for a session."""
    form = await form_of(request)
    after, key = _inside(text_of(form, "next", "/")), text_of(form, "key")
    answer = RedirectResponse(after, 303)
    session = let_in(request, answer)
    known = bool(key) and await run_in_threadpool(_opened, request, session, key)
    if known:
        return answer
    problem = "This key is not known, or no longer valid." if key else "Please give a key."
    return render(request, "login", {"next": after, "problem": problem}, status=401)


async def sign_out(request: Request) -> Response:
    """End the session."""
    await form_of(request)
    await run_in_threadpool(_closed, request)
    return RedirectResponse("/login", 303)


def _opened(request: Request, session: str, key: str) -> bool:
    here = context_of(request)
    if here.keys.check(key) is None and here.keys.check_again(key) is None:
        return False
    with here.database.write() as connection:
        open_session(connection, session, key, datetime.now(UTC), LASTS)
    return True


def _closed(request: Request) -> None:
    with context_of(request).database.write() as connection:
        close_session(connection, request.scope["session"])


def _inside(place: str) -> str:
    r"""A place on this site; anything else becomes the overview.

    >>> _inside("/jobs"), _inside("//evil.example"), _inside("https://evil.example"), _inside("/\\evil.example")
    ('/jobs', '/', '/', '/')
    """
    return place if place.startswith("/") and not place.startswith(("//", "/\\")) and "\n" not in place else "/"
