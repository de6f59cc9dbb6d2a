"""Who looks at the pages: a cookie for each browser, a session for who has shown a key, a token for their forms."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders

from anomaly_detection.api.principal import EVERYONE
from anomaly_detection.store.sessions import key_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from anomaly_detection.api.context import Context
    from anomaly_detection.api.principal import Principal

COOKIE = "anomaly_detection"
LASTS = timedelta(hours=12)
"""How long a session lasts; a key that is revoked ends its sessions within a second."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Sessions:
    """Puts the caller and the token of forms into the scope of a request; ASGI.

    Parameters
    ----------
    app : what is behind it.
    context : says whether access is open, and has the sessions.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self.app = app
        self.context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, with who it is from."""
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self.app(scope, receive, _with_headers(send))
            return
        known = _cookie_of(scope)
        secret = known or secrets.token_urlsafe(32)
        scope["session"] = secret
        scope["csrf"] = token_of(secret)
        if self.context.settings.open_access:
            scope["principal"] = EVERYONE
        elif scope.get("principal") is None and known:
            scope["principal"] = await run_in_threadpool(self._holder, known)
            scope["signed_in"] = scope["principal"] is not None
        fresh = "" if known else _set_cookie(secret, secure=scope["scheme"] == "https")
        await self.app(scope, receive, _with_headers(send, fresh))

    def _holder(self, session: str) -> Principal | None:
        with self.context.database.read() as connection:
            key = key_of(connection, session, datetime.now(UTC))
        return None if key is None else self.context.keys.holder(key)


def token_of(secret: str) -> str:
    """The token that forms of this browser carry; who knows it does not know the cookie."""
    return sha256(f"form {secret}".encode()).hexdigest()


def let_in(request: Request, response: Response) -> str:
    """Give the browser a new cookie, so that one that somebody else may know is worth nothing; returns it."""
    secret = secrets.token_urlsafe(32)
    response.headers.append("Set-Cookie", _set_cookie(secret, secure=request.url.scheme == "https"))
    return secret


def _set_cookie(secret: str, *, secure: bool) -> str:
    lasts = int(LASTS.total_seconds())
    return f"{COOKIE}={secret}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{'; Secure' if secure else ''}"


def _cookie_of(scope: Scope) -> str | None:
    headers = dict(scope["headers"])
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and 32 <= len(found.value) <= 64 else None


def _with_headers(send: Send, cookie: str = "") -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if cookie and "Set-Cookie" not in headers:
                headers.append("Set-Cookie", cookie)
        await send(message)

    return sent
