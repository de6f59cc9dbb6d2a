"""``forecast`` on files, as people and machines use it."""

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

START = dt.datetime(2026, 1, 1)


@pytest.fixture
def file(tmp_path):
    rows = np.arange(400)
    values = 40 + 0.05 * rows + 10 * np.sin(rows * np.pi / 12) + np.random.default_rng(0).normal(size=400)
    frame = pl.DataFrame({"time": [START + dt.timedelta(hours=int(i)) for i in rows], "load": values})
    path = tmp_path / "load.csv"
    pl.concat([frame.with_columns(host=pl.lit(name)) for name in "ab"]).write_csv(path)
    return path


def test_a_table_a_line_and_a_sentence(ad, file):
    found = ad("forecast", "--data", file, "--timestamp", "time", "--key", "host", "--horizon", "3d", "--limit", "65")
    assert found.code == 0
    assert "load of a" in found.out
    assert "95 % between" in found.out
    assert any(block in found.out for block in "▁▂▃▄▅▆▇█")
    assert "load of a will be above 65 at 2026-01-1" in " ".join(found.out.split())


@pytest.mark.parametrize("name", ["out.csv", "out.json", "out.jsonl", "out.parquet"])
def test_all_rows_are_written(ad, file, tmp_path, name):
    target = tmp_path / name
    found = ad(
        "forecast", "--data", file, "--timestamp", "time", "--key", "host", "--horizon", "24", "-a", "fourier",
        "--columns", "load", "--output", target,
    )  # fmt: skip
    assert found.code == 0, found.err
    if name == "out.json":
        document = json.loads(target.read_text())
        assert document["made"]["algorithm"]["name"] == "fourier"
        assert len(document["results"]) == 48
    else:
        read = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}[name.split(".")[1]]
        frame = read(target)
        assert frame.columns == ["key", "column", "time", "expected", "lower", "upper"]
        assert frame.height == 48


def test_json_for_a_machine(ad, file):
    found = ad(
        "forecast", "--data", file, "--timestamp", "time", "--key", "host", "--horizon", "5", "--model-name", "ets",
        "--limit", "90", "--direction", "rise", "--json",
    )  # fmt: skip
    document = json.loads(found.out)
    assert document["algorithm"] == "ets"
    assert [one["key"] for one in document["series"]] == ["a", "b"]
    first = document["series"][0]
    assert set(first["forecast"][0]) == {"time", "expected", "lower", "upper", "probability"}
    assert first["crossing"]["limit"] == 90.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--horizon", "soon"], "90min, 12h, 7d or 2w"),
        (["--horizon", "3", "--algorithm", "furier"], "fourier"),
        (["--horizon", "3", "--direction", "rise"], "Give a limit"),
        (["--horizon", "3", "--output", "/no/such/folder/x.csv"], "folder"),
        (["--horizon", "3", "--columns", "lod"], "load"),
    ],
)
def test_bad_wishes_say_what_to_do(ad, file, words, said):
    found = ad("forecast", "--data", file, "--timestamp", "time", "--key", "host", *words)
    assert found.code == 2
    assert said in found.err


def test_too_little_history_says_how_much_is_needed(ad, tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("time,load\n2026-01-01,5\n")
    found = ad("forecast", "--data", path, "--timestamp", "time", "--horizon", "3")
    assert found.code == 2
    assert "at least 2 values" in found.err
    assert "Give 1 more" in found.err
