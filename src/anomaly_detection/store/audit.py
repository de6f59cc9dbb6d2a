"""The audit: who changed what, and when; rows are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from anomaly_detection.store.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Parameters
    ----------
    id : counts up.
    at : when, in UTC.
    actor : the name of the key, or who ran a command.
    action : such as ``promote``.
    subject : what was changed.
    detail : what else is to say about it; never a secret.
    """

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


def note(
    connection: sa.Connection, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None = None
) -> None:
    """Write a change down, in the transaction that makes it."""
    values = {"at": datetime.now(UTC), "actor": actor[:120], "action": action[:60], "subject": subject[:400]}
    connection.execute(sa.insert(audit).values(values | {"detail": dict(detail or {})}))


def newest(connection: sa.Connection, limit: int, before: int | None = None) -> list[Change]:
    """The latest changes, newest first; those before an id."""
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [Change(**row) for row in connection.execute(query).mappings()]
