"""Alarms: which there are, why one is one, what came before that was like it, and what people say about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from anomaly_detection.errors import AnomalyDetectionError, InputError
from anomaly_detection.results import SEVERITIES
from anomaly_detection.store import asks, views
from anomaly_detection.web.doors import back, caller_of, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.alert_reasons import why

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

STATES = ("open", "acknowledged", "closed")
PER_PAGE = 50


def alerts(request: Request) -> Response:
    """Alarms, the newest first, of a model, a key, a time, a severity, a state."""
    asked = request.query_params
    wanted = views.AlertFilter(
        **{name: asked.get(name, "") for name in ("model", "key", "state", "severity")},
        start=_moment(asked.get("start")),
        end=_moment(asked.get("end")),
    )
    before = _moment(asked.get("before"))
    with context_of(request).database.read() as connection:
        rows = views.alerts_like(connection, wanted, PER_PAGE + 1, before)
        known = views.models_seen(connection)
    query = {name: _word(value) for name, value in asdict(wanted).items() if value}
    older = rows[PER_PAGE - 1]["at"].isoformat() if len(rows) > PER_PAGE else None
    values = {
        "rows": rows[:PER_PAGE],
        "wanted": wanted,
        "models": known,
        "states": STATES,
        "severities": SEVERITIES[:0:-1],
        "query": urlencode(query),
        "older": urlencode({**query, "before": older}) if older else None,
        "paged": before is not None,
    }
    return render(request, "alerts", values, block="live")


def alert(request: Request) -> Response:
    """One alarm."""
    return _page(request, request.path_params["id"])


def _page(request: Request, id_: str, block: str | None = None) -> Response:
    with context_of(request).database.read() as connection:
        one = views.alert(connection, id_)
        if one is None:
            raise HTTPException(404)
        said, similar = views.said_of(connection, one), views.like_it(connection, one)
    return render(request, "alert", {"one": one, "said": said, "similar": similar, "states": STATES}, block=block)


def reasons(request: Request) -> Response:
    """Why an alarm is one, computed by the model that raised it; a part of its page, or a page of its own."""
    here = context_of(request)
    with here.database.read() as connection:
        one = views.alert(connection, request.path_params["id"])
    if one is None:
        raise HTTPException(404)
    found: Mapping[str, Any] | None = None
    problem = ""
    try:
        found = why(here.settings.registry_folder, f"{one['model']}@{one['version']}", one["record"])
    except (AnomalyDetectionError, KeyError, TypeError, ValueError) as error:
        problem = str(error) if isinstance(error, AnomalyDetectionError) else "Its record cannot be judged again."
    return render(request, "reasons", {"one": one, "found": found, "problem": problem}, block="why")


def say(request: Request, form: FormData) -> Response:
    """Keep whether an alarm was right."""
    word = text_of(form, "said")
    if word not in ("right", "wrong"):
        raise InputError(f"What was said about an alarm is right or wrong; this was {word!r}.")
    return _changed(request, f"feedback {word}", is_anomaly=word == "right", note=text_of(form, "note")[:1000])


def change(request: Request, form: FormData) -> Response:
    """Keep that somebody looks after an alarm, or that it is over."""
    state = text_of(form, "state")
    if state not in STATES:
        raise InputError(f"An alarm is {', '.join(STATES)}; not {state!r}.")
    return _changed(request, f"alert {state}", state=state)


def _changed(request: Request, action: str, *, state: str = "", is_anomaly: bool = False, note: str = "") -> Response:
    id_, now, actor = request.path_params["id"], datetime.now(UTC), caller_of(request).name
    with context_of(request).database.write() as connection:
        one = views.alert(connection, id_)
        if one is None:
            raise HTTPException(404)
        if state:
            asks.set_state(connection, id_, state, now)
        else:
            asks.say(connection, one, actor, now, is_anomaly=is_anomaly, note=note)
        asks.note_change(connection, actor, action, id_, now)
    return _page(request, id_, "say") if "HX-Request" in request.headers else back(f"/alerts/{id_}")


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise InputError(f"{text[:40]!r} is no moment such as 2026-03-01T08:00:00+00:00.") from None
    return _zoned(found)


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _word(value: str | datetime) -> str:
    return value if isinstance(value, str) else value.isoformat()
