"""What is going on: health, alarms over time, and which keys they come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from anomaly_detection.results import SEVERITIES, SEVERITY_LINES
from anomaly_detection.store import alerts, views
from anomaly_detection.store.alerts import AlertFilter
from anomaly_detection.web.bars import stacked
from anomaly_detection.web.doors import context_of
from anomaly_detection.web.rendering import moment, render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.store.views import Cell, Lane, Span

STEPS = {
    "1h": (timedelta(hours=1), timedelta(minutes=2)),
    "6h": (timedelta(hours=6), timedelta(minutes=10)),
    "24h": (timedelta(hours=24), timedelta(minutes=40)),
    "7d": (timedelta(days=7), timedelta(hours=4)),
    "30d": (timedelta(days=30), timedelta(hours=20)),
}
"""What one can look back on, and how long a part of it is then."""

NAMES = {"1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a lane: how bad it was, in words and as a class, and where its alarms are shown."""

    style: str
    words: str
    link: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A lane as it is shown."""

    name: str
    anomalies: int
    rows: int
    boxes: tuple[Box, ...]


def span_of(back: str, now: datetime) -> Span:
    """The time that ends now, in parts whose ends do not move with every second."""
    length, step = STEPS.get(back, STEPS["24h"])
    since = (now - views.EPOCH) // step
    parts = length // step
    return views.Span(views.EPOCH + (since + 1 - parts) * step, step, parts)


def overview(request: Request) -> Response:
    """The page; HTMX asks for the live part of it."""
    back = request.query_params.get("back", "24h")
    back = back if back in STEPS else "24h"
    model = request.query_params.get("model", "")
    span = span_of(back, datetime.now(UTC))
    with context_of(request).database.read() as connection:
        overall, lanes, keys = views.lanes(connection, span, model)
        counts = views.severities(connection, span, model)
        latest = alerts.listed(connection, AlertFilter(model=model or None, begin=span.start), 8)
        known = views.models_seen(connection)
    chart = stacked(counts, [_when(span, i) for i in range(span.parts)])
    values = {
        "back": back,
        "backs": NAMES,
        "model": model,
        "models": known,
        "figures": _figures(overall, counts),
        "chart": chart,
        "lanes": [_row(lane, span, model) for lane in (overall, *lanes)] if overall.rows else [],
        "ticks": _ticks(span),
        "keys": keys,
        "shown_keys": len(lanes),
        "latest": latest,
        "jobs": context_of(request).queue.list("running"),
        "query": urlencode({"back": back, "model": model}),
        "span": span,
    }
    return render(request, "overview", values, block="live")


def _figures(overall: Lane, counts: list[dict[str, int]]) -> dict[str, Any]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return {
        "rows": overall.rows,
        "anomalies": overall.anomalies,
        "share": overall.anomalies / overall.rows if overall.rows else 0.0,
        "alarms": sum(total.values()),
        "by_severity": {name: total[name] for name in reversed(SEVERITIES[1:])},
    }


def _row(lane: Lane, span: Span, model: str) -> Row:
    name = lane.key or "overall"
    boxes = tuple(_box(cell, span, i, name, lane.key, model) for i, cell in enumerate(lane.cells))
    return Row(name, lane.anomalies, lane.rows, boxes)


def _box(cell: Cell, span: Span, part: int, name: str, key: str, model: str) -> Box:
    when = f"{name}, {_when(span, part)}"
    if not cell.rows:
        return Box("none", f"{when}: nothing", "", "")
    if not cell.anomalies:
        return Box("normal", f"{when}: {cell.rows:,} records, all normal", "", "")
    severity = severity_of(cell.worst)
    found = f"{cell.anomalies:,} of {cell.rows:,} records are anomalies, the worst {severity}"
    asked = {"model": model, "key": key, "begin": span.at(part).isoformat(), "end": span.at(part + 1).isoformat()}
    query = urlencode({name: value for name, value in asked.items() if value})
    return Box(severity, f"{when}: {found}", f"/alerts?{query}", f"{cell.anomalies}")


def severity_of(score: float) -> str:
    """The class of an anomaly score.

    >>> [severity_of(score) for score in (0.2, 0.6, 0.75, 1.0)]
    ['normal', 'low', 'medium', 'critical']
    """
    return SEVERITIES[sum(score >= line for line in SEVERITY_LINES)]


def _when(span: Span, part: int) -> str:
    form = "%d %b %H:%M" if span.step * span.parts > timedelta(days=1) else "%H:%M"
    return f"{moment(span.at(part), form)} to {moment(span.at(part + 1), form)}"


def _ticks(span: Span) -> list[tuple[int, str]]:
    """Words below the lanes: where every sixth part begins."""
    form = "%d %b" if span.step * span.parts > timedelta(days=1) else "%H:%M"
    return [(min(6, span.parts - i), moment(span.at(i), form)) for i in range(0, span.parts, 6)]
