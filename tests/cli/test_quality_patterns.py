"""`quality pattern` on tables of databases and against runs that are remembered."""

import sqlite3
from contextlib import closing

import polars as pl
import pytest

from quality.tables import sites, thirds

PATTERN = ("quality", "pattern")


def saved(path, frame):
    frame.write_csv(path)
    return path


def kinds(ran):
    return {(one["column"], one["kind"]) for one in ran.json["findings"] if one["is_anomaly"]}


def odd():
    return sites(seed=30).with_columns(phone=pl.col("phone").str.replace("-", "/"))


def test_runs_are_remembered_and_their_tables_forgotten(ad, tmp_path):
    folder = tmp_path / "runs"
    for n in range(3):
        path = saved(tmp_path / "sites.csv", sites(seed=n))
        now = ("--now", f"2026-03-0{n + 1}")
        ran = ad(*PATTERN, path, "--history", folder, "--remember", "--json", *now)
        assert ran.code == 0
        assert any("first run" in note for note in ran.json["notes"]) == (n == 0)
        assert ran.json["is_anomaly"] is False
    kept = sorted(folder.iterdir())
    assert [one.name[:8] for one in kept] == ["20260301", "20260302", "20260303"]
    assert all(one.stat().st_size < 60_000 for one in kept)
    ran = ad(*PATTERN, saved(tmp_path / "sites.csv", odd()), "--history", folder, "--json")
    assert ("phone", "new shape") in kinds(ran)
    assert "3 earlier tables" in ran.json["message"]
    earlier = ad(*PATTERN, tmp_path / "sites.csv", "--history", folder, "--json", "--now", "2026-03-02T12:00")
    assert "2 earlier tables" in earlier.json["message"]
    assert sorted(folder.iterdir()) == kept


def test_remembered_runs_say_the_same_as_the_tables(ad, tmp_path):
    folder, paths = tmp_path / "runs", []
    for n in range(3):
        paths.append(saved(tmp_path / f"{n}.csv", sites(seed=n)))
        ad(*PATTERN, paths[-1], "--history", folder, "--remember", "--now", f"2026-03-0{n + 1}")
    now = saved(tmp_path / "now.csv", odd())
    files = [part for path in paths for part in ("--history", path)]
    by_folder, by_files = (ad(*PATTERN, now, *how, "--json").json for how in (("--history", folder), files))
    assert by_folder["findings"] == by_files["findings"]


def test_a_directory_of_daily_files_is_its_own_past(ad, tmp_path):
    folder = tmp_path / "daily"
    folder.mkdir()
    for n in range(4):
        saved(folder / f"sites_2026-03-0{n + 1}.csv", sites(seed=n))
    assert ad(*PATTERN, folder, "--fail-on-anomaly").code == 0
    saved(folder / "sites_2026-03-05.csv", odd())
    ran = ad(*PATTERN, folder, "--json")
    assert ("phone", "new shape") in kinds(ran)
    assert "4 earlier tables" in ran.json["message"]
    assert ad(*PATTERN, folder, "--now", "2026-03-04T12:00", "--fail-on-anomaly").code == 0
    itself = ad(*PATTERN, folder / "sites_2026-03-05.csv", "--history", folder, "--json")
    assert kinds(itself) == kinds(ran)
    assert "4 earlier tables" in itself.json["message"]
    alone = ad(*PATTERN, folder / "sites_2026-03-05.csv", "--history", folder, "--columns", "city", "--json").json
    assert {one["column"] for one in alone["findings"]} <= {"city"}


def test_volume_and_pattern_share_a_folder(ad, tmp_path):
    path, folder = saved(tmp_path / "sites.csv", sites()), tmp_path / "runs"
    assert ad(*PATTERN, path, "--history", folder, "--remember").code == 0
    assert ad("quality", "volume", path, "--history", folder, "--remember").code == 0
    assert ad(*PATTERN, path, "--history", folder, "--fail-on-anomaly").code == 0
    assert ad("quality", "volume", path, "--history", folder, "--fail-on-anomaly").code == 0


def database(tmp_path, frame, more=""):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as made:
        names = ", ".join(f'"{name}"' for name in frame.columns)
        types = [" real" if dtype.is_float() else "" for dtype in frame.dtypes]
        made.execute(f"create table sites ({', '.join(map(str.__add__, names.split(', '), types))}{more})")
        marks = ", ".join("?" * frame.width)
        made.executemany(f"insert into sites ({names}) values ({marks})", frame.rows())
        made.execute("create view shown as select * from sites")
        made.commit()
    return f"sqlite:///{path}"


