"""A database of the service, and its transactions."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from anomaly_detection.errors import MissingDependencyError, ParameterError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any, Self

KNOWN = ("sqlite", "postgresql")


class Database:
    """Transactions on SQLite (one writer at a time, readers beside it) or PostgreSQL.

    Parameters
    ----------
    url : such as ``sqlite:////var/lib/anomaly-detection/service.db`` or ``postgresql+psycopg://user@host/name``.
    patience : how long to wait for other writers, in seconds.

    Raises
    ------
    ParameterError
        for what is no address of such a database.
    MissingDependencyError
        if the driver is not installed.

    Examples
    --------
    >>> database = Database("sqlite://")
    >>> with database.read() as connection:
    ...     connection.execute(sa.text("SELECT 1")).scalar_one()
    1
    """

    def __init__(self, url: str, patience: float = 10.0) -> None:
        self.url = _url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _engine(self.url, patience)
        if self.is_sqlite:
            _transactions_by_hand(self.engine, patience)

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """The SQLite database of a folder, which is made."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{folder / 'service.db'}")

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state and changes nothing.

        Raises
        ------
        StoreError
            if the database does not answer.
        """
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _told(self.url), self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is whole or not there; where SQLite is used, the only writer from its beginning.

        Raises
        ------
        StoreError
            if the database does not answer, or is full.
        """
        with _told(self.url), self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend not in KNOWN:
        raise ParameterError(
            "The address of the database has to begin with sqlite:/// or postgresql+psycopg://; this one does not."
        )
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _engine(url: sa.URL, patience: float) -> sa.Engine:
    arguments: dict[str, Any] = {"connect_timeout": max(1, int(patience))}
    if url.get_backend_name() == "sqlite":
        arguments = {"timeout": patience, "check_same_thread": False}
        if url.database in (None, "", ":memory:"):
            return sa.create_engine(url, connect_args=arguments, poolclass=sa.StaticPool)
    try:
        return sa.create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_timeout=patience)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(str(error.name), "postgres", "A PostgreSQL database") from None


def _transactions_by_hand(engine: sa.Engine, patience: float) -> None:
    """Begin as :meth:`Database.write` says; Python's driver would begin only with the first change."""

    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        _write_ahead(connection, patience)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _write_ahead(connection: Any, patience: float) -> None:
    """Turn the write-ahead log on, once in the life of a database; SQLite does not wait for others with that."""
    until = time.monotonic() + patience
    while connection.execute("PRAGMA journal_mode").fetchone()[0] not in {"wal", "memory"}:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


@contextmanager
def _told(url: sa.URL) -> Iterator[None]:
    """Say which database failed, without its password."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__)
        where = url.render_as_string(hide_password=True)
        raise StoreError(f"The database {where} does not do what it should: {' '.join(cause.split())}") from error
