"""`quality volume`, `distribution` and `timeliness` on files, directories of daily files, and SQLite."""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

START = date(2026, 1, 5)


def day_of_orders(day, seed, rows=None):
    """One day of orders; half as many on weekends."""
    rng = np.random.default_rng(seed)
    rows = rows if rows is not None else int((150 if day.weekday() >= 5 else 300) * rng.normal(1, 0.04))
    return pl.DataFrame(
        {
            "created": [
                datetime(day.year, day.month, day.day) + timedelta(seconds=int(s))
                for s in rng.integers(0, 86_400, rows)
            ],
            "region": rng.choice(["eu", "us", "asia"], rows, p=[0.5, 0.3, 0.2]),
            "price": rng.lognormal(3, 0.4, rows).round(2),
            "note": [None if one < 0.05 else "x" for one in rng.random(rows)],
        }
    )


DAYS = [day_of_orders(START + timedelta(days=n), n) for n in range(40)]


def write(folder, name, days):
    path = folder / name
    pl.concat(days).write_csv(path)
    return path


@pytest.fixture
def daily(tmp_path):
    """Forty daily files, written at about half past six."""
    folder = tmp_path / "daily"
    folder.mkdir()
    for n, frame in enumerate(DAYS):
        path = folder / f"orders_{START + timedelta(days=n)}.csv"
        frame.write_csv(path)
        moment = (datetime(2026, 1, 6, 6, 30, n % 7, tzinfo=UTC) + timedelta(days=n)).timestamp()
        os.utime(path, (moment, moment))
    return folder


def test_a_directory_of_daily_files(ad, daily):
    found = ad("quality", "volume", daily, "--json").json
    assert list(found)[:5] == ["is_anomaly", "severity", "confidence", "expected_range", "message"]
    assert (found["is_anomaly"], found["runs"]) == (False, 39)
    day_of_orders(START, 1, rows=20).write_csv(daily / "orders_20260214.csv")
    ran = ad("quality", "volume", daily, "--fail-on-anomaly")
    assert ran.code == 1
    assert "daily has 20 rows" in ran.out
    assert "for a Saturday" in ran.out


def test_an_empty_daily_file(ad, daily):
    (daily / "orders_2026-02-14.csv").write_text("")
    assert "is empty" in ad("quality", "volume", daily).out
    assert ad("quality", "distribution", daily, "--json").json["severity"] == "critical"


def test_days_of_one_file(ad, tmp_path):
    path = write(tmp_path, "orders.csv", DAYS)
    assert ad("quality", "volume", path, "--timestamp", "created", "--fail-on-anomaly").code == 0
    few = write(tmp_path, "few.csv", [*DAYS[:-1], DAYS[-1].filter(pl.col("region") != "eu")])
    ran = ad("quality", "volume", few, "--timestamp", "created", "--segment", "region", "--json")
    assert ran.json["is_anomaly"] is True
    assert "comes from region = 'eu'" in ran.json["message"]
    several = ad("quality", "volume", few, "--timestamp", "created", "--segment", "note,region").out
    assert "comes from region = 'eu'" in " ".join(several.split())
    missing = ad("quality", "volume", path, "--timestamp", "created", "--now", "2026-02-14T12:00", "--json").json
    assert (missing["row_count"], missing["is_anomaly"]) == (0, True)
    earlier = ad("quality", "volume", path, "--timestamp", "created", "--now", "2026-02-01T23:59:59", "--json").json
    assert earlier["runs"] == 27


