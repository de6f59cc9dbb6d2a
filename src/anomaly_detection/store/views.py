"""What only pages ask: counts over time, what is like an alarm, the last answers of checks, and what has changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from anomaly_detection.store.tables import activity, alerts, feedback, job_lines, jobs, table_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from anomaly_detection.store.alerts import Alert

MOST_LANES = 25
"""So many keys have a lane of their own, the worst ones."""

MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in equal parts.

    Parameters
    ----------
    start : where it begins.
    step : how long a part is.
    parts : how many there are.
    """

    start: datetime
    step: timedelta
    parts: int

    @property
    def end(self) -> datetime:
        """Where it ends."""
        return self.start + self.parts * self.step

    def at(self, part: int) -> datetime:
        """Where a part begins."""
        return self.start + part * self.step

    def part_of(self, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[int]:
        """Which part a column of moments lies in."""
        since = sa.type_coerce(moment, sa.BigInteger) - sa.literal(micros(self.start), sa.BigInteger)
        return (since // sa.literal(self.step // timedelta(microseconds=1), sa.BigInteger)).label("part")


@dataclass(slots=True)
class Cell:
    """One key in one part of the time: how much was scored, how much of it was an anomaly, and the highest score."""

    rows: int = 0
    anomalies: int = 0
    worst: float = 0.0

    def add(self, rows: int, anomalies: int, worst: float) -> None:
        """Count more."""
        self.rows += rows
        self.anomalies += anomalies
        self.worst = max(self.worst, worst)


@dataclass(frozen=True, slots=True)
class Lane:
    """One key over time."""

    key: str
    cells: tuple[Cell, ...]

    @property
    def worst(self) -> float:
        """Its highest score."""
        return max(cell.worst for cell in self.cells)

    @property
    def anomalies(self) -> int:
        """How many it had."""
        return sum(cell.anomalies for cell in self.cells)

    @property
    def rows(self) -> int:
        """How many records were scored."""
        return sum(cell.rows for cell in self.cells)


def micros(moment: datetime) -> int:
    """Microseconds since 1970.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - EPOCH) // timedelta(microseconds=1)


def lanes(connection: Connection, span: Span, model: str | None = None) -> tuple[Lane, tuple[Lane, ...], int]:
    """What was scored by key and time.

    Returns
    -------
    All keys together; the worst keys, each by itself; how many keys there are.
    """
    inside = [activity.c.minute >= span.start, activity.c.minute < span.end]
    if model:
        inside.append(activity.c.model == model)
    ranked = _ranked(connection, inside)
    query = (
        sa.select(
            span.part_of(activity.c.minute),
            sa.func.sum(activity.c.rows),
            sa.func.sum(activity.c.anomalies),
            sa.func.max(activity.c.worst),
        )
        .where(*inside)
        .group_by("part")
    )
    overall = _empty(span)
    for part, rows, anomalies, worst in connection.execute(query):
        overall[part].add(int(rows), int(anomalies), float(worst))
    by_key = {key: _empty(span) for key in ranked[:MOST_LANES]}
    keyed = query.add_columns(activity.c.key).where(activity.c.key.in_(list(by_key))).group_by(activity.c.key)
    for part, rows, anomalies, worst, key in connection.execute(keyed):
        by_key[key][part].add(int(rows), int(anomalies), float(worst))
    found = tuple(Lane(key, tuple(cells)) for key, cells in by_key.items())
    return Lane("", tuple(overall)), found, len(ranked)


def _ranked(connection: Connection, inside: Sequence[Any]) -> list[str]:
    """The keys, those with the highest scores and most anomalies first."""
    order = (sa.func.max(activity.c.worst).desc(), sa.func.sum(activity.c.anomalies).desc(), activity.c.key)
    query = sa.select(activity.c.key).where(*inside, activity.c.key != "").group_by(activity.c.key).order_by(*order)
    return list(connection.scalars(query.limit(10_000)))


def _empty(span: Span) -> list[Cell]:
    return [Cell() for _ in range(span.parts)]


def severities(connection: Connection, span: Span, model: str | None = None) -> list[dict[str, int]]:
    """How many alarms of each severity there were in each part of a time."""
    query = (
        sa.select(span.part_of(alerts.c.at), alerts.c.severity, sa.func.count())
        .where(alerts.c.at >= span.start, alerts.c.at < span.end)
        .group_by("part", alerts.c.severity)
    )
    if model:
        query = query.where(alerts.c.model == model)
    found: list[dict[str, int]] = [{} for _ in range(span.parts)]
    for part, severity, count in connection.execute(query):
        found[part][severity] = int(count)
    return found


def like_it(connection: Connection, one: Alert, limit: int = 8) -> list[sa.RowMapping]:
    """Earlier and later alarms of the same model, of the same key first, then those that score most alike."""
    other = sa.and_(alerts.c.model == one.model, alerts.c.id != one.id)
    far = sa.func.abs(alerts.c.anomaly_score - one.anomaly_score)
    order = (sa.case((alerts.c.key == one.key, 0), else_=1), far, alerts.c.at.desc())
    query = sa.select(alerts, feedback.c.is_anomaly.label("said")).select_from(_with_feedback()).where(other)
    return list(connection.execute(query.order_by(*order).limit(limit)).mappings())


def _with_feedback() -> sa.FromClause:
    same = sa.and_(*(alerts.c[name] == feedback.c[name] for name in ("model", "version", "record_id")))
    return alerts.outerjoin(feedback, same)


def models_seen(connection: Connection) -> list[str]:
    """The models that raised alarms or scored records."""
    query = sa.union(sa.select(alerts.c.model), sa.select(activity.c.model))
    return sorted(connection.scalars(query))


def keys_seen(connection: Connection, model: str, since: datetime, limit: int = 200) -> list[sa.RowMapping]:
    """The keys of a model: how much of each was scored and was an anomaly, and when last."""
    query = (
        sa.select(
            activity.c.key,
            sa.func.sum(activity.c.rows).label("rows"),
            sa.func.sum(activity.c.anomalies).label("anomalies"),
            sa.func.max(activity.c.worst).label("worst"),
            sa.func.max(activity.c.minute).label("last"),
        )
        .where(activity.c.model == model, activity.c.minute >= since)
        .group_by(activity.c.key)
        .order_by(sa.text("worst DESC"), activity.c.key)
    )
    return list(connection.execute(query.limit(limit)).mappings())


def minutes_of(connection: Connection, model: str, key: str, since: datetime) -> list[sa.RowMapping]:
    """What was scored of a key, minute by minute; of all keys where none is named."""
    query = sa.select(
        activity.c.minute,
        sa.func.sum(activity.c.rows).label("rows"),
        sa.func.sum(activity.c.anomalies).label("anomalies"),
        sa.func.max(activity.c.worst).label("worst"),
    ).where(activity.c.model == model, activity.c.minute >= since)
    if key:
        query = query.where(activity.c.key == key)
    grouped = query.group_by(activity.c.minute).order_by(activity.c.minute)
    return list(connection.execute(grouped.limit(200_000)).mappings())


def latest_checks(connection: Connection, table: str = "", limit: int = 200) -> list[sa.RowMapping]:
    """Answers of checks of tables, the newest first; the last one of each where no table is named."""
    query = sa.select(table_runs.c.table_id, table_runs.c.check, table_runs.c.at, table_runs.c.answer)
    if table:
        query = query.where(table_runs.c.table_id == table)
    else:
        last = sa.select(table_runs.c.table_id, table_runs.c.check, sa.func.max(table_runs.c.at).label("at"))
        last_of = last.group_by(table_runs.c.table_id, table_runs.c.check).subquery()
        same = sa.and_(*(table_runs.c[name] == last_of.c[name] for name in ("table_id", "check", "at")))
        query = query.join(last_of, same)
    return list(connection.execute(query.order_by(table_runs.c.at.desc()).limit(limit)).mappings())


def traces(connection: Connection) -> dict[str, tuple[Any, ...]]:
    """For each thing that a page shows live, values that are others once it has changed."""
    lines = sa.select(sa.func.max(job_lines.c.id)).scalar_subquery()
    asked = sa.func.sum(sa.case((jobs.c.cancel_asked, 1), else_=0))
    moments = (sa.func.max(jobs.c.started), sa.func.max(jobs.c.ended))
    queries = {
        "alerts": sa.select(sa.func.count(), sa.func.max(alerts.c.received), sa.func.max(alerts.c.changed)),
        "activity": sa.select(sa.func.max(activity.c.minute), sa.func.sum(activity.c.rows)),
        "jobs": sa.select(sa.func.count(), asked, sa.func.sum(jobs.c.progress), *moments, lines).select_from(jobs),
        "checks": sa.select(sa.func.count(), sa.func.max(table_runs.c.at)),
    }
    return {name: tuple(connection.execute(query).one()) for name, query in queries.items()}
