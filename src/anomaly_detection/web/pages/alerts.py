"""Alarms: which there are, why one is one, what came before that was like it, and what people say about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from anomaly_detection.api.pages import cursor, place_of
from anomaly_detection.errors import AnomalyDetectionError, InputError
from anomaly_detection.results import SEVERITIES
from anomaly_detection.store import alerts as stored
from anomaly_detection.store import feedback, views
from anomaly_detection.store.alerts import Alert, AlertFilter, State
from anomaly_detection.web.doors import back, caller_of, context_of, text_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.alert_reasons import why
from anomaly_detection.workflows.feedback import change_alert, label_alert

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

STATES: tuple[State, ...] = get_args(State)
PER_PAGE = 50


def alerts(request: Request) -> Response:
    """Alarms, the newest first, of a model, a key, a time, a severity, a state."""
    asked = request.query_params
    wanted = AlertFilter(
        model=asked.get("model") or None,
        severity=asked.get("severity") or None,
        state=asked.get("state") or None,
        key=asked.get("key") or None,
        begin=_moment(asked.get("begin")),
        end=_moment(asked.get("end")),
    )
    after = asked.get("after")
    with context_of(request).database.read() as connection:
        rows = stored.listed(connection, wanted, PER_PAGE + 1, place_of(after))
        known = views.models_seen(connection)
    query = {name: _word(value) for name, value in asdict(wanted).items() if value}
    last = cursor(rows[PER_PAGE - 1].at, rows[PER_PAGE - 1].id) if len(rows) > PER_PAGE else None
    values = {
        "rows": rows[:PER_PAGE],
        "wanted": wanted,
        "models": known,
        "states": STATES,
        "severities": SEVERITIES[:0:-1],
        "query": urlencode(query),
        "older": urlencode({**query, "after": last}) if last else None,
        "paged": after is not None,
    }
    return render(request, "alerts", values, block="live")


def alert(request: Request) -> Response:
    """One alarm."""
    return _page(request, _named(request))


def _named(request: Request) -> Alert:
    """The alarm of the address."""
    with context_of(request).database.read() as connection:
        one = stored.one(connection, request.path_params["id"])
    if one is None:
        raise HTTPException(404)
    return one


def _page(request: Request, one: Alert, block: str | None = None) -> Response:
    with context_of(request).database.read() as connection:
        said = feedback.of_verdict(connection, one.model, one.version, one.record_id)
        similar = views.like_it(connection, one)
    return render(request, "alert", {"one": one, "said": said, "similar": similar, "states": STATES}, block=block)


def reasons(request: Request) -> Response:
    """Why an alarm is one, computed by the model that raised it; a part of its page, or a page of its own."""
    one = _named(request)
    found: dict[str, Any] | None = None
    problem = ""
    try:
        found = why(context_of(request).models, one)
    except AnomalyDetectionError as error:
        problem = str(error)
    return render(request, "reasons", {"one": one, "found": found, "problem": problem}, block="why")


def say(request: Request, form: FormData) -> Response:
    """Keep whether an alarm was right."""
    word, note = text_of(form, "said"), text_of(form, "note")[:1000].replace("\0", "")
    if word not in ("right", "wrong"):
        raise InputError(f"What was said about an alarm is right or wrong; this was {word!r:.40}.")
    one, by = _named(request), caller_of(request).name
    label_alert(context_of(request).database, one, is_anomaly=word == "right", said_by=by, note=note)
    return _changed(request, one)


def change(request: Request, form: FormData) -> Response:
    """Keep that somebody looks after an alarm, or that it is over."""
    asked = text_of(form, "state")
    state = next((one for one in STATES if one == asked), None)
    if state is None:
        raise InputError(f"An alarm is {', '.join(STATES)}; not {asked!r:.40}.")
    here = context_of(request)
    one = change_alert(here.database, _named(request).id, state, here.events.publish)
    return _changed(request, one or _named(request))


def _changed(request: Request, one: Alert) -> Response:
    return _page(request, one, "say") if "HX-Request" in request.headers else back(f"/alerts/{one.id}")


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
