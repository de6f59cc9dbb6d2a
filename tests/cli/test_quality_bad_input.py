"""Runs and databases as they should not be: stated behaviour or one plain sentence, never a traceback."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta

import polars as pl
import pytest

SECRET = "very-quiet"
CHECKS = ("volume", "distribution", "pattern")
ODD = """o'b"r; drop table orders; --"""


def day(n):
    return date(2026, 1, 5) + timedelta(days=n)


def rows_of(n, rows=60):
    return pl.DataFrame({"id": range(rows), "price": [float((one * 7 + n) % 9) for one in range(rows)]})


@pytest.fixture
def daily(tmp_path):
    folder = tmp_path / "daily"
    folder.mkdir()
    for n in range(10):
        rows_of(n).write_csv(folder / f"orders_{day(n)}.csv")
    return folder


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("content", ["", "id,price\n"])
def test_an_empty_run(ad, daily, check, content):
    (daily / f"orders_{day(10)}.csv").write_text(content)
    ran = ad("quality", check, daily, "--json")
    assert ran.code == 0
    if check == "pattern":
        assert (ran.json["rows"], ran.json["is_anomaly"]) == (0, False)
        assert f"orders_{day(10)}.csv" in ran.json["notes"][0]
    else:
        assert (ran.json["is_anomaly"], ran.json["severity"]) == (True, "critical")
        assert "is empty" in ran.json["message"]


@pytest.mark.parametrize("check", CHECKS)
def test_an_empty_run_of_the_past(ad, daily, check):
    (daily / f"orders_{day(4)}.csv").write_text("id,price\n")
    assert ad("quality", check, daily, "--fail-on-anomaly").code == 0


@pytest.mark.parametrize("check", ["volume", "distribution"])
def test_an_empty_file_against_remembered_runs(ad, tmp_path, check):
    path, folder = tmp_path / "orders.csv", tmp_path / "runs"
    for n in range(6):
        rows_of(n).write_csv(path)
        assert ad("quality", check, path, "--history", folder, "--remember", "--now", day(n)).code == 0
    path.write_text("id,price\n")
    ran = ad("quality", check, path, "--history", folder, "--remember", "--now", day(6), "--json").json
    assert (ran["is_anomaly"], "is empty" in ran["message"]) == (True, True)
    rows_of(7).write_csv(path)
    assert ad("quality", check, path, "--history", folder, "--now", day(7), "--fail-on-anomaly").code == 0


@pytest.mark.parametrize("check", ["distribution", "pattern"])
def test_a_schema_that_changed_between_runs(ad, daily, check):
    now = rows_of(10).select(pl.lit("x").alias("id"), pl.lit(1).alias("extra"))
    now.write_csv(daily / f"orders_{day(10)}.csv")
    found = ad("quality", check, daily, "--json").json
    said = " ".join(one["message"] for one in found["changes" if check == "distribution" else "findings"])
    assert "The column 'price' is gone." in said
    assert "The column 'extra' is new." in said
    assert found["severity"] == "critical"


@pytest.mark.parametrize("check", ["volume", "distribution"])
def test_a_segment_that_earlier_runs_did_not_have(ad, daily, check):
    rows_of(10).with_columns(region=pl.lit("eu")).write_csv(daily / f"orders_{day(10)}.csv")
    assert ad("quality", check, daily, "--segment", "region").code == 0
    ran = ad("quality", check, daily, "--segment", "planet")
    assert (ran.code, "'planet'" in ran.err) == (2, True)


@pytest.mark.parametrize("check", CHECKS)
def test_a_run_that_is_no_table(ad, daily, check):
    (daily / f"orders_{day(10)}.csv").write_bytes(b"\x00\x01\xff")
    ran = ad("quality", check, daily)
    assert (ran.code, ran.out) == (2, "")
    assert f"orders_{day(10)}.csv" in " ".join(ran.err.split()).replace(" ", "")


@pytest.mark.parametrize(("check", "more"), [("volume", 27), ("distribution", 7), ("timeliness", 12)])
def test_a_short_history_says_how_much_more_helps(ad, tmp_path, check, more):
    path, folder = tmp_path / "orders.csv", tmp_path / "runs"
    for n in range(2):
        rows_of(n).write_csv(path)
        ad("quality", "volume", path, "--history", folder, "--remember", "--now", day(n))
        if n == 0 and check != "timeliness":
            break
    ran = ad("quality", check, path, "--history", folder, "--now", day(2), "--json").json
    assert f"{more} more" in ran["notes"][0]
    assert ran["is_anomaly"] is False
    if check == "volume":
        low, high = ran["expected_range"]
        assert low < 60 < high < 10_000


