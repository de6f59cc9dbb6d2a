"""`quality run`: suites in YAML, TOML and JSON, one report and one exit code."""

import json
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from quality.tables import sites

needs_yaml = pytest.mark.needs_extra("yaml")

SUITE = {
    "name": "nightly",
    "tables": {
        "orders": {
            "data": "orders.csv",
            "timestamp": "created",
            "checks": [
                "volume",
                "distribution",
                {"freshness": {"alpha": 0.001}},
                {"not_null": ["id", "region"]},
                {"unique": "id"},
                {"accepted_values": {"column": "region", "values": ["eu", "us"]}},
            ],
        },
    },
}


@pytest.fixture
def folder(tmp_path):
    """Thirty days of orders."""
    start = datetime(2026, 1, 5, 6)
    rows = [
        {"id": day * 100 + n, "created": start + timedelta(days=day, minutes=n), "region": ("eu", "us")[n % 2]}
        for day in range(30)
        for n in range(40 + day % 5)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "orders.csv")
    return tmp_path


def write(folder, suite, name="suite.json"):
    path = folder / name
    path.write_text(json.dumps(suite))
    return path


def changed(**checks):
    return {"tables": {"orders": {**SUITE["tables"]["orders"], **checks}}}


def test_a_suite_that_passes(ad, folder):
    ran = ad("quality", "run", write(folder, SUITE), "--now", "2026-02-03T07:00", "--fail-on-anomaly", "--json")
    assert ran.code == 0, ran.out
    assert (ran.json["suite"], ran.json["passed"], ran.json["failed"]) == ("nightly", 7, 0)
    first = ran.json["results"][0]
    assert first["message"].startswith("orders has 44 rows, as usual")
    assert {"is_anomaly", "severity", "confidence", "expected_range", "message"} <= set(first["answer"])


def test_what_fails_and_what_only_warns(ad, folder):
    checks = [{"accepted_values": {"column": "region", "values": ["eu"]}}]
    assert ad("quality", "run", write(folder, changed(checks=checks)), "--fail-on-anomaly").code == 1
    assert ad("quality", "run", write(folder, changed(checks=checks))).code == 0
    checks[0]["accepted_values"]["severity"] = "warn"
    ran = ad("quality", "run", write(folder, changed(checks=checks)), "--fail-on-anomaly")
    assert ran.code == 0
    assert "1 warned" in ran.out
    checks[0]["accepted_values"]["at_most"] = 0.6
    assert "1 passed" in ad("quality", "run", write(folder, changed(checks=checks))).out


def test_a_check_that_cannot_be_made_stops_no_other(ad, folder):
    suite = {
        "tables": {
            "gone": {"data": "gone.csv", "timestamp": "at", "checks": ["volume"]},
            "orders": {"data": "orders.csv", "checks": [{"unique": ["id", "nothing"]}]},
        }
    }
    ran = ad("quality", "run", write(folder, suite), "--json")
    assert ran.code == 2
    assert [one["status"] for one in ran.json["results"]] == ["error", "passed", "error"]
    assert "gone.csv" in ran.json["results"][0]["message"]


def test_reports(ad, folder):
    pl.read_csv(folder / "orders.csv").with_columns(region=pl.lit("<script>alert(1)</script>")).write_csv(
        folder / "odd.csv"
    )
    path = write(folder, changed(data="odd.csv", checks=[{"accepted_values": {"column": "region", "values": ["eu"]}}]))
    assert ad("quality", "run", path, "--report", folder / "r.html").code == 0
    page = (folder / "r.html").read_text()
    assert "Checks: suite" in page
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert ad("quality", "run", path, "--report", folder / "r.json").code == 0
    assert json.loads((folder / "r.json").read_text())["failed"] == 1
    assert ad("quality", "run", path, "--report", folder / "no" / "r.html").code != 0


def test_histories_are_kept_by_table(ad, folder):
    suite = {"defaults": {"history": "runs"}, "tables": {"a/b": {"data": "orders.csv", "checks": ["volume", "drift"]}}}
    for day in range(1, 4):
        now = date(2026, 3, day)
        assert ad("quality", "run", write(folder, suite), "--remember", "--now", now).code == 0
    kept = list((folder / "runs").glob("a_b-*/*.run.json"))
    assert len(kept) == 3


