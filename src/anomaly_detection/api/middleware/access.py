"""Who asks: a key, a token, or everyone where access is open."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread

from anomaly_detection.api.principal import EVERYONE
from anomaly_detection.api.problems import told
from anomaly_detection.store.keys import SHORT_LIVED
from anomaly_detection.telemetry import REFUSED

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from anomaly_detection.api.principal import Checker

SUBPROTOCOL = "anomaly-detection"
"""What browsers ask for beside their token when they open a WebSocket, and are given."""

THIS_MACHINE = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """Puts ``principal`` into the scope, and refuses keys that are not known; routes say what they need.

    Where access is open, pages of other sites that a browser of this machine shows are kept out.

    Parameters
    ----------
    keys : knows them.
    open_access : whether everyone may do everything.
    """

    def __init__(self, app: ASGIApp, keys: Checker, *, open_access: bool) -> None:
        self.app = app
        self.keys = keys
        self.open_access = open_access
        self._waiting = CapacityLimiter(2)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if self.open_access:
            if _from_elsewhere(scope, headers):
                await _refuse(scope, receive, send, 403, "origin", _ELSEWHERE)
                return
            scope["principal"] = EVERYONE
        else:
            secret = _secret(scope, headers)
            if secret is not None:
                found = self.keys.check(secret)
                if found is None:
                    found = await to_thread.run_sync(self.keys.check_again, secret, limiter=self._waiting)
                if found is None:
                    await _refuse(scope, receive, send, 401, "key", _UNKNOWN)
                    return
                scope["principal"] = found
        if scope["type"] == "websocket":
            if "principal" not in scope:
                await _refuse(scope, receive, send, 401, "key", _NO_KEY)
                return
            send = _with_subprotocol(scope, send)
        await self.app(scope, receive, send)


_UNKNOWN = "This key is unknown, expired or revoked. Make one with: anomaly-detection keys create."
_NO_KEY = (
    "This needs a key: send it as Authorization: Bearer KEY, or a token of POST /api/v1/tokens as a subprotocol or as "
    "?token=."
)
_ELSEWHERE = (
    "Access is open, and so only for this machine: the request came from a page of another site, or under another name."
)


def _secret(scope: Scope, headers: dict[bytes, bytes]) -> str | None:
    """The key of a request, from the places that may hold one."""
    authorization = headers.get(b"authorization")
    if authorization is not None:
        kind, _, secret = authorization.partition(b" ")
        return secret.strip().decode("latin-1") if kind.lower() == b"bearer" else authorization.decode("latin-1")
    key = headers.get(b"x-api-key") or headers.get(b"ocp-apim-subscription-key")
    return _token(scope) if key is None else key.decode("latin-1")


def _token(scope: Scope) -> str | None:
    """A token that a browser sends where it cannot send headers; keys that last are not taken from an address."""
    if scope["type"] == "websocket":
        found = next((one for one in scope.get("subprotocols", ()) if one.startswith(SHORT_LIVED)), None)
        if found is not None:
            return str(found)
    if b"token=" in scope.get("query_string", b""):
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return given if given.startswith(SHORT_LIVED) else "not a token"
    return None


def _with_subprotocol(scope: Scope, send: Send) -> Send:
    """The token is kept from the route, and the client is told the subprotocol that it asked for beside it."""
    asked = scope.get("subprotocols", ())
    scope["subprotocols"] = [one for one in asked if not one.startswith(SHORT_LIVED)]

    async def send_accept(message: Message) -> None:
        if message["type"] == "websocket.accept" and not message.get("subprotocol") and SUBPROTOCOL in asked:
            message["subprotocol"] = SUBPROTOCOL
        await send(message)

    return send_accept


def _from_elsewhere(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether a page of another site asks, or the name of the host is one that somebody made point here."""
    host = headers.get(b"host", b"")
    if host.rsplit(b":", 1)[0] not in THIS_MACHINE and host not in THIS_MACHINE:
        return True
    origin: bytes | None = headers.get(b"origin")
    if origin is None or (scope["type"] == "http" and scope["method"] in SAFE):
        return False
    return origin.rpartition(b"//")[2] != host


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, reason: str, detail: str) -> None:
    REFUSED.labels(reason).inc()
    answer = told(scope, status, detail, {"WWW-Authenticate": "Bearer"} if status == 401 else None)
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": detail[:120]})
    else:
        await answer(scope, receive, send)
