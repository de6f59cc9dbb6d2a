"""Alarms: kept once each, looked through, acknowledged, resolved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from anomaly_detection.store.inserting import insert_new
from anomaly_detection.store.tables import alerts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anomaly_detection.store.journal import Judged, VerdictRecord

State = Literal["open", "acknowledged", "resolved"]
LONGEST = {"record_id": 200, "key": 400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alarm.

    Parameters
    ----------
    id : of the alarm, which follows from model, version and record.
    model, version : which model raised it.
    record_id, key, record : about what.
    at, received : when it happened, and when it was judged.
    severity, anomaly_score, p_value, confidence : the verdict.
    reason : in words.
    state, changed : what became of it, and since when.
    """

    id: str
    model: str
    version: int
    record_id: str
    key: str
    at: datetime
    received: datetime
    severity: str
    anomaly_score: float
    p_value: float
    confidence: float
    reason: str
    record: dict[str, Any]
    state: State
    changed: datetime


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alarms; None is any.

    Parameters
    ----------
    model, version, severity, state, key : as they are.
    record_id : of the record.
    begin, end : when it happened, without the end.
    """

    model: str | None = None
    version: int | None = None
    severity: str | None = None
    state: str | None = None
    key: str | None = None
    record_id: str | None = None
    begin: datetime | None = None
    end: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same for a query."""
        names = ("model", "version", "severity", "state", "key", "record_id")
        given = [alerts.c[name] == getattr(self, name) for name in names if getattr(self, name) is not None]
        if self.begin is not None:
            given.append(alerts.c.at >= self.begin)
        if self.end is not None:
            given.append(alerts.c.at < self.end)
        return given


def alert_id(model: str, version: int, record_id: str) -> str:
    """The id of the alarm on a record.

    >>> alert_id("logs", 1, "a") == alert_id("logs", 1, "a") != alert_id("logs", 2, "a")
    True
    """
    return hashlib.sha256(f"{model}@{version}/{record_id}".encode(errors="surrogatepass")).hexdigest()[:32]


def alerts_of(judged: Judged) -> list[Alert]:
    """The alarms among records that were judged."""
    received = _EPOCH + timedelta(microseconds=judged.received)
    return [_alert(judged, record, received) for record in judged.records if record.is_anomaly]


def _alert(judged: Judged, record: VerdictRecord, received: datetime) -> Alert:
    own, key, reason = _clean(record.id), _clean(record.key, LONGEST["key"]), _clean(record.reason, 2_000)
    return Alert(
        alert_id(judged.model, judged.version, own), judged.model, judged.version, own, key,
        _EPOCH + timedelta(microseconds=record.at), received, record.severity, record.anomaly_score, record.p_value,
        record.confidence, reason, record.record or {}, "open", received,
    )  # fmt: skip


def _clean(text: str, most: int = LONGEST["record_id"]) -> str:
    """Text that every database keeps."""
    return text[:most].replace("\0", "\ufffd")


def keep(connection: sa.Connection, found: Iterable[Alert]) -> None:
    """Keep alarms; those that are there already stay as they are."""
    insert_new(connection, alerts, [{name: getattr(one, name) for name in Alert.__slots__} for one in found])


def listed(
    connection: sa.Connection, wanted: AlertFilter, limit: int = 100, after: tuple[datetime, str] | None = None
) -> Sequence[Alert]:
    """Alarms, the latest first.

    Parameters
    ----------
    connection : a transaction.
    wanted : which.
    limit : the most.
    after : time and id of the last one of the page before.
    """
    query = sa.select(alerts).where(*wanted.conditions()).order_by(alerts.c.at.desc(), alerts.c.id.desc()).limit(limit)
    if after is not None:
        at, last = after
        query = query.where(sa.or_(alerts.c.at < at, sa.and_(alerts.c.at == at, alerts.c.id < last)))
    return [Alert(**row) for row in connection.execute(query).mappings()]


def one(connection: sa.Connection, id: str) -> Alert | None:
    """An alarm, None where there is none."""
    row = connection.execute(sa.select(alerts).where(alerts.c.id == id)).mappings().first()
    return None if row is None else Alert(**row)


def change(connection: sa.Connection, id: str, state: State, now: datetime) -> Alert | None:
    """Put an alarm into a state; one that is in it already stays as it is. None where there is no such alarm."""
    moved = alerts.update().where(alerts.c.id == id, alerts.c.state != state).values(state=state, changed=now)
    connection.execute(moved)
    return one(connection, id)


def forget(connection: sa.Connection, before: datetime) -> int:
    """Delete alarms that were judged before a moment; says how many."""
    return connection.execute(alerts.delete().where(alerts.c.received < before)).rowcount
