"""Tables of SQLite and PostgreSQL: profiles made by the database, and everything that can go wrong."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from anomaly_detection.cli.app import run
from anomaly_detection.errors import MissingDependencyError, ParameterError, SchemaError, SourceError
from anomaly_detection.quality import check_distribution, check_pattern, profile_table
from anomaly_detection.sources.sql import SqlTable
from anomaly_detection.sources.sql_profile import profile_sql, quantiles_of
from anomaly_detection.sources.sql_sample import sample_sql
from postgres import server

pytestmark = pytest.mark.needs_extra("psycopg")

SECRET = "very-quiet"
ODD = 'a"; drop table orders; --'


@pytest.fixture(scope="module")
def postgres():
    with server() as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request, tmp_path_factory):
    """A database with a table of orders, and one with a name that would do harm."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("db") / "shop.db"
        path.touch()
        made = f"sqlite:///{path}"
    else:
        made = request.getfixturevalue("postgres")
    _fill(made)
    return made


def frame():
    rng = np.random.default_rng(3)
    n = 3000
    created = [datetime(2026, 1, 5) + timedelta(seconds=int(s)) for s in np.sort(rng.integers(0, 30 * 86_400, n))]
    return pl.DataFrame(
        {
            "created": created,
            "region": rng.choice(["eu", "us", "asia"], n, p=[0.5, 0.3, 0.2]),
            "price": rng.lognormal(3, 1, n),
            "items": rng.poisson(4, n),
            "note": [None if one < 0.05 else "" if one < 0.1 else f"n{one:.5f}" for one in rng.random(n)],
            "paid": rng.random(n) < 0.7,
        }
    )


FRAME = frame()


def _fill(url):
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    data = sa.MetaData()
    orders = sa.Table(
        "orders",
        data,
        sa.Column("created", sa.DateTime),
        sa.Column("region", sa.String),
        sa.Column("price", sa.Double),
        sa.Column("items", sa.Integer),
        sa.Column("note", sa.Text),
        sa.Column("paid", sa.Boolean),
    )
    odd = sa.Table(ODD, data, sa.Column('x"; --', sa.Integer), sa.Column("empty", sa.Double))
    data.create_all(engine)
    with engine.begin() as connection:
        connection.execute(orders.insert(), FRAME.to_dicts())
        connection.execute(odd.insert(), [{'x"; --': n, "empty": None} for n in range(5)])
    engine.dispose()


def test_a_profile_is_that_of_the_same_rows(url):
    with SqlTable(url, "orders") as table:
        made = profile_sql(table, segments=["region"])
    whole = profile_table(FRAME, segments=["region"])
    assert made.rows == whole.rows
    assert {name: one.type for name, one in made.columns.items()} == {n: one.type for n, one in whole.columns.items()}
    for name, one in made.columns.items():
        other = whole.columns[name]
        assert (one.missing, one.distinct, one.values) == (other.missing, other.distinct, other.values)
        if one.type == "number":
            assert one.mean == pytest.approx(other.mean)
            assert one.deviation == pytest.approx(other.deviation)
            at = np.searchsorted(np.sort(FRAME[name].to_numpy()), one.quantiles, side="right") / made.rows
            assert np.abs(at - np.linspace(0, 1, 101)).max() < (0.02 if name == "price" else 0.25)
    assert made.segments["region"]["eu"]["rows"] == whole.segments["region"]["eu"]["rows"]
    assert made.segments["region"]["eu"]["sum"]["price"] == pytest.approx(
        whole.segments["region"]["eu"]["sum"]["price"]
    )


def test_different_values_of_large_tables_are_counted_where_they_repeat(url, monkeypatch):
    monkeypatch.setattr("anomaly_detection.sources.sql_profile.EXACT_ROWS", 2999)
    with SqlTable(url, "orders") as table:
        made = profile_sql(table)
    whole = profile_table(FRAME)
    for name in ("region", "items", "paid"):
        assert (made.columns[name].distinct, made.columns[name].values) == (
            whole.columns[name].distinct,
            whole.columns[name].values,
        )
    if "sqlite" in url:
        assert (made.columns["price"].distinct, made.columns["note"].distinct) == (0, 0)
        answer = check_distribution(made, [made] * 8)
        assert any("not counted of 'created', 'price', 'note'" in note for note in answer.notes)
        assert not answer.is_anomaly
        assert not {one.column for one in answer.changes if one.test == "distinct"} & {"price", "note"}
    else:
        assert made.columns["price"].distinct == pytest.approx(3000, rel=0.3)
        assert made.columns["note"].distinct == pytest.approx(whole.columns["note"].distinct, rel=0.3)


