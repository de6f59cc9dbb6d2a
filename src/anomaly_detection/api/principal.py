"""Who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from fastapi import Depends
from starlette.requests import HTTPConnection  # noqa: TC002 - FastAPI reads it

from anomaly_detection.api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

Scope = Literal["read", "score", "train", "admin"]

SCOPES: tuple[Scope, ...] = ("read", "score", "train", "admin")


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    Parameters
    ----------
    name : for logs, the audit, and rates.
    scopes : what they may do; ``admin`` includes everything.
    has_key : whether they may only as long as a key of this name is in use.
    ends : until when they may, seconds since 1970.
    """

    name: str
    scopes: frozenset[str]
    has_key: bool = False
    ends: float = float("inf")

    def may(self, scope: Scope) -> bool:
        """Say whether they may."""
        return scope in self.scopes or "admin" in self.scopes


class Checker(Protocol):
    """Knows secrets."""

    def check(self, secret: str) -> Principal | None:
        """Who holds it, from memory."""

    def check_again(self, secret: str) -> Principal | None:
        """Who holds it; may wait."""


EVERYONE = Principal("everyone", frozenset(SCOPES))
"""Who asks where access is open."""


def principal(connection: HTTPConnection) -> Principal:
    """Who asks; the middleware ``access`` has put them there.

    Raises
    ------
    ProblemError
        401 where nobody is known.
    """
    found: Principal | None = connection.scope.get("principal")
    if found is None:
        raise ProblemError(
            401,
            "This needs a key: send it as Authorization: Bearer KEY. Make one with: anomaly-detection keys create.",
            {"WWW-Authenticate": "Bearer"},
        )
    return found


Caller = Annotated[Principal, Depends(principal)]
"""Who asks, as a parameter of a route."""


def needs(scope: Scope) -> Callable[[Principal], Principal]:
    """A dependency of a route that only callers with a scope may use."""

    def checked(caller: Caller) -> Principal:
        if not caller.may(scope):
            has = ", ".join(sorted(caller.scopes)) or "none"
            raise ProblemError(403, f"This needs a key with the scope {scope!r}; that of {caller.name!r} has: {has}.")
        return caller

    return checked
