"""A service that runs until it is told to stop."""

from __future__ import annotations

import resource
import sys
import threading
from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog
import uvicorn

from anomaly_detection.api import Context
from anomaly_detection.errors import ParameterError
from anomaly_detection.jobs.pool import Pool
from anomaly_detection.monitoring.log_lines import start_log
from anomaly_detection.monitoring.traces import Traces
from anomaly_detection.server.app import create_app
from anomaly_detection.server.connections import Limits
from anomaly_detection.server.listening import is_this_machine, listen, url_of
from anomaly_detection.server.settling import settle_down
from anomaly_detection.workflows.api_keys import first_key

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from starlette.applications import Starlette

    from anomaly_detection.server.app import Parts
    from anomaly_detection.settings import Settings

SPARE_FILES = 200
"""Files that a service has open beside its connections."""

_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """Uvicorn's, which says when it is ready, and when it is about to stop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], ending: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, then answer what is being answered, and stop."""
        self._ending()
        await super().shutdown(sockets)


def serve(settings: Settings, parts: Parts = "all", say: Callable[[str], None] = print) -> None:
    """Serve until told to stop; what is being answered then is answered first.

    Parameters
    ----------
    say : told where the service listens and how to log in, once it is ready.

    Raises
    ------
    ParameterError
        if access is open and others than this machine could reach it, or the address is taken.
    StoreError
        if the database does not answer.
    """
    _check_open(settings)
    with ExitStack() as open_things:
        sockets = listen(settings.hosts, settings.web_port if parts == "web" else settings.port)
        for one in sockets:
            open_things.callback(one.close)
        start_log(settings.log_format)
        if settings.trace_endpoint:
            open_things.callback(Traces(settings.trace_endpoint, settings.trace_share).close)
        _allow_files(settings.max_connections)
        context = Context.open(settings)
        if not settings.open_access:
            _first_key(context)
        context.schedules.put("retention", "17 3 * * *", "retain", {}, replace=False)
        open_things.enter_context(Pool(0 if parts == "web" else settings.workers, settings.environment()))
        app = create_app(context, parts)
        settle_down()
        threading.Thread(target=_settle_again, args=(context,), name="settling", daemon=True).start()
        announce = partial(_announce, settings, parts, sockets, say)
        server = Server(configuration(app, settings), announce, context.events.end)
        try:
            server.run(sockets)
        except (KeyboardInterrupt, SystemExit):
            if not server.started:
                raise
        _log.info("stopped")


def _settle_again(context: Context) -> None:
    """The same for what is there once the first models are ready."""
    context.models.prepared.wait()
    settle_down()


def configuration(app: Starlette, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves an application."""
    limits = Limits(settings.max_connections, settings.header_seconds, settings.request_seconds)
    return uvicorn.Config(
        app,
        http=limits.make,  # type: ignore[arg-type] # uvicorn calls it and asks no more
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=[one.strip() for one in settings.proxies.split(",")],
        ws_max_size=min(settings.max_body, 2 * 2**20),
        ws_ping_timeout=300.0,
        ws_per_message_deflate=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(settings.drain_seconds) or 1,
    )


def _check_open(settings: Settings) -> None:
    beyond = [host for host in settings.hosts if not is_this_machine(host)]
    if settings.open_access and beyond:
        raise ParameterError(
            f"Access is open, and {beyond[0]} can be reached by others. Listen on 127.0.0.1, or leave out --open "
            "and make keys with: anomaly-detection keys create."
        )
    if not settings.hosts:
        raise ParameterError("There is no address to listen on. Give one with --host.")


def _first_key(context: Context) -> None:
    """Where nobody has a key, make one and show it this once."""
    secret = first_key(context.database)
    if secret is not None:
        print(f"The key of the administrator, shown this once: {secret}", file=sys.stderr, flush=True)  # noqa: T201
        context.keys.look()


def _allow_files(connections: int) -> None:
    """Let this process have as many files open as it may have connections, as far as the system allows."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if least != resource.RLIM_INFINITY and least < wanted:
        with suppress(ValueError, OSError):
            most_now = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most_now, most))


def _announce(settings: Settings, parts: Parts, sockets: list[socket.socket], say: Callable[[str], None]) -> None:
    urls = [url_of(one) for one in sockets]
    _log.info("ready", urls=" ".join(urls), parts=parts, database=_kind(settings))
    if settings.log_format == "json":
        return
    what = {"all": "Dashboard and REST API", "api": "REST API", "web": "Dashboard"}[parts]
    say(f"{what}: {' '.join(urls)}")
    if settings.open_access:
        say("Access is open: everyone on this machine may do everything. Without --open, keys are needed.")
    else:
        say("Log in with a key; to make one: anomaly-detection keys create.")
    say("Stop with Ctrl+C.")


def _kind(settings: Settings) -> str:
    return "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
