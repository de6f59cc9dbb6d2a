"""Templates into pages, or into the one block of a page that a live element asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.runtime import Macro
from starlette.responses import HTMLResponse

from anomaly_detection.reports.words import number, percent, plain, shown
from anomaly_detection.version import __version__
from anomaly_detection.web.statics import address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

SECTIONS = (
    ("/", "Overview"),
    ("/explore", "Explore"),
    ("/alerts", "Alarms"),
    ("/logs", "Logs"),
    ("/quality", "Tables"),
    ("/models", "Models"),
    ("/detection", "Detect"),
    ("/jobs", "Jobs"),
    ("/settings", "Settings"),
    ("/reference", "API"),
)
"""The pages one can go to from everywhere."""


@cache
def environment() -> Environment:
    """The templates, and the words they use."""
    made = Environment(
        loader=PackageLoader("anomaly_detection.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": number, "percent": percent, "plain": plain, "shown": shown, "moment": moment, "ago": ago}
    macros = [vars(made.get_template(f"{name}.html.jinja").module) for name in ("parts", "fields")]
    made.globals |= {name: macro for found in macros for name, macro in found.items() if isinstance(macro, Macro)}
    made.globals |= {"static": address, "sections": SECTIONS, "version": __version__}
    return made


def render(
    request: Request,
    name: str,
    values: Mapping[str, Any],
    *,
    block: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """A page, or the named block of it where HTMX asks.

    Parameters
    ----------
    request : says who asks, where the page is, and whether HTMX wants a part.
    name : of the template.
    values : what it shows.
    block : the part that HTMX gets.
    status, headers : of the answer.
    """
    template = environment().get_template(f"{name}.html.jinja")
    path = request.url.path
    here = next((place for place, _ in reversed(SECTIONS) if path.startswith(place) and place != "/"), path)
    known = {
        "here": here,
        "caller": request.scope.get("principal"),
        "csrf": request.scope.get("csrf", ""),
        "signed_in": request.scope.get("signed_in", False),
        "since": request.app.state.changes.token,
        **values,
    }
    if block is not None and "HX-Request" in request.headers:
        text = "".join(template.blocks[block](template.new_context(known)))
    else:
        text = template.render(known)
    return HTMLResponse(text, status, {"Cache-Control": "no-store", "Vary": "HX-Request", **(headers or {})})


def moment(when: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A moment in UTC.

    >>> moment(datetime(2026, 3, 1, 8, 0, tzinfo=UTC)), moment(None)
    ('2026-03-01 08:00:00', '–')
    """
    return "–" if when is None else when.astimezone(UTC).strftime(form)


def ago(when: datetime | None, now: datetime | None = None) -> str:
    """How long ago a moment was.

    >>> ago(datetime(2026, 3, 1, 8, 0, tzinfo=UTC), datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    '1 h ago'
    """
    if when is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    if seconds < 0:
        return f"in {_span(-seconds)}"
    return "just now" if seconds < 5 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {word}"
    return f"{seconds:.0f} s"