@pytest.mark.parametrize("place", ["file", "sqlite"])
@pytest.mark.parametrize(("until", "odd"), [(39, False), (12, True)])
def test_a_day_that_is_not_over_is_held_against_the_same_part_of_earlier_ones(ad, tmp_path, place, until, odd):
    days = [datetime(2026, 1, 1) + timedelta(days=n) for n in range(30)]
    times = [day + timedelta(minutes=10 * k) for day in days[:-1] for k in range(144)]
    times += [days[-1] + timedelta(minutes=10 * k) for k in range(until)]
    where = [tmp_path / "events.csv"]
    pl.DataFrame({"at": times}).write_csv(where[0])
    if place == "sqlite":
        with closing(sqlite3.connect(tmp_path / "events.db")) as made:
            made.execute("create table events (at text)")
            made.executemany("insert into events values (?)", [(one.isoformat(" "),) for one in times])
            made.commit()
        where = ["--url", f"sqlite:///{tmp_path / 'events.db'}", "--table", "events"]
    ran = ad("quality", "volume", *where, "--timestamp", "at", "--now", "2026-01-30T06:20", "--json").json
    assert (ran["row_count"], ran["is_anomaly"]) == (until, odd)
    assert ran["expected_range"][0] <= 39 <= ran["expected_range"][1] < 60
    assert "the day is not over: its first 6:20 hours are held against those of earlier ones" in ran["notes"]


def test_runs_are_remembered(ad, tmp_path):
    history = tmp_path / "history"
    for n, frame in enumerate(DAYS[:10]):
        path = write(tmp_path, "orders.csv", [frame])
        now = START + timedelta(days=n)
        if n == 0:
            assert "no earlier run" in ad("quality", "volume", path, "--history", history).err
        ran = ad("quality", "volume", path, "--history", history, "--remember", "--now", now, "--fail-on-anomaly")
        assert ran.code == 0
        assert ("is the first run" in " ".join(ran.out.split())) == (n == 0)
    assert len(list(history.glob("*.run.json"))) == 10
    path = write(tmp_path, "orders.csv", [DAYS[10].with_columns(pl.col("price") * 3)])
    ran = ad("quality", "distribution", path, "--history", history, "--fail-on-anomaly", "--now", "2026-01-15")
    assert ran.code == 1
    assert "price: mean" in " ".join(ran.out.split())
    late = ad("quality", "timeliness", path, "--history", history, "--now", "2026-01-20", "--json").json
    assert late["status"] == "missing"


def test_broken_history(ad, tmp_path):
    path = write(tmp_path, "orders.csv", DAYS[:1])
    history = tmp_path / "history"
    history.mkdir()
    for text in ("{", '{"version": 7}'):
        (history / "a.run.json").write_text(text)
        ran = ad("quality", "volume", path, "--history", history)
        assert ran.code == 2
        assert "a.run.json" in " ".join(ran.err.split())


def test_distribution_of_daily_files(ad, daily):
    assert ad("quality", "distribution", daily, "--fail-on-anomaly").code == 0
    odd = day_of_orders(date(2026, 2, 14), 77).with_columns(pl.lit("mars").alias("region"))
    odd.write_csv(daily / "orders_2026-02-14.csv")
    found = ad("quality", "distribution", daily, "--json").json
    assert {one["column"] for one in found["changes"] if one["is_anomaly"]} == {"region"}


def test_distribution_of_days_of_one_file(ad, tmp_path):
    odd = DAYS[-1].with_columns(pl.when(pl.col("region") == "us").then(pl.col("price") + 30).otherwise(pl.col("price")))
    path = write(tmp_path, "orders.csv", [*DAYS[:-1], odd])
    ran = ad("quality", "distribution", path, "--timestamp", "created", "--segment", "region", "--json")
    worst = [one for one in ran.json["changes"] if one["is_anomaly"]]
    assert {one["column"] for one in worst} == {"price"}
    assert "region = 'us'" in next(one for one in worst if one["test"] == "mean")["guilty"]


def test_timeliness_of_daily_files(ad, daily):
    assert ad("quality", "timeliness", daily, "--now", "2026-02-15T04:00", "--fail-on-anomaly").code == 0
    ran = ad("quality", "timeliness", daily, "--now", "2026-02-15T09:00", "--fail-on-anomaly")
    assert ran.code == 1
    assert "late by" in ran.out
    zoned = ad("quality", "timeliness", daily, "--now", "2026-02-15T09:00", "--zone", "Europe/Berlin", "--json").json
    assert zoned["usually_by"].startswith("2026-02-15T07:30")


