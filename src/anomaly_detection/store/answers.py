"""Answers to writes with an idempotency key, so that a write that is sent again is done once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.tables import answers

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = timedelta(hours=24)
"""How long an answer can be had again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with an idempotency key.

    Parameters
    ----------
    key : what the caller sent.
    caller : who; keys of two callers have nothing to do with each other.
    request : a digest of method, path and body.
    """

    key: str
    caller: str
    request: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known about an idempotency key; ``status`` is None while its first request is under way."""

    request: str
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    created: datetime


def claim(connection: sa.Connection, asked: Asked, patience: timedelta) -> Kept | None:
    """Begin a request; None if it is the first with its key, else what is known about that key.

    What began longer than ``patience`` ago and has no answer was cut off: it begins again.
    """
    now = datetime.now(UTC)
    gone = sa.or_(
        answers.c.created < now - KEPT, sa.and_(answers.c.status.is_(None), answers.c.created < now - patience)
    )
    connection.execute(sa.delete(answers).where(gone))
    row = connection.execute(sa.select(answers).where(*_is(asked))).mappings().one_or_none()
    if row is not None:
        headers = tuple((str(name), str(value)) for name, value in row["headers"] or ())
        return Kept(row["request"], row["status"], headers, row["body"] or b"", row["created"])
    connection.execute(
        sa.insert(answers).values(key=asked.key, caller=asked.caller, request=asked.request, created=now)
    )
    return None


def keep(connection: sa.Connection, asked: Asked, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
    """Keep the answer."""
    values = {"status": status, "headers": [list(one) for one in headers], "body": body}
    connection.execute(sa.update(answers).where(*_is(asked)).values(values))


def forget(connection: sa.Connection, asked: Asked) -> None:
    """Let the request be made again, as nothing came of it."""
    connection.execute(sa.delete(answers).where(*_is(asked), answers.c.status.is_(None)))


def _is(asked: Asked) -> tuple[sa.ColumnElement[bool], ...]:
    return answers.c.key == asked.key, answers.c.caller == asked.caller
