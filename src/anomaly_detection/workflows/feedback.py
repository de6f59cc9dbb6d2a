"""Feedback on verdicts, and what it says about a model."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from anomaly_detection.errors import InputError
from anomaly_detection.monitoring.performance import LiveQuality, live_quality
from anomaly_detection.store import activity, alerts, feedback
from anomaly_detection.store.alerts import AlertFilter
from anomaly_detection.store.feedback import Label, LabelCounts
from anomaly_detection.store.history import History

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from anomaly_detection.store import Database
    from anomaly_detection.store.alerts import Alert, State


def label_alert(database: Database, alert: Alert, *, is_anomaly: bool, said_by: str, note: str = "") -> Label:
    """Keep what somebody said of an alarm.

    Raises
    ------
    StoreError
        if it cannot be kept.
    """
    label = Label(
        uuid4().hex, alert.model, alert.version, alert.record_id, is_anomaly, True, alert.anomaly_score, said_by,
        datetime.now(UTC), note,
    )  # fmt: skip
    with database.write() as connection:
        return feedback.keep(connection, label)


def change_alert(
    database: Database, id: str, state: State, published: Callable[[str, dict[str, Any]], None]
) -> Alert | None:
    """Put an alarm into a state, and tell those who listen; None where there is no such alarm.

    Raises
    ------
    StoreError
        if it cannot be kept.
    """
    with database.write() as connection:
        alert = alerts.change(connection, id, state, datetime.now(UTC))
    if alert is not None:
        published("alert", {name: value for name, value in asdict(alert).items() if name != "record"})
    return alert


def label_record(
    database: Database,
    record_id: str,
    *,
    is_anomaly: bool,
    said_by: str,
    model: str | None = None,
    version: int | None = None,
    note: str = "",
) -> Label:
    """Keep what somebody said of a record by the id that its verdict had.

    Where it raised no alarm, model and version have to be given.

    Raises
    ------
    InputError
        if it is not clear which verdict is meant.
    StoreError
        if it cannot be kept.
    """
    with database.read() as connection:
        found = alerts.listed(connection, AlertFilter(model=model, version=version, record_id=record_id), limit=2)
    if len(found) > 1:
        raise InputError(f"Several models raised an alarm for the record {record_id!r:.200}: say model and version.")
    if found:
        return label_alert(database, found[0], is_anomaly=is_anomaly, said_by=said_by, note=note)
    if model is None or version is None:
        raise InputError(
            f"There is no alarm for the record {record_id!r:.200}. Of a record that raised none, say model and version."
        )
    label = Label(
        uuid4().hex, model, version, record_id, is_anomaly, False, None, said_by, datetime.now(UTC), note
    )  # fmt: skip
    with database.write() as connection:
        return feedback.keep(connection, label)


def quality_of(database: Database, model: str) -> dict[int, LiveQuality]:
    """How good each version of a model is in use, by what people said; only versions that judged or have labels."""
    with database.read() as connection:
        counts, totals = feedback.counts(connection, model), activity.totals(connection, model)
    versions = sorted(counts.keys() | totals.keys())
    return {
        version: live_quality(counts.get(version, LabelCounts()), *totals.get(version, (0, 0))) for version in versions
    }


def delete_old(database: Database, home: Path, keep_days: float, now: datetime | None = None) -> dict[str, int]:
    """Delete alarms, activity and history that are older than ``keep_days``; labels are kept.

    Returns
    -------
    How many of each, by name.
    """
    before = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    with database.write() as connection:
        found = {"alerts": alerts.forget(connection, before), "activity": activity.forget(connection, before)}
    return {**found, "history_files": History(home / "history").forget(before)}
