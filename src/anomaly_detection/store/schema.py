"""The shape of a database, brought up to date."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from anomaly_detection.errors import StoreError

if TYPE_CHECKING:
    from anomaly_detection.store.database import Database

MIGRATIONS = Path(__file__).with_name("migrations")

_LOCK = "SELECT pg_advisory_xact_lock(7261039)"


def upgrade(database: Database) -> None:
    """Bring a database to the newest shape, as one transaction; of several processes, one does it and the others wait.

    Raises
    ------
    StoreError
        if the database does not answer, or is of a newer version of this program; then nothing was changed.
    """
    with database.read() as connection:
        if _is_newest(connection):
            return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(_LOCK)
        if not _is_newest(connection):
            _migrate(connection)


def newest() -> str:
    """The name of the newest shape."""
    return _known()[-1]


def _known() -> list[str]:
    """The names of all shapes, in order: migrations are files such as ``0001_first.py``."""
    return sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _is_newest(connection: sa.Connection) -> bool:
    """Whether a database has the newest shape.

    Raises
    ------
    StoreError
        if its shape is not known: a newer version of this program has made it.
    """
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    current = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if current is not None and current not in _known():
        where = connection.engine.url.render_as_string(hide_password=True)
        raise StoreError(
            f"The database {where} has the shape {current!r}, of a newer version of anomaly-detection; this one knows "
            f"{newest()!r}. Upgrade anomaly-detection, or name another database with ANOMALY_DETECTION_DATABASE."
        )
    return current == newest()


def _migrate(connection: sa.Connection) -> None:
    """Do what is missing; Alembic is imported only when there is something to do."""
    config = import_module("alembic.config").Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    import_module("alembic.command").upgrade(config, "head")