def test_an_autoencoder_finds_rows_that_do_not_fit_together(ad, tmp_path):
    path = saved(tmp_path / "sums.csv", thirds(30)[0])
    assert "fit together" not in ad(*PATTERN, path).out
    assert "fit together" in " ".join(ad(*PATTERN, path, "--method", "autoencoder").out.split())


def test_a_small_table_of_a_database_is_read_as_a_whole(ad, tmp_path):
    frame = sites()
    url = database(tmp_path, frame)
    by_sql = ad(*PATTERN, "--url", url, "--table", "sites", "--json").json
    by_file = ad(*PATTERN, saved(tmp_path / "sites.csv", frame), "--json").json
    assert (by_sql["rows"], by_sql["of_rows"], by_sql["notes"]) == (400, 0, [])
    assert by_sql["message"] == by_file["message"]


@pytest.mark.parametrize("more", ["", ", number integer primary key"])
def test_of_a_large_table_some_rows_are_read_and_that_is_said(ad, tmp_path, more):
    frame = (
        sites(20_000)
        .with_row_index()
        .with_columns(
            area=pl.when(pl.col("index") == 12_345).then(pl.lit(9e9)).otherwise(pl.col("area").cast(pl.Float64))
        )
    )
    url = database(tmp_path, frame.drop("index"), more.replace("number", '"number"'))
    ran = ad(*PATTERN, "--url", url, "--table", "sites", "--rows", "1000", "--columns", "area,city", "--json").json
    assert ran["of_rows"] == 20_000
    assert 900 <= ran["rows"] <= 1010
    assert f"of 20,000 rows (64 ranges of {'number' if more else 'rowid'}" in ran["notes"][0]
    assert any(example["value"] == "9000000000.0" for one in ran["findings"] for example in one["examples"])
    view = ad(*PATTERN, "--url", url, "--table", "shown", "--rows", "1000", "--json").json
    assert "no key to spread them by" in view["notes"][0]


def test_a_database_against_remembered_runs(ad, tmp_path):
    folder = tmp_path / "runs"
    for name, frame in (("a", sites(3000, seed=1)), ("b", sites(3000, seed=2)), ("c", odd())):
        place = tmp_path / name
        place.mkdir()
        url = database(place, frame)
        ran = ad(
            *PATTERN, "--url", url, "--table", "sites", "--rows", "900", "--history", folder, "--remember", "--json"
        )
        assert (("phone", "new shape") in kinds(ran)) == (name == "c")


def test_columns_that_hold_several_types_or_nothing(ad, tmp_path):
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("create table odd (at timestamp, n integer, empty real, raw blob)")
        rows = [("2026-01-05" if n % 2 else "soon", "many" if n == 3 else n, None, b"\x00\xff") for n in range(50)]
        made.executemany("insert into odd values (?, ?, ?, ?)", rows)
        made.commit()
    ran = ad(*PATTERN, "--url", f"sqlite:///{path}", "--table", "odd", "--json")
    assert (ran.code, ran.json["rows"]) == (0, 50)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{file}", "--remember"), "--history FOLDER"),
        (("{file}", "--remember", "--history", "{file}"), "--history FOLDER"),
        (("{file}", "--history", "nowhere"), "no file or folder 'nowhere'"),
        (("{file}", "--history", "{empty}"), "remembers no earlier run"),
        (("{empty}",), "no data files"),
        ((), "--url"),
        (("nowhere.csv",), "no file or directory 'nowhere.csv'"),
        (("{file}", "--url", "sqlite:///x.db", "--table", "t"), "one of them"),
        (("--url", "sqlite:///x.db"), "Give both"),
        (("--url", "sqlite:///x.db", "--table", "t", "--cell-scores", "s.csv"), "Export it first"),
        (("{file}", "--now", "soon"), "'soon' is no time"),
        (("{file}", "--method", "autoencodr"), "Did you mean 'autoencoder'"),
        (("{file}", "--method", "autoencoder", "--history", "{file}"), "has earlier ones"),
    ],
)
def test_bad_usage_is_refused(refused, tmp_path, arguments, words):
    empty = tmp_path / "empty"
    empty.mkdir()
    path = saved(tmp_path / "sites.csv", sites())
    assert words in refused(*PATTERN, *[str(one).format(file=path, empty=empty) for one in arguments])


def test_a_profile_that_is_none_is_named(refused, tmp_path):
    path, folder = saved(tmp_path / "sites.csv", sites()), tmp_path / "runs"
    folder.mkdir()
    (folder / "a.pattern.json").write_text('{"version": 9}')
    assert "a.pattern.json" in refused(*PATTERN, path, "--history", folder)