def made(path, rows, columns="created timestamp, region text, price real"):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"create table orders ({columns})")
        connection.executemany("insert into orders values (?, ?, ?)", rows)
        connection.commit()
    return f"sqlite:///{path}"


TIMED = [(f"{day(n)} 06:0{m}:00", ODD[m % 2 :], float(m)) for n in range(20) for m in range(9)]


def test_values_that_would_do_harm_are_values(ad, tmp_path):
    few = [row for row in TIMED if row[0] < str(day(19)) or row[1] != ODD]
    url = made(tmp_path / "shop.db", few)
    where = ("--url", url, "--table", "orders", "--timestamp", "created")
    ran = ad("quality", "volume", *where, "--segment", "region", "--json").json
    assert f"region = {ODD!r}" in ran["message"]
    for check in ("distribution", "timeliness"):
        assert ad("quality", check, *where).code == 0
    assert ad("quality", "pattern", "--url", url, "--table", "orders").code == 0
    assert ad("quality", "volume", *where, "--zone", ODD).code == 2
    assert ad("quality", "volume", *where[:4], "--timestamp", ODD).code == 2
    assert ad("quality", "volume", "--url", url, "--table", ODD, "--timestamp", "created").code == 2
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (len(few),)


@pytest.mark.parametrize("check", ["volume", "distribution", "timeliness"])
def test_a_table_without_rows(ad, tmp_path, check):
    url = made(tmp_path / "shop.db", [])
    ran = ad("quality", check, "--url", url, "--table", "orders", "--timestamp", "created")
    assert ran.code == 2
    assert ran.err.startswith("Error: ")
    assert ad("quality", "pattern", "--url", url, "--table", "orders").code == 0


def test_times_that_are_none(ad, tmp_path):
    url = made(tmp_path / "shop.db", [*TIMED, ("soon", "eu", 1.0), (None, "eu", 1.0)])
    where = ("--url", url, "--table", "orders", "--timestamp", "created")
    volume = ad("quality", "volume", *where, "--json").json
    assert (volume["row_count"], volume["runs"]) == (9, 19)
    assert "2 rows without a time left out" in volume["notes"]
    found = ad("quality", "timeliness", *where, "--json", "--now", "2026-01-24T12:00").json
    assert (found["status"], found["last_arrival"][:16]) == ("on time", "2026-01-24T06:00")


def test_a_day_without_rows(ad, tmp_path):
    where = ("--url", made(tmp_path / "shop.db", TIMED), "--table", "orders", "--timestamp", "created")
    for check in ("volume", "distribution"):
        ran = ad("quality", check, *where, "--now", "2026-01-25T12:00", "--json").json
        assert (ran["is_anomaly"], "is empty" in ran["message"]) == (True, True)


@pytest.mark.parametrize("check", ["volume", "distribution", "timeliness", "pattern"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param(
            f"postgresql://me:{SECRET}@127.0.0.1:1/shop",
            "cannot be reached",
            marks=pytest.mark.needs_extra("psycopg"),
        ),
        ("sqlite:///{folder}/text.db", "not a database"),
        ("sqlite:///{folder}/nowhere.db", "no database"),
        ("sqlite:///{folder}/shop.db", "Did you mean 'orders'"),
    ],
)
def test_databases_that_are_down_or_lack_the_table(ad, tmp_path, check, url, words):
    (tmp_path / "text.db").write_text("no database" * 100)
    made(tmp_path / "shop.db", TIMED)
    when = () if check == "pattern" else ("--timestamp", "created")
    ran = ad("quality", check, "--url", url.format(folder=tmp_path), "--table", "ordrs", *when)
    assert (ran.code, ran.out) == (2, "")
    assert words in " ".join(ran.err.split())
    assert SECRET not in ran.err


@pytest.mark.usefixtures("daily")
def test_a_database_that_is_down_stops_no_other_check_of_a_suite(ad, tmp_path):
    suite = tmp_path / "suite.toml"
    suite.write_text(
        '[tables.down]\nurl = "sqlite:///nowhere.db"\ntable = "x"\nchecks = ["pattern", "volume"]\n'
        '[tables.orders]\ndata = "daily"\nchecks = ["volume"]\n'
    )
    ran = ad("quality", "run", suite, "--json")
    assert ran.code == 2
    assert [one["status"] for one in ran.json["results"]] == ["error", "error", "passed"]
    assert "no database 'nowhere.db'" in ran.json["results"][0]["message"]
