"""A real service for tests: uvicorn in a thread on a free port, and a client that knows where it is."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from anomaly_detection.api import Context
from anomaly_detection.server import create_app
from anomaly_detection.settings import Settings
from anomaly_detection.workflows.api_keys import create_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

DEADLINE = 30.0


@dataclass
class Service:
    """A running service: ``client`` speaks to it as everyone (open access) or without a key."""

    url: str
    context: Context
    client: httpx.Client

    def key(self, *scopes: str, name: str = "test", days: float | None = None) -> dict[str, str]:
        """The headers of a new key."""
        _, secret = create_key(self.context.database, name, scopes, days, asked_by="test")
        self.context.keys.look()
        return {"Authorization": f"Bearer {secret}"}


@contextmanager
def service(tmp_path: Path, **settings: Any) -> Iterator[Service]:
    """A service with a home of its own; access is open unless ``open_access=False`` is given."""
    given = {"home": tmp_path / "home", "open_access": True, "workers": 0, **settings}
    context = Context.open(Settings(**given))
    with running(create_app(context)) as url, httpx.Client(base_url=url, timeout=DEADLINE) as client:
        until(lambda: client.get("/health/ready").status_code == 200, "the service is ready")
        yield Service(url, context, client)


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """The address of an application that runs in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", server_header=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the server has started")
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(DEADLINE)


def until(true: Callable[[], bool], what: str, seconds: float = DEADLINE) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)
