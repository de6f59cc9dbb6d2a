"""What people said of verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.inserting import upsert
from anomaly_detection.store.tables import feedback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody said of a verdict.

    Parameters
    ----------
    id : of the label.
    model, version, record_id : of which verdict.
    is_anomaly : whether the record was one.
    was_flagged, anomaly_score : what the verdict was; no score where it is not known.
    said_by, at, note : who, when, and in which words.
    """

    id: str
    model: str
    version: int
    record_id: str
    is_anomaly: bool
    was_flagged: bool
    anomaly_score: float | None
    said_by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """How many labels of a version are what.

    Parameters
    ----------
    hits, false_alarms : alarms that were anomalies, and that were none.
    misses, quiet : records without an alarm that were anomalies, and that were none.
    """

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    quiet: int = 0


def keep(connection: sa.Connection, label: Label) -> Label:
    """Keep a label, in place of an earlier one of the same verdict, whose id stays."""
    row = {name: getattr(label, name) for name in Label.__slots__}
    changed = ("is_anomaly", "was_flagged", "anomaly_score", "said_by", "at", "note")
    upsert(connection, feedback, [row], ("model", "version", "record_id"), dict.fromkeys(changed))
    return of_verdict(connection, label.model, label.version, label.record_id) or label


def of_verdict(connection: sa.Connection, model: str, version: int, record_id: str) -> Label | None:
    """What was said of a verdict; None where nobody said anything."""
    same = (feedback.c.model == model, feedback.c.version == version, feedback.c.record_id == record_id)
    row = connection.execute(sa.select(feedback).where(*same)).mappings().first()
    return None if row is None else Label(**row)


def listed(
    connection: sa.Connection, model: str | None = None, limit: int = 100, after: tuple[datetime, str] | None = None
) -> Sequence[Label]:
    """Labels, the latest first; ``after`` is time and id of the last one of the page before."""
    query = sa.select(feedback).order_by(feedback.c.at.desc(), feedback.c.id.desc()).limit(limit)
    if model is not None:
        query = query.where(feedback.c.model == model)
    if after is not None:
        at, last = after
        query = query.where(sa.or_(feedback.c.at < at, sa.and_(feedback.c.at == at, feedback.c.id < last)))
    return [Label(**row) for row in connection.execute(query).mappings()]


def counts(connection: sa.Connection, model: str) -> dict[int, LabelCounts]:
    """How many labels are what, by version."""
    columns = feedback.c.version, feedback.c.was_flagged, feedback.c.is_anomaly
    query = sa.select(*columns, sa.func.count()).where(feedback.c.model == model).group_by(*columns)
    names = {(True, True): "hits", (True, False): "false_alarms", (False, True): "misses", (False, False): "quiet"}
    found: dict[int, dict[str, int]] = {}
    for version, flagged, anomaly, number in connection.execute(query):
        found.setdefault(version, {})[names[bool(flagged), bool(anomaly)]] = number
    return {version: LabelCounts(**numbers) for version, numbers in found.items()}
