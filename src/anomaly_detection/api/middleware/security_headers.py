"""Headers that tell browsers to be careful with what we answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""What an answer says unless it says otherwise itself, as pages do."""

TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")
"""Added where the request came by HTTPS (a proxy says so with ``X-Forwarded-Proto``)."""


class SecurityHeaders:
    """Adds them to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        wanted = (*HEADERS, TLS_ONLY) if scope["scheme"] == "https" else HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.get("headers", ())
                said = dict(headers)
                message["headers"] = [*headers, *(one for one in wanted if one[0] not in said)]
            await send(message)

        await self.app(scope, receive, send_with_headers)
