"""Tables in databases: what the checks need of them is computed there, and only numbers are fetched.

Names of tables and columns are quoted by SQLAlchemy, values are bound parameters, and passwords are never shown.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from warnings import catch_warnings, simplefilter

from anomaly_detection.errors import MissingDependencyError, ParameterError, SchemaError, SourceError, UnknownNameError
from anomaly_detection.quality.segments import MOST_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE_SECONDS = 10
"""How long a server may take to answer a connection."""

DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
"""The drivers we bring for URLs that name none."""

STEPS = {"day": "%Y-%m-%d", "hour": "%Y-%m-%d %H:00:00"}
SECONDS = "%Y-%m-%d %H:%M:%S"
OFFSETS = {"day": "%H:%M:%S.", "hour": "%M:%S."}
OFFSETS_OF_ROWS = {"day": "%H:%M:%f", "hour": "%M:%f"}
"""How much of its day or hour was over when a row came, up to milliseconds: of the present, and as SQLite writes it."""


class SqlTable:
    """One table of a database, opened for reading.

    Parameters
    ----------
    url : as SQLAlchemy writes them: ``sqlite:///file.db``, ``postgresql://user@host/database``.
    table : its name; ``schema.table`` for one that is not in the usual schema.

    Raises
    ------
    ParameterError
        for a URL that is none.
    MissingDependencyError
        where the driver is not installed.
    SourceError
        where the database cannot be reached, or has no such table.
    """

    def __init__(self, url: str, table: str) -> None:
        self.sa = _sqlalchemy()
        self._password: str | None = None
        self.engine = self._engine(url)
        self.shown = self.engine.url.render_as_string(hide_password=True)
        with self.reading() as connection:
            self.name, self.schema = self._found(connection, table)
            self.columns = self._columns(connection)
        self.table = self.sa.table(
            self.name, *(self.sa.column(name, kind) for name, kind in self.columns.items()), schema=self.schema
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, …"""
        return str(self.engine.dialect.name)

    def _engine(self, url: str) -> Any:
        try:
            made = self.sa.engine.make_url(url)
        except self.sa.exc.ArgumentError:
            raise ParameterError(
                "The URL of the database cannot be read. Write it like sqlite:///file.db or "
                "postgresql://user@host/database."
            ) from None
        self._password = None if made.password is None else str(made.password)
        made = made.set(drivername=DRIVERS.get(made.drivername, made.drivername))
        if made.drivername.startswith("sqlite"):
            _check_file(made.database)
        arguments = {"connect_timeout": PATIENCE_SECONDS} if made.drivername == "postgresql+psycopg" else {}
        try:
            return self.sa.create_engine(made, connect_args=arguments, poolclass=self.sa.pool.NullPool)
        except self.sa.exc.NoSuchModuleError:
            raise ParameterError(f"No database is known as {made.drivername!r}. Try sqlite or postgresql.") from None
        except ModuleNotFoundError as error:
            extra = "postgres" if made.drivername == "postgresql+psycopg" else None
            raise MissingDependencyError(str(error.name), extra, f"Reading from {made.drivername}") from None

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection that only reads; what goes wrong becomes an error that says what to do.

        Raises
        ------
        SourceError
            for anything that the database refuses.
        """
        try:
            with self.engine.connect() as connection:
                if self.dialect == "postgresql":
                    connection = connection.execution_options(postgresql_readonly=True)  # noqa: PLW2901
                yield connection
        except self.sa.exc.DBAPIError as error:
            raise SourceError(self._reason(error)) from None

    def _reason(self, error: Any) -> str:
        said = " ".join(str(error.orig).split())
        if self._password:
            said = said.replace(self._password, "***")
        table = f"table {self.name!r} of {self.shown}" if hasattr(self, "name") else self.shown
        if "permission denied" in said:
            return f"No right to read {table}: {said}. Ask for the right to SELECT from it."
        if isinstance(error, self.sa.exc.OperationalError) and not hasattr(self, "name"):
            return f"The database {self.shown} cannot be reached: {said}. Is it running, and is the URL right?"
        return f"The database could not read {table}: {said}."

    def _found(self, connection: Any, table: str) -> tuple[str, str | None]:
        inspector = self.sa.inspect(connection)
        if inspector.has_table(table):
            return table, None
        schema, dot, name = table.partition(".")
        if dot and inspector.has_table(name, schema=schema):
            return name, schema
        known = [*inspector.get_table_names(), *inspector.get_view_names()]
        raise SourceError(f"{self.shown}: {UnknownNameError('table', table, known)}")

    def _columns(self, connection: Any) -> dict[str, Any]:
        with catch_warnings():
            simplefilter("ignore", self.sa.exc.SAWarning)  # types that SQLAlchemy does not know are only counted
            found = self.sa.inspect(connection).get_columns(self.name, schema=self.schema)
        return {each["name"]: each["type"] for each in found}

    def check_columns(self, names: Sequence[str]) -> None:
        """Make sure that there are such columns.

        Raises
        ------
        SchemaError
            naming the first one that is missing, and the nearest ones.
        """
        missing = next((name for name in names if name not in self.columns), None)
        if missing is not None:
            raise SchemaError(f"Table {self.name!r}: {UnknownNameError('column', missing, self.columns)}")

    def whole_number_key(self) -> Any:
        """A column of whole numbers that tells rows apart and is indexed; None where there is none."""
        with self.reading() as connection:
            inspector = self.sa.inspect(connection)
            names = inspector.get_pk_constraint(self.name, schema=self.schema)["constrained_columns"]
            is_table = self.name in inspector.get_table_names(schema=self.schema)
        if len(names) == 1 and isinstance(self.columns[names[0]], self.sa.Integer):
            return self.sa.column(names[0], self.sa.Integer)
        has_row_ids = self.dialect == "sqlite" and is_table and not names and "rowid" not in self.columns
        return self.sa.column("rowid", self.sa.Integer) if has_row_ids else None

    def rows(self, statement: Any) -> list[Any]:
        """The rows of a statement; raises as :meth:`reading` does."""
        with self.reading() as connection:
            return list(connection.execute(statement).all())

    def count(self) -> int:
        """How many rows the table has."""
        return int(self.rows(self.sa.select(self.sa.func.count()).select_from(self.table))[0][0])

    def counts_by(
        self, timestamp: str, every: str = "day", zone: str | None = None, elapsed: timedelta | None = None
    ) -> list[tuple[str, int]]:
        """How many rows there are of each day or hour, in order; days without rows are not there.

        Parameters
        ----------
        timestamp, every, zone : the column, ``day`` or ``hour``, and the zone of the days.
        elapsed : rows that came later after the begin of their day or hour are left out.

        Raises
        ------
        SchemaError
            where the column is missing or holds no times.
        """
        bucket = self._bucket(timestamp, every, zone).label("bucket")
        column = self.table.c[timestamp]
        counted = self.sa.select(bucket, self.sa.func.count()).where(column.is_not(None))
        made = counted.where(*self._until(timestamp, every, zone, elapsed)).group_by(bucket).order_by(bucket)
        return [(str(when), int(count)) for when, count in self.rows(made) if when is not None]

    def _bucket(self, timestamp: str, every: str, zone: str | None) -> Any:
        if self.dialect == "sqlite":
            return self.sa.func.strftime(STEPS[every], self.time_column(timestamp))
        return self.sa.func.date_trunc(every, self._on_the_wall(timestamp, zone))

    def _on_the_wall(self, timestamp: str, zone: str | None) -> Any:
        column = self.time_column(timestamp)
        if isinstance(column.type, self.sa.Date):
            return self.sa.cast(column, self.sa.DateTime)
        if zone is not None and getattr(column.type, "timezone", False):
            return self.sa.func.timezone(zone, column)
        return column

    def _until(self, timestamp: str, every: str, zone: str | None, elapsed: timedelta | None) -> list[Any]:
        """The condition that a row came in the first part of its day or hour, or none."""
        if elapsed is None:
            return []
        if self.dialect == "sqlite":
            begin = datetime(2000, 1, 1, tzinfo=UTC) + elapsed
            shown = begin.strftime(OFFSETS[every]) + f"{begin.microsecond // 1000:03}"
            return [self.sa.func.strftime(OFFSETS_OF_ROWS[every], self.time_column(timestamp)) <= shown]
        return [self._on_the_wall(timestamp, zone) - self._bucket(timestamp, every, zone) <= elapsed]

    def within(self, timestamp: str, every: str, zone: str | None, when: datetime) -> Any:
        """The condition that a row is of one day or hour."""
        bucket = self._bucket(timestamp, every, zone)
        return bucket == (when.strftime(STEPS[every]) if self.dialect == "sqlite" else when)

    def parts_of(
        self, by: str, timestamp: str, every: str, zone: str | None, when: datetime, elapsed: timedelta | None = None
    ) -> list[tuple[str, int, int]]:
        """The values of a column with their rows of one day or hour, and of all; the most frequent ones."""
        here = self.sa.case((self.within(timestamp, every, zone, when), 1), else_=0)
        value, count = self.table.c[by].label("v"), self.sa.func.count().label("n")
        counted = self.sa.select(value, self.sa.func.sum(here), count).where(self.table.c[timestamp].is_not(None))
        made = counted.where(*self._until(timestamp, every, zone, elapsed))
        found = self.rows(made.group_by(value).order_by(count.desc(), value).limit(MOST_PARTS))
        return [("" if part is None else str(part), int(new), int(n)) for part, new, n in found]

    def breaking(self, kind: str, column: str, values: Sequence[str]) -> tuple[int, int, list[str]]:
        """How many rows break a rule of ``quality.rules``, how many there are, and some values that do.

        Raises
        ------
        SchemaError
            for a column that is not there.
        """
        self.check_columns([column])
        value = self.table.c[column]
        count = self.sa.func.count()
        total = self.count()
        if kind == "not_null":
            filled = self.rows(self.sa.select(self.sa.func.count(value)).select_from(self.table))[0][0]
            return total - int(filled), total, []
        groups = self.sa.select(value.label("v"), count.label("n")).where(value.is_not(None)).group_by(value)
        if kind == "unique":
            groups = groups.having(count > 1)
        else:
            groups = groups.where(self.sa.cast(value, self.sa.String).not_in(list(values)))
        found = groups.subquery()
        broken = self.rows(self.sa.select(self.sa.func.sum(found.c.n)))[0][0]
        shown = self.rows(self.sa.select(found.c.v).order_by(found.c.n.desc(), found.c.v).limit(5))
        return int(broken or 0), total, [str(one[0]) for one in shown]

    def time_column(self, timestamp: str) -> Any:
        """A column of times.

        Raises
        ------
        SchemaError
            where it is missing, or holds numbers.
        """
        self.check_columns([timestamp])
        column = self.table.c[timestamp]
        if isinstance(column.type, self.sa.Integer | self.sa.Numeric | self.sa.Float | self.sa.Boolean):
            raise SchemaError(f"Column {timestamp!r} of {self.name!r} is {column.type}, not a time. Name another one.")
        return column

    def latest_times(self, timestamp: str, most: int) -> list[datetime]:
        """The latest different times of a column, the latest first; in SQLite text that is no time is left out."""
        column = self.time_column(timestamp)
        if self.dialect == "sqlite":
            column = self.sa.func.strftime(SECONDS, self.sa.type_coerce(column, self.sa.String))
        made = self.sa.select(column).distinct().where(column.is_not(None)).order_by(column.desc()).limit(most)
        return [datetime.fromisoformat(str(each[0])) for each in self.rows(made)]


def _sqlalchemy() -> Any:
    import_module("sqlalchemy.exc")
    return import_module("sqlalchemy")


def _check_file(database: str | None) -> None:
    """SQLite makes a database of any name that is not there; we do not want that."""
    if database and database != ":memory:" and not database.startswith("file:") and not Path(database).is_file():
        raise SourceError(f"There is no database {database!r}. Check the path; sqlite:////… is an absolute one.")
