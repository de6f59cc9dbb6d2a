"""Sessions of people who have shown a key to the dashboard; a session ends when its key does."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from anomaly_detection.store.tables import api_keys, sessions


class Holder(NamedTuple):
    """Whose key it is, and what it opens."""

    name: str
    scopes: frozenset[str]


if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection


def open_session(connection: Connection, session: str, key: str, now: datetime, lasts: timedelta) -> Holder | None:
    """Begin a session for who holds a key; None where the key is unknown, expired or revoked.

    Parameters
    ----------
    connection : of a transaction that may write.
    session, key : the two secrets; only digests of them are kept.
    now, lasts : the time, and how long the session is to last.
    """
    found = connection.execute(_usable(now).where(api_keys.c.digest == _digest(key))).first()
    if found is None:
        return None
    connection.execute(sa.delete(sessions).where(sessions.c.expires <= now))
    row = {"digest": _digest(session), "key_digest": _digest(key), "created": now, "expires": now + lasts}
    connection.execute(sa.insert(sessions).values(row))
    return Holder(found.name, frozenset(found.scopes))


def session_of(connection: Connection, session: str, now: datetime) -> Holder | None:
    """Whose session it is; None where there is none, or it or its key has ended."""
    known = _usable(now).join_from(sessions, api_keys, sessions.c.key_digest == api_keys.c.digest)
    found = connection.execute(known.where(sessions.c.digest == _digest(session), sessions.c.expires > now)).first()
    return None if found is None else Holder(found.name, frozenset(found.scopes))


def close_session(connection: Connection, session: str) -> None:
    """End a session."""
    connection.execute(sa.delete(sessions).where(sessions.c.digest == _digest(session)))


def _usable(now: datetime) -> sa.Select[tuple[str, list[str]]]:
    lasts = sa.or_(api_keys.c.expires.is_(None), api_keys.c.expires > now)
    return sa.select(api_keys.c.name, api_keys.c.scopes).where(api_keys.c.revoked.is_(None), lasts)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
