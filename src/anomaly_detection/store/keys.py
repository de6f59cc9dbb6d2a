"""API keys: what is kept of them is a digest, so that nobody who reads the database can use one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.store.tables import api_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

SCOPES = ("read", "score", "train", "admin")

PREFIX = "ad_"
"""What every secret begins with, so that scanners of repositories find one that leaked."""

SHORT_LIVED = "adt_"
"""What the secret of a token begins with: a key that lives for moments and may stand in an address."""

SHORT_LIVED_ID = "token-"

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret.

    Parameters
    ----------
    id : what it is revoked by.
    name : whose it is; unique among keys that are in use.
    digest : SHA-256 of the secret, in hexadecimal digits.
    scopes : what its holder may do.
    created, expires, revoked, last_used : moments in UTC; ``expires`` is None for a key that does not.
    """

    id: str
    name: str
    digest: str
    scopes: tuple[str, ...]
    created: datetime
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None

    @property
    def is_token(self) -> bool:
        """Whether it lives for moments."""
        return self.id.startswith(SHORT_LIVED_ID)

    @property
    def state(self) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= datetime.now(UTC) else "active"


def digest_of(secret: str) -> str:
    """What is kept of a secret. It has 256 random bits, so that one round of SHA-256 is enough.

    >>> digest_of("ad_example")[:8]
    '660007b6'
    """
    return sha256(secret.encode()).hexdigest()


def create(
    connection: sa.Connection, name: str, scopes: Iterable[str], expires: datetime | None = None
) -> tuple[ApiKey, str]:
    """Make a key; returns it and its secret, which is not kept and cannot be shown again.

    Raises
    ------
    InputError
        if a key of that name is in use.
    ParameterError
        for no or unknown scopes, a name that is empty or too long, or an expiry that has passed.
    """
    wanted = _checked(name, scopes, expires)
    if any(key.name == name and key.state == "active" for key in listed(connection)):
        raise InputError(f"A key named {name!r} is in use. Choose another name, or revoke that one first.")
    return _inserted(connection, (secrets.token_hex(8), PREFIX), name, wanted, expires)


def create_token(
    connection: sa.Connection, name: str, scopes: Iterable[str], lifetime: timedelta
) -> tuple[ApiKey, str]:
    """Make a key that lives for moments, and forget those that have ended; not shown by :func:`listed`."""
    now = datetime.now(UTC)
    ended = sa.and_(api_keys.c.id.startswith(SHORT_LIVED_ID, autoescape=True), api_keys.c.expires < now)
    connection.execute(sa.delete(api_keys).where(ended))
    return _inserted(
        connection, (SHORT_LIVED_ID + secrets.token_hex(8), SHORT_LIVED), name, tuple(scopes), now + lifetime
    )


def listed(connection: sa.Connection) -> list[ApiKey]:
    """All keys that were ever made, oldest first, without tokens."""
    wanted = ~api_keys.c.id.startswith(SHORT_LIVED_ID, autoescape=True)
    return _read(connection, sa.select(api_keys).where(wanted).order_by(api_keys.c.created, api_keys.c.id))


def usable(connection: sa.Connection) -> list[ApiKey]:
    """The keys and tokens that are neither revoked nor expired."""
    lasts = sa.or_(api_keys.c.expires.is_(None), api_keys.c.expires > datetime.now(UTC))
    return _read(connection, sa.select(api_keys).where(api_keys.c.revoked.is_(None), lasts))


def revoke(connection: sa.Connection, id_or_name: str) -> ApiKey:
    """End a key that is in use, by its id or name, and the tokens that its holder made.

    Raises
    ------
    InputError
        if there is none.
    """
    found = [key for key in listed(connection) if id_or_name in {key.id, key.name} and key.revoked is None]
    if not found:
        raise InputError(f"There is no key {id_or_name!r} in use. See them with: anomaly-detection keys list.")
    key = found[-1]
    tokens = sa.and_(api_keys.c.id.startswith(SHORT_LIVED_ID, autoescape=True), api_keys.c.name == key.name)
    ends = sa.or_(api_keys.c.id.in_([one.id for one in found]), tokens)
    connection.execute(sa.update(api_keys).where(ends).values(revoked=datetime.now(UTC)))
    return next(one for one in listed(connection) if one.id == key.id)


def note_use(connection: sa.Connection, ids: Iterable[str], at: datetime) -> None:
    """Say when keys were last used."""
    connection.execute(sa.update(api_keys).where(api_keys.c.id.in_(list(ids))).values(last_used=at))


def _checked(name: str, scopes: Iterable[str], expires: datetime | None) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown or not wanted:
        raise ParameterError(f"Unknown or no scope: {', '.join(unknown) or 'none given'}. Known: {', '.join(SCOPES)}.")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ParameterError(f"The name of a key has 1 to {LONGEST_NAME} printable characters; {name[:120]!r} has not.")
    if expires is not None and expires <= datetime.now(UTC):
        raise ParameterError(f"A key that expires at {expires:%Y-%m-%d %H:%M} UTC would never work. Give a later time.")
    return wanted


def _inserted(
    connection: sa.Connection, as_: tuple[str, str], name: str, scopes: tuple[str, ...], expires: datetime | None
) -> tuple[ApiKey, str]:
    secret = as_[1] + secrets.token_urlsafe(32)
    key = ApiKey(as_[0], name, digest_of(secret), scopes, datetime.now(UTC), expires, None, None)
    row = {column: getattr(key, column) for column in api_keys.c.keys()}  # noqa: SIM118 - columns, not a dict
    connection.execute(sa.insert(api_keys).values(row | {"scopes": list(scopes)}))
    return key, secret


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[ApiKey]:
    return [ApiKey(**{**row, "scopes": tuple(row["scopes"])}) for row in connection.execute(query).mappings()]
