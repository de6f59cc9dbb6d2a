"""Alarms, what people say of verdicts, and what that says of models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AfterValidator, WithJsonSchema

from anomaly_detection.api.context import Context, Here  # noqa: TC001 - FastAPI reads it
from anomaly_detection.api.pages import After, Limit, cursor, place_of
from anomaly_detection.api.principal import Caller, needs
from anomaly_detection.api.problems import ProblemError
from anomaly_detection.api.schemas import alerts as schemas
from anomaly_detection.api.schemas.logs import Severity  # noqa: TC001
from anomaly_detection.registry.names import check_name
from anomaly_detection.store import alerts, feedback
from anomaly_detection.store.alerts import Alert, AlertFilter, State
from anomaly_detection.workflows.feedback import change_alert, label_alert, label_record, quality_of

router = APIRouter(prefix="/api/v1", tags=["alerts"])

Id = Annotated[str, Path(max_length=32)]
Name = Annotated[str, Path(max_length=120)]
Text = Annotated[str | None, Query(max_length=400)]


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


Moment = Annotated[
    datetime | None,
    AfterValidator(_in_utc),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}),
    Query(description="A time as RFC 3339 has it, UTC where no zone is given, or in seconds since 1970."),
]


@router.get("/alerts", dependencies=[Depends(needs("read"))])
def list_alerts(
    here: Here,
    model: Text = None,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    severity: Annotated[Severity | None, Query()] = None,
    state: Annotated[schemas.AlertState | None, Query()] = None,
    key: Text = None,
    begin: Moment = None,
    end: Moment = None,
    limit: Limit = 100,
    after: After = None,
) -> schemas.Alerts:
    """List alarms, the latest first."""
    wanted = AlertFilter(_text(model), version, severity, state, _text(key), begin=begin, end=end)
    with here.database.read() as connection:
        found = alerts.listed(connection, wanted, limit, place_of(after))
    last = cursor(found[-1].at, found[-1].id) if len(found) == limit else None
    return schemas.Alerts(alerts=[schemas.Alert.model_validate(one) for one in found], next=last)


@router.get("/alerts/{id}", dependencies=[Depends(needs("read"))])
def get_alert(id: Id, here: Here) -> schemas.Alert:
    """Say everything about an alarm."""
    with here.database.read() as connection:
        return schemas.Alert.model_validate(_there(alerts.one(connection, _known(id)), id))


@router.post("/alerts/{id}/acknowledge", dependencies=[Depends(needs("score"))])
def acknowledge(id: Id, here: Here) -> schemas.Alert:
    """Say that somebody looks after an alarm."""
    return _changed(here, id, "acknowledged")


@router.post("/alerts/{id}/resolve", dependencies=[Depends(needs("score"))])
def resolve(id: Id, here: Here) -> schemas.Alert:
    """Say that an alarm is done with."""
    return _changed(here, id, "resolved")


@router.post("/feedback", dependencies=[Depends(needs("score"))], tags=["feedback"], status_code=201)
def give_feedback(said: schemas.Feedback, here: Here, caller: Caller) -> schemas.Label:
    """Say whether a record was an anomaly; what was said before of the same verdict is replaced."""
    told: dict[str, Any] = {"is_anomaly": said.is_anomaly, "said_by": caller.name, "note": _text(said.note) or ""}
    if said.alert_id is not None:
        with here.database.read() as connection:
            alert = _there(alerts.one(connection, _known(said.alert_id)), said.alert_id)
        return schemas.Label.model_validate(label_alert(here.database, alert, **told))
    record_id, model = _text(said.record_id) or "", _text(said.model)
    if model is not None:
        check_name(model)
    label = label_record(here.database, record_id, model=model, version=said.version, **told)
    return schemas.Label.model_validate(label)


@router.get("/feedback", dependencies=[Depends(needs("read"))], tags=["feedback"])
def list_feedback(here: Here, model: Text = None, limit: Limit = 100, after: After = None) -> schemas.Labels:
    """List what was said of verdicts, the latest first."""
    with here.database.read() as connection:
        found = feedback.listed(connection, _text(model), limit, place_of(after))
    last = cursor(found[-1].at, found[-1].id) if len(found) == limit else None
    return schemas.Labels(labels=[schemas.Label.model_validate(one) for one in found], next=last)


@router.get("/models/{name}/quality", dependencies=[Depends(needs("read"))], tags=["feedback"])
def quality(name: Name, here: Here) -> schemas.ModelQuality:
    """Say how good the versions of a model are in use, by what people said of their verdicts."""
    here.models.registry.versions(name)
    found = quality_of(here.database, name)
    versions = {version: schemas.LiveQuality.model_validate(one) for version, one in found.items()}
    return schemas.ModelQuality(model=name, versions=versions)


@router.get("/history/{name}", dependencies=[Depends(needs("read"))], tags=["history"])
def history(name: Name, here: Here, begin: Moment = None, end: Moment = None, limit: Limit = 100) -> schemas.Past:
    """List verdicts of the past, the latest first; those of the last minutes may still be on their way."""
    check_name(name)
    until = end or datetime.now(UTC) + timedelta(days=1)
    since = begin or datetime(1970, 1, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = here.recorder.history.read(name, since, until, limit)
    return schemas.Past(model=name, verdicts=[schemas.KeptVerdict.model_validate(row) for row in rows])


def _changed(here: Context, id: str, state: State) -> schemas.Alert:
    alert = change_alert(here.database, _known(id), state, here.events.publish)
    return schemas.Alert.model_validate(_there(alert, id))


def _there(alert: Alert | None, id: str) -> Alert:
    if alert is None:
        raise ProblemError(404, f"There is no alarm {id!r:.80}. GET /api/v1/alerts lists those there are.")
    return alert


def _known(id: str) -> str:
    """An id that a database takes."""
    return id.replace("\0", "")


def _text(text: str | None) -> str | None:
    return None if text is None else text.replace("\0", "\ufffd")