def test_timeliness_of_a_column(ad, tmp_path):
    path = tmp_path / "loads.csv"
    pl.DataFrame({"loaded": [datetime(2026, 1, 5, 6, n % 9) + timedelta(days=n) for n in range(30)], "n": 1}).write_csv(
        path
    )
    found = ad("quality", "timeliness", path, "--timestamp", "loaded", "--now", "2026-02-04T08:00", "--json").json
    assert (found["status"], found["cadence"]) == ("late", "every day")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["volume"], "--url"),
        (["volume", "nowhere.csv"], "no file or directory 'nowhere.csv'"),
        (["volume", "{file}"], "--history"),
        (["volume", "{file}", "--timestamp", "creatd"], "'created'"),
        (["volume", "{file}", "--timestamp", "price"], "no times"),
        (["volume", "{file}", "--timestamp", "created", "--every", "week"], "day, hour"),
        (["volume", "{file}", "--timestamp", "created", "--zone", "Moon/Base"], "Moon/Base"),
        (["volume", "{file}", "--timestamp", "created", "--now", "soon"], "'soon' is no time"),
        (["volume", "{file}", "--timestamp", "created", "--segment", "planet"], "planet"),
        (["volume", "{file}", "--timestamp", "created", "--alpha", "3"], "alpha"),
        (["volume", "{file}", "--timestamp", "created", "--remember"], "--history"),
        (["volume", "{folder}"], "data files"),
        (["volume", "{file}", "--url", "sqlite:///x.db", "--table", "t"], "one of them"),
        (["distribution", "{file}"], "--history"),
        (["timeliness", "{file}"], "--timestamp"),
    ],
)
def test_bad_usage_is_refused(ad, tmp_path, arguments, words):
    folder = tmp_path / "empty"
    folder.mkdir()
    path = write(tmp_path, "orders.csv", DAYS[:12])
    ran = ad("quality", *[one.format(file=path, folder=folder) for one in arguments])
    assert ran.code == 2
    assert words in " ".join(ran.err.split())


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute('create table "orders" (created timestamp, region text, price real, note text)')
        rows = [(str(row[0]), *row[1:]) for frame in DAYS for row in frame.iter_rows()]
        made.executemany("insert into orders values (?, ?, ?, ?)", rows)
        made.execute('create table "a""; drop table orders; --" ("x""; --" integer)')
        made.execute('insert into "a""; drop table orders; --" values (1)')
        made.commit()
    return f"sqlite:///{path}"


def test_a_table_of_sqlite(ad, database):
    where = ("--url", database, "--table", "orders", "--timestamp", "created")
    assert ad("quality", "volume", *where, "--json").json["runs"] == 39
    empty = ("--now", "2026-02-14T23:00", "--segment", "note,region", "--fail-on-anomaly")
    assert ad("quality", "volume", *where, *empty).code == 1
    assert ad("quality", "distribution", *where, "--segment", "region", "--fail-on-anomaly").code == 0
    assert ad("quality", "timeliness", *where, "--now", "2026-04-14", "--fail-on-anomaly").code == 1


def test_names_are_quoted(ad, database, tmp_path):
    history = tmp_path / "history"
    name = 'a"; drop table orders; --'
    where = ("--url", database, "--table", name, "--history", history)
    assert ad("quality", "distribution", *where, "--remember").code == 0
    assert ad("quality", "distribution", *where, "--segment", 'x"; --').code == 0
    assert ad("quality", "volume", "--url", database, "--table", "orders", "--timestamp", "created").code == 0
    assert ad("quality", "volume", "--url", database, "--table", "orders", "--timestamp", 'x"; --').code == 2


@pytest.mark.parametrize(
    ("url", "table", "words"),
    [
        ("{db}", "ordrs", "Did you mean 'orders'?"),
        ("sqlite:///nowhere.db", "orders", "no database 'nowhere.db'"),
        ("nonsense", "orders", "cannot be read"),
        ("cobol://x/y", "orders", "cobol"),
    ],
)
def test_databases_that_are_not_there(ad, database, url, table, words):
    ran = ad("quality", "volume", "--url", url.format(db=database), "--table", table, "--timestamp", "created")
    assert ran.code == 2
    assert words in " ".join(ran.err.split())
