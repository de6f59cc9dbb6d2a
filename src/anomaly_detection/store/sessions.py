"""Sessions of people who have shown a key to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.store.keys import digest_of
from anomaly_detection.store.tables import sessions

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection


def open_session(connection: Connection, session: str, key: str, now: datetime, lasts: timedelta) -> None:
    """Begin a session for who holds a key, and forget those that have ended.

    Parameters
    ----------
    connection : of a transaction that may write.
    session, key : the two secrets; only digests of them are kept.
    now, lasts : the time, and how long the session is to last.
    """
    connection.execute(sa.delete(sessions).where(sessions.c.expires <= now))
    row = {"digest": digest_of(session), "key_digest": digest_of(key), "created": now, "expires": now + lasts}
    connection.execute(sa.insert(sessions).values(row))


def key_of(connection: Connection, session: str, now: datetime) -> str | None:
    """The digest of the key that a session was opened with; None where there is none, or it has ended."""
    mine = sa.select(sessions.c.key_digest).where(sessions.c.digest == digest_of(session), sessions.c.expires > now)
    found: str | None = connection.scalar(mine)
    return found


def close_session(connection: Connection, session: str) -> None:
    """End a session."""
    connection.execute(sa.delete(sessions).where(sessions.c.digest == digest_of(session)))
