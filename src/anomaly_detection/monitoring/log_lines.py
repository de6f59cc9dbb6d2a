"""The service's own log: lines for people, or JSON; everything that logs goes this one way."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO, cast

import msgspec
import structlog

from anomaly_detection.monitoring.requests import with_request
from anomaly_detection.monitoring.secrets import without_secrets

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["lines", "json"]

QUIET = {"uvicorn.error": logging.ERROR, "uvicorn.access": logging.CRITICAL, "alembic": logging.WARNING}
"""Loggers of libraries that say too much: a stranger who sends no HTTP is no news of ours."""


class StandardError:
    """Whatever standard error is at the moment of writing."""

    def write(self, text: str) -> int:
        """Write."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Let it be seen."""
        sys.stderr.flush()


def start_log(how: LogFormat, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Log to a stream from now on, standard error by default.

    Parameters
    ----------
    how : ``"lines"`` for people, ``"json"`` for machines: an object a line.
    """
    out = stream or cast("TextIO", StandardError())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        with_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    last: Processor = structlog.processors.JSONRenderer(_encoded) if how == "json" else as_line
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    _take_over(shared, last, out, level)


def _take_over(shared: list[Processor], last: Processor, out: TextIO, level: int) -> None:
    """Let what libraries log by the standard library look the same."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


def _encoded(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()


def as_line(_: WrappedLogger, __: str, event: EventDict) -> str:
    r"""One line for people: the time, the level, what happened, and its values; a traceback follows below.

    >>> as_line(None, "info", {"timestamp": "2026-01-01T10:00:00Z", "level": "info", "event": "asked", "path": "/a\nb"})
    "2026-01-01T10:00:00Z info     asked  path='/a\\nb'"
    """
    trace = event.pop("exception", None)
    head = f"{event.pop('timestamp', '')} {event.pop('level', ''):8} {_plain(event.pop('event', ''))}"
    values = "".join(f" {name}={_plain(value)}" for name, value in event.items())
    return f"{head}{' ' * bool(values)}{values}" + (f"\n{trace}" if trace else "")


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if text.isprintable() else repr(text)
