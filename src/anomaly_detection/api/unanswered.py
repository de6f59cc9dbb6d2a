"""What no route answers: a problem, and not a page of the dashboard that is mounted behind the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Match, Route

from anomaly_detection.api.problems import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Receive, Scope, Send

UNDER = ("/api/", "/anomalydetector/")
"""Nothing else than the API is under these paths."""


class Unanswered(BaseRoute):
    """The last route of the API: 405 for a method that a path does not take, 404 for a path that is not there.

    Parameters
    ----------
    routes : those before it.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.routes = [route for route in routes if isinstance(route, Route)]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is for the API."""
        known = scope["type"] == "http" and (scope["path"].startswith(UNDER) or self._methods(scope["path"]))
        return (Match.FULL if known else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say what there is instead."""
        allowed = ", ".join(sorted(self._methods(scope["path"])))
        if allowed:
            answer = told(scope, 405, f"This path takes {allowed}, not {scope['method']}.", {"Allow": allowed})
        else:
            answer = told(scope, 404, "There is nothing at this path. All paths are in /openapi.json.")
        await answer(scope, receive, send)

    def _methods(self, path: str) -> set[str]:
        return set[str]().union(*(route.methods or () for route in self.routes if route.path_regex.match(path)))
