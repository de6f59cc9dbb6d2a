"""Spans of OpenTelemetry, where they are wanted; nothing is imported, and nothing happens, where not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_tracer: Any = None


def use_tracer(tracer: Any) -> None:
    """Make spans with a tracer of OpenTelemetry from now on; with None, make none."""
    global _tracer  # noqa: PLW0603 - one tracer a process, as OpenTelemetry has it
    _tracer = tracer


def tracing() -> bool:
    """Whether spans are made."""
    return _tracer is not None


@contextmanager
def span(name: str, attributes: Mapping[str, Any] | None = None, **how: Any) -> Iterator[Any]:
    """A span around some work, or None where spans are not wanted; an error that leaves it is part of it.

    Parameters
    ----------
    name : what is done, of few words and no values.
    attributes : its values, by OpenTelemetry's names where there are some.
    how : ``context`` and ``kind``, as a tracer takes them.

    Examples
    --------
    >>> with span("score", {"rows": 3}) as made:
    ...     print(made)
    None
    """
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(name, attributes=dict(attributes or {}), **how) as made:
        yield made
