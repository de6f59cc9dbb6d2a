"""`detection run` on change points, and measures that know of time."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

RUN = ("detection", "run", "--timestamp", "day", "--algorithm", "change_point", "--data")


@pytest.fixture
def found(ad, tmp_path):
    """Writes columns to a file, looks for change points, and returns the verdicts."""

    def call(columns, *options):
        path, out = tmp_path / "rows.csv", tmp_path / "out.parquet"
        pl.DataFrame(columns).write_csv(path)
        assert ad(*RUN, path, "-o", out, *options).code == 0
        return pl.read_parquet(out)

    return call


def days(n):
    return [datetime(2024, 1, 1) + timedelta(days=i) for i in range(n)]


def test_first_rows_are_flagged_with_what_changed(found):
    values = np.random.default_rng(0).normal(size=(300, 2))
    values[100:, 1] += 6.0
    values[200:, 0] -= 6.0
    columns = {"day": days(300), "load": values[:, 0], "errors": values[:, 1]}
    out = found(columns, "--columns", "load,errors")
    assert out.filter("is_anomaly")["row"].to_list() == [100, 200]
    assert out["reason"][100].startswith("errors changes its level from")
    assert found(columns, "--columns", "load,errors", "--contamination", "0.001")["is_anomaly"].sum() == 2


def test_a_rising_column_is_taken_as_it_is(found):
    total = np.cumsum(np.repeat([1, 5], 100)) + np.arange(200) % 2
    out = found({"day": range(200), "total": total}, "--columns", "total")
    (row,) = out.filter("is_anomaly")["row"].to_list()
    assert abs(row - 100) <= 2
    assert "slope" in out["reason"][row]


def test_every_key_is_cut_by_itself_however_short(found):
    values = np.random.default_rng(0).normal(size=120) + 6.0 * (np.arange(120) % 40 >= 25)
    columns = {"day": list(range(40)) * 3, "key": np.repeat(["a", "b", "c"], 40), "v": values}
    out = found(columns, "--columns", "v", "--key", "key")
    assert out.filter("is_anomaly")["row"].to_list() == [25, 65, 105]


def test_nothing_is_flagged_where_nothing_changes(found):
    out = found({"day": range(200), "v": np.random.default_rng(0).normal(size=200)}, "--columns", "v")
    assert out["is_anomaly"].sum() == 0


def test_a_label_is_also_held_against_events(ad, tmp_path):
    values = 10 + np.random.default_rng(0).normal(size=600)
    values[500:505] = 40.0
    frame = pl.DataFrame({"day": days(600), "v": values, "bad": (np.arange(600) // 5 == 100).astype(int)})
    frame.sample(fraction=1.0, shuffle=True, seed=1).write_parquet(tmp_path / "in.parquet")
    options = ("--timestamp", "day", "--columns", "v", "--label", "bad", "--json")
    series = ad("detection", "run", "--data", tmp_path / "in.parquet", *options).json["evaluation"]["series"]
    assert (series["events"], series["event_recall"], series["mean_delay_seconds"]) == (1, 1.0, 0.0)
    shown = ad("detection", "run", "--data", tmp_path / "in.parquet", *options[:-1])
    assert "As a series (1 events)" in shown.out + shown.err