def test_a_wide_table_takes_several_queries(url):
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    names = [f"c{n}" for n in range(450)]
    wide = sa.Table("wide", sa.MetaData(), *(sa.Column(name, sa.Integer) for name in names))
    with engine.begin() as connection:
        wide.create(connection)
        connection.execute(wide.insert(), [{name: n for n, name in enumerate(names)}, dict.fromkeys(names, 7)])
    engine.dispose()
    with SqlTable(url, "wide") as table:
        made = profile_sql(table, segments=["c0"])
    assert [one.high for one in made.columns.values()] == [max(n, 7) for n in range(450)]
    assert made.segments["c0"]["7"]["sum"] == dict.fromkeys(names[1:], 7.0)


def test_no_row_is_fetched(url, monkeypatch):
    fetched = []
    real = SqlTable.rows
    monkeypatch.setattr(
        SqlTable, "rows", lambda self, asked: (found := real(self, asked), fetched.append(len(found)))[0]
    )
    with SqlTable(url, "orders") as table:
        profile_sql(table)
    assert max(fetched) <= 101


def test_a_sample_is_bounded_spread_and_the_same_each_time(url):
    with SqlTable(url, "orders") as table:
        first, again = sample_sql(table, 640), sample_sql(table, 640)
        whole = sample_sql(table, 3000, ["price", "paid"])
    assert first.frame.equals(again.frame)
    assert 500 <= len(first.frame) <= 650
    assert first.frame["price"].max() == pytest.approx(FRAME["price"].max())
    assert first.frame["price"].min() == pytest.approx(FRAME["price"].min())
    assert f"of 3,000 rows ({'64 ranges of rowid' if 'sqlite' in url else 'pages'}" in first.note()
    assert (whole.frame.columns, len(whole.frame), whole.note()) == (["price", "paid"], 3000, None)
    if "sqlite" in url:
        at = first.frame["created"].str.to_datetime()
        assert at.is_between(FRAME["created"][0], FRAME["created"][200]).any()
        assert at.is_between(FRAME["created"][2800], FRAME["created"][-1]).any()


def test_a_sample_by_a_key(postgres):
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("create table kept (id serial primary key, a numeric, b uuid, c jsonb, d date)"))
        connection.execute(
            sa.text(
                "insert into kept (a, b, c, d) select n / 8.0, gen_random_uuid(), '{}', '2026-01-05'::date + n % 9 "
                "from generate_series(1, 5000) n"
            )
        )
        connection.execute(sa.text("create view kept_shown as select * from kept"))
    engine.dispose()
    with SqlTable(postgres, "kept") as table:
        found = sample_sql(table, 640)
    assert found.frame["id"].head(640).is_sorted()
    assert found.frame["id"].max() - found.frame["id"].min() > 4500
    assert [str(one) for one in found.frame.dtypes[2:]] == ["String", "Struct({})", "Date"]
    assert not check_pattern(found.frame).is_anomaly
    with SqlTable(postgres, "kept_shown") as table:
        assert "no key" in sample_sql(table, 640).note()


def test_names_that_would_do_harm_are_names(url):
    with SqlTable(url, ODD) as table:
        made = profile_sql(table, segments=['x"; --'])
        assert [len(sample_sql(table, most).frame) for most in (4, 9)] == [5, 5]
    assert (made.rows, made.columns["empty"].missing) == (5, 5)
    with SqlTable(url, "orders") as table:
        assert table.count() == 3000


def test_counts_of_days_and_hours(url):
    with SqlTable(url, "orders") as table:
        days = table.counts_by("created")
        hours = table.counts_by("created", "hour")
    truncated = FRAME["created"].dt.truncate("1d")
    assert [count for _, count in days] == truncated.value_counts().sort("created")["count"].to_list()
    assert sum(count for _, count in hours) == 3000


