"""Make, see and revoke API keys; every change is in the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError
from anomaly_detection.store import audit, keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.store import Database
    from anomaly_detection.store.keys import ApiKey

LONGEST_DAYS = 3650

TOKEN_LIVES = timedelta(seconds=60)


def create_key(
    database: Database, name: str, scopes: Iterable[str], days: float | None = None, *, asked_by: str
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is shown once; it lasts so many days, or until it is revoked.

    Raises
    ------
    InputError
        if a key of that name is in use, or a value is off.
    StoreError
        if the database does not answer.
    """
    if days is not None and not 0 < days <= LONGEST_DAYS:
        raise ParameterError(f"A key lasts more than 0 and at most {LONGEST_DAYS} days; {days:g} is outside.")
    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with database.write() as connection:
        key, secret = keys.create(connection, name, scopes, expires)
        audit.note(connection, asked_by, "create key", key.name, {"id": key.id, "scopes": list(key.scopes)})
    return key, secret


def revoke_key(database: Database, id_or_name: str, *, asked_by: str) -> ApiKey:
    """End a key; services that run take no request with it a second later.

    Raises
    ------
    InputError
        if no such key is in use.
    """
    with database.write() as connection:
        key = keys.revoke(connection, id_or_name)
        audit.note(connection, asked_by, "revoke key", key.name, {"id": key.id})
    return key


def list_keys(database: Database) -> list[ApiKey]:
    """All keys that were ever made, without their secrets."""
    with database.read() as connection:
        return keys.listed(connection)


def first_key(database: Database) -> str | None:
    """The secret of a new administrator's key, if there is no key at all."""
    if list_keys(database):
        return None
    with database.write() as connection:
        if keys.listed(connection):
            return None
        _, secret = keys.create(connection, "admin", ("admin",))
        audit.note(connection, "first start", "create key", "admin", {"scopes": ["admin"]})
    return secret


def create_token(database: Database, name: str, scopes: Iterable[str]) -> tuple[ApiKey, str]:
    """A secret for a minute, with the name and the scopes of who asks."""
    with database.write() as connection:
        return keys.create_token(connection, name, scopes, TOKEN_LIVES)
