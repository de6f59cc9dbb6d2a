"""How much was judged, by model, key and minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.inserting import excluded, upsert
from anomaly_detection.store.tables import activity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

KEY = ("model", "version", "key", "minute")


@dataclass(frozen=True, slots=True)
class Minute:
    """What was judged in a minute.

    Parameters
    ----------
    model, version, key, minute : of what, and when it began.
    rows, anomalies : how many records, and alarms among them.
    worst : the highest anomaly score.
    """

    model: str
    version: int
    key: str
    minute: datetime
    rows: int
    anomalies: int
    worst: float


def add(connection: sa.Connection, minutes: Iterable[Minute]) -> None:
    """Add to what is known of each minute."""
    rows = [{name: getattr(one, name) for name in Minute.__slots__} for one in minutes]
    if not rows:
        return
    new = {name: excluded(connection, activity, name) for name in ("rows", "anomalies", "worst")}
    worst = sa.case((activity.c.worst >= new["worst"], activity.c.worst), else_=new["worst"])
    sums = {name: activity.c[name] + new[name] for name in ("rows", "anomalies")}
    upsert(connection, activity, rows, KEY, {**sums, "worst": worst})


def between(
    connection: sa.Connection, begin: datetime, end: datetime, model: str | None = None, limit: int = 100_000
) -> Sequence[Minute]:
    """The minutes from one moment to another, without the latter, in order."""
    query = sa.select(activity).where(activity.c.minute >= begin, activity.c.minute < end)
    if model is not None:
        query = query.where(activity.c.model == model)
    query = query.order_by(activity.c.minute, activity.c.model, activity.c.version, activity.c.key).limit(limit)
    return [Minute(**row) for row in connection.execute(query).mappings()]


def totals(connection: sa.Connection, model: str) -> dict[int, tuple[int, int]]:
    """How many records, and alarms among them, each version of a model judged."""
    sums = sa.func.sum(activity.c.rows), sa.func.sum(activity.c.anomalies)
    query = sa.select(activity.c.version, *sums).where(activity.c.model == model).group_by(activity.c.version)
    return {version: (int(rows), int(anomalies)) for version, rows, anomalies in connection.execute(query)}


def forget(connection: sa.Connection, before: datetime) -> int:
    """Delete minutes before a moment; says how many."""
    return connection.execute(activity.delete().where(activity.c.minute < before)).rowcount