@pytest.mark.parametrize(
    ("every", "elapsed"),
    [
        ("day", timedelta(hours=6, minutes=30)),
        ("day", timedelta(0)),
        ("hour", timedelta(minutes=20, milliseconds=500)),
    ],
)
def test_counts_of_the_part_of_each_day_that_is_over(url, every, elapsed):
    begin = FRAME["created"].dt.truncate("1d" if every == "day" else "1h")
    over = FRAME.with_columns(begin=begin).filter(pl.col("created") - begin <= elapsed)
    with SqlTable(url, "orders") as table:
        found = table.counts_by("created", every, elapsed=elapsed)
        parts = table.parts_of("region", "created", every, None, begin[-1], elapsed)
    assert [count for _, count in found] == over["begin"].value_counts().sort("begin")["count"].to_list()
    assert sum(rows for _, _, rows in parts) == len(over)
    assert sum(now for _, now, _ in parts) == over["begin"].eq(begin[-1]).sum()


def test_the_commands(url, capsys):
    where = ["--url", url, "--table", "orders", "--timestamp", "created"]
    assert run(["quality", "volume", *where, "--segment", "region", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 29
    assert run(["quality", "distribution", *where, "--json"]) == 0
    assert (found := json.loads(capsys.readouterr().out))["is_anomaly"] is False, found["message"]
    assert run(["quality", "timeliness", *where, "--now", "2026-03-01", "--fail-on-anomaly"]) == 1


def test_tables_and_columns_that_are_not_there(url):
    with pytest.raises(SourceError, match="Did you mean 'orders'"):
        SqlTable(url, "ordrs")
    with SqlTable(url, "orders") as table:
        with pytest.raises(SchemaError, match="Did you mean 'created'"):
            table.counts_by("creatd")
        with pytest.raises(SchemaError, match="not a time"):
            table.counts_by("price")


def test_another_schema_and_days_of_a_zone(postgres):
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("create schema sales"))
        connection.execute(sa.text("create table sales.visits (at timestamptz, odd double precision)"))
        connection.execute(
            sa.text("insert into sales.visits values ('2026-01-05 23:30+00', 'NaN'), (null, 'Infinity')")
        )
    engine.dispose()
    with SqlTable(postgres, "sales.visits") as table:
        assert table.counts_by("at", zone="Europe/Berlin")[0][0].startswith("2026-01-06")
        assert table.counts_by("at")[0][0].startswith("2026-01-05")
        assert profile_sql(table).columns["odd"].missing == 2


def test_a_table_that_may_not_be_read(postgres):
    engine = sa.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(sa.text("create table secrets (id integer)"))
        connection.execute(sa.text("create role visitor login"))
    engine.dispose()
    where = postgres.replace("admin@", "visitor:hush@")
    with SqlTable(where, "secrets") as table, pytest.raises(SourceError, match="No right to read table") as caught:
        sample_sql(table)
    assert "hush" not in str(caught.value)
    assert "SELECT" in str(caught.value)


def test_nothing_can_be_written(postgres):
    with SqlTable(postgres, "pg_catalog.pg_class") as table, pytest.raises(SourceError, match="read-only"):
        table.rows(sa.text("create table made_by_a_check (x integer)"))


def test_a_server_that_is_down_and_a_password():
    with pytest.raises(SourceError, match="cannot be reached") as caught:
        SqlTable(f"postgresql://me:{SECRET}@127.0.0.1:1/shop", "orders")
    assert SECRET not in str(caught.value)
    assert "me:***@127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("nonsense", ParameterError, "cannot be read"),
        ("cobol://x/y", ParameterError, "cobol"),
        ("sqlite:///nowhere.db", SourceError, "no database"),
        ("mysql+mysqldb://x/y", MissingDependencyError, "MySQLdb"),
    ],
)
def test_urls_that_lead_nowhere(url, error, words):
    with pytest.raises(error, match=words):
        SqlTable(url, "orders")


def test_quantiles_of_buckets():
    made = quantiles_of([(50, 0.0, 1.0), (50, 10.0, 20.0)])
    assert made[0] == 0.0
    assert made[100] == 20.0
    assert made[25] == pytest.approx(0.5, abs=0.02)
    assert made[75] == pytest.approx(15, abs=0.2)
