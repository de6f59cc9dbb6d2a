"""The shape of a database, brought up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    from anomaly_detection.store.database import Database


def upgrade(database: Database) -> None:
    """Bring a database to the newest shape, as one transaction; of several processes, one does it and the others wait.

    Raises
    ------
    StoreError
        if the database does not answer, or is of a newer version of this program.
    """
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261039)")
        if MigrationContext.configure(connection).get_current_revision() == newest():
            return
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest() -> str:
    """The name of the newest shape."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config
