"""Transactions on SQLite and PostgreSQL, and what is said when a database does not do what it should."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import ParameterError, StoreError
from anomaly_detection.store import Database, upgrade
from anomaly_detection.store.columns import Moment
from anomaly_detection.store.schema import newest
from anomaly_detection.store.tables import audit, metadata

SECRET = "very-quiet"


@pytest.fixture
def database(database_url):
    database = Database(database_url, patience=5)
    upgrade(database)
    yield database
    database.close()


def note(connection, action):
    row = {"at": datetime(2026, 1, 1, tzinfo=UTC), "actor": "ada", "action": action, "subject": "s", "detail": {"n": 1}}
    connection.execute(audit.insert().values(row))


def actions(database):
    with database.read() as connection:
        return list(connection.execute(sa.select(audit.c.action).order_by(audit.c.id)).scalars())


def test_the_tables_are_those_the_migrations_make(database):
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == newest()


def test_several_upgrade_at_once_and_again(database_url):
    databases = [Database(database_url) for _ in range(6)]
    threads = [threading.Thread(target=upgrade, args=(one,)) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    upgrade(databases[0])
    for one in databases:
        assert actions(one) == []
        one.close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database):
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        note(connection, "kept")
    with pytest.raises(StoreError, match=r"'9999', of a newer version .* Upgrade anomaly-detection"):
        upgrade(database)
    assert actions(database) == ["kept"]


def test_a_write_is_whole_or_not_there(database):
    with database.write() as connection:
        note(connection, "first")

    def broken():
        with database.write() as connection:
            note(connection, "second")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert actions(database) == ["first"]


def test_a_reader_sees_one_state_beside_a_writer(database):
    with database.read() as reader:
        count = sa.select(sa.func.count()).select_from(audit)
        assert reader.execute(count).scalar_one() == 0
        with database.write() as connection:
            note(connection, "new")
        assert reader.execute(count).scalar_one() == 0
    assert actions(database) == ["new"]


def test_writers_wait_for_one_another(database):
    def write(n):
        for k in range(10):
            with database.write() as connection:
                note(connection, f"{n}.{k}")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(actions(database)) == sorted(f"{n}.{k}" for n in range(4) for k in range(10))


def test_a_writer_that_waited_too_long_says_so(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'service.db'}", patience=0.05)
    upgrade(database)
    with database.write() as connection:
        note(connection, "slow")
        with pytest.raises(StoreError, match="database is locked"), database.write():
            pass
    assert actions(database) == ["slow"]
    database.close()


def test_a_full_disk_keeps_nothing_and_spoils_nothing(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'service.db'}")
    upgrade(database)
    with database.write() as connection:
        note(connection, "kept")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def fill():
        with database.write() as connection:
            for _ in range(1000):
                note(connection, "x" * 60)

    with pytest.raises(StoreError, match="full"):
        fill()
    assert actions(database) == ["kept"]
    with database.write() as connection:
        note(connection, "small")
    assert actions(database) == ["kept", "small"]
    database.close()


@pytest.mark.needs_extra("psycopg")
def test_connections_that_broke_are_made_again(postgres):
    database = Database(postgres)
    with database.read() as connection:
        pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    other = Database(postgres)
    with other.write() as connection:
        connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    other.close()
    with database.read() as connection:
        assert connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one() != pid
    database.close()


@pytest.mark.needs_extra("psycopg")
def test_a_connection_that_breaks_in_the_middle_says_so(postgres):
    database = Database(postgres)

    def broken():
        with database.write() as connection:
            pid = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
            with database.write() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            connection.execute(sa.text("SELECT 1"))

    with pytest.raises(StoreError, match="terminat"):
        broken()
    database.close()


@pytest.mark.needs_extra("psycopg")
@pytest.mark.parametrize("where", ["@127.0.0.1:1/x", "@/x?host=/nowhere"])
def test_a_database_that_is_down_is_named_without_its_password(where):
    database = Database(f"postgresql://ada:{SECRET}{where}", patience=1)
    with pytest.raises(StoreError, match="The database postgresql") as caught:
        upgrade(database)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(database.url)


@pytest.mark.parametrize("url", [f"mysql://a:{SECRET}@b/c", SECRET, "", "sqlite", f"oracle+x://{SECRET}", "://"])
def test_other_addresses_are_refused_without_showing_them(url):
    with pytest.raises(ParameterError, match="has to begin with sqlite:/// or postgresql") as caught:
        Database(url)
    assert SECRET not in str(caught.value)


def test_what_is_no_database_is_said_to_be_none(tmp_path):
    file = tmp_path / "service.db"
    file.write_text("not a database, but some text that is long enough to be looked at" * 99)
    for path in (file, tmp_path / "missing" / "service.db", tmp_path):
        with pytest.raises(StoreError, match="does not do what it should"):
            upgrade(Database(f"sqlite:///{path}"))
    assert file.read_text().startswith("not a database")


def test_a_database_in_a_folder_is_durable_and_keeps_references(tmp_path):
    database = Database.in_folder(tmp_path / "new")
    with database.read() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()
    assert sqlite3.connect(Path(tmp_path, "new", "service.db")).execute("PRAGMA journal_mode").fetchone() == ("wal",)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES))
def test_moments_come_back_as_they_were(moment):
    kept = Moment().process_bind_param(moment, None)
    back = Moment().process_result_value(kept, None)
    assert back == moment
    assert back.tzinfo is UTC