def test_toml(ad, folder):
    path = folder / "suite.toml"
    path.write_text('[tables.orders]\ndata = "orders.csv"\nchecks = [{unique = "id"}, {not_null = ["id"]}]\n')
    assert "2 passed" in ad("quality", "run", path).out


@needs_yaml
def test_yaml(ad, folder):
    path = folder / "suite.yaml"
    path.write_text(
        "tables:\n  orders:\n    data: orders.csv\n    timestamp: created\n    checks:\n"
        "      - volume: {direction: drop, holidays: [2026-01-06]}\n      - unique: id\n"
    )
    assert "2 passed" in ad("quality", "run", path).out
    for text in ("tables: [", "tables: !!python/object/apply:os.getcwd []", "- a"):
        path.write_text(text)
        assert ad("quality", "run", path).code == 2


def test_a_table_of_a_database(ad, folder):
    with closing(sqlite3.connect(folder / "shop.db")) as made:
        made.execute("create table orders (id integer, region text)")
        made.executemany("insert into orders values (?, ?)", [(1, "eu"), (2, "us"), (2, None)])
        made.commit()
    url = f"sqlite:///{folder / 'shop.db'}"
    checks = [
        {"not_null": "region"},
        {"unique": "id"},
        {"accepted_values": {"column": "region", "values": ["eu"]}},
        "pattern",
    ]
    ran = ad("quality", "run", write(folder, {"tables": {"orders": {"url": url, "checks": checks}}}), "--json")
    assert [one["answer"] and one["answer"]["rows"] for one in ran.json["results"]] == [1, 2, 1, 3]


def test_patterns_are_remembered_in_the_history_of_a_suite(ad, folder):
    table = {"data": "sites.csv", "history": "runs", "segments": ["region"], "checks": ["pattern", "volume"]}
    path = write(folder, {"tables": {"sites": table}})
    for n in range(2):
        sites(seed=n).write_csv(folder / "sites.csv")
        assert ad("quality", "run", path, "--remember", "--now", f"2026-03-0{n + 1}", "--fail-on-anomaly").code == 0
    assert sorted({one.name.split(".", 2)[2] for one in (folder / "runs" / "sites").iterdir()}) == [
        "pattern.json",
        "run.json",
    ]
    now = sites(seed=5)
    wrong = pl.col("region") == now["region"][0]
    now.with_columns(phone=pl.when(wrong).then(pl.lit("none")).otherwise("phone")).write_csv(folder / "sites.csv")
    ran = ad("quality", "run", path, "--json", "--now", "2026-03-03").json["results"][0]
    assert (ran["status"], ran["answer"]["findings"][0]["column"]) == ("failed", "phone")
    assert f"region = '{now['region'][0]}'" in ran["answer"]["findings"][0]["guilty"]


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ([], "needs tables"),
        ({"tables": {}}, "needs tables"),
        ({"tables": {"a": {"data": "x"}}}, "no checks"),
        ({"tables": {"a": {"data": "x", "checks": ["volum"]}}}, "Did you mean 'volume'"),
        ({"tables": {"a": {"dat": "x", "checks": ["volume"]}}}, "Did you mean 'data'"),
        ({"tables": {"a": {"data": "x", "checks": [{"volume": {"alfa": 1}}]}}}, "'alpha'"),
        ({"tables": {"a": {"data": "x", "checks": [{"volume": {"severity": "loud"}}]}}}, "error or warn"),
        ({"tables": {"a": {"data": "x", "checks": [{"accepted_values": "b"}]}}}, "names no values"),
        ({"tables": {"a": {"data": "x", "checks": [{"not_null": None}]}}}, "names no column"),
        ({"tables": {"a": {"data": "x", "checks": [3]}}}, "is 3"),
        ({"tables": {"a": [1]}}, "settings by name"),
        ({"defaults": 3, "tables": {"a": {}}}, "defaults"),
    ],
)
def test_suites_that_are_not_understood(ad, folder, suite, words):
    ran = ad("quality", "run", write(folder, suite))
    assert ran.code == 2
    assert words in " ".join(ran.err.split())


def test_files_that_are_no_suites(ad, folder):
    (folder / "bad.json").write_text("{")
    (folder / "bad.toml").write_text("[")
    for name in ("bad.json", "bad.toml", "gone.toml"):
        ran = ad("quality", "run", folder / name)
        assert ran.code == 2
        assert name in " ".join(ran.err.split())
