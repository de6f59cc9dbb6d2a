"""A service for the tests of what is live: real uvicorn on a free port, everything open."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from anomaly_detection.api import Context, create_api
from anomaly_detection.api.principal import EVERYONE
from anomaly_detection.settings import Settings
from anomaly_detection.workflows.starting_models import register_starting_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

PATIENCE_SECONDS = 60.0


def opened(app: ASGIApp) -> ASGIApp:
    """The application as everyone may use it."""

    async def with_principal(scope: Scope, receive: Receive, send: Send) -> None:
        scope["principal"] = EVERYONE
        await app(scope, receive, send)

    return with_principal


def until(condition: Any, seconds: float = PATIENCE_SECONDS) -> Any:
    """What a condition gives once it gives something; fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "this took too long"
        threading.Event().wait(0.01)
    return found


@cache
def starting_registry() -> Path:
    """A registry with the starting models, made once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="starting-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    register_starting_models(folder, "logs")
    return folder


@contextlib.contextmanager
def running(home: Path, *, first: bool = False, **settings: Any) -> Iterator[tuple[httpx.Client, Context]]:
    """A service in a thread, and a client of it; its starting models are there, or made by itself where it is first."""
    if not first:
        shutil.copytree(starting_registry(), home / "registry")
    context = Context.open(Settings(home=home, open_access=True, **settings))
    server = uvicorn.Server(uvicorn.Config(opened(create_api(context)), port=0, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        until(lambda: len(context.models.held()) == 2)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as client:
            yield client, context
    finally:
        server.should_exit = True
        thread.join()
        context.close()
