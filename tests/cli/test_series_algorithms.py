"""`detection run --timestamp … --algorithm NAME` for algorithms that judge time series, each on what it is for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

HOUR = np.timedelta64(1, "h")


def table(tmp_path, values, hours=None):
    hours = np.arange(len(values)) if hours is None else hours
    frame = pl.DataFrame({"at": np.datetime64("2024-03-01T00", "us") + hours * HOUR, "cpu": values})
    path = tmp_path / "in.parquet"
    frame.write_parquet(path)
    return path


def daily(n=900):
    return 40 + 5 * np.sin(np.arange(n) * np.pi / 12) + np.random.default_rng(0).normal(0, 0.5, n)


def results(ad, path, tmp_path, *options):
    out = tmp_path / "out.parquet"
    ran = ad(
        "detection",
        "run",
        "--data",
        path,
        "--timestamp",
        "at",
        "--columns",
        "cpu",
        "--train-rows",
        600,
        "-o",
        out,
        *options,
    )
    assert ran.code == 0, ran.err
    return pl.read_parquet(out)


@pytest.mark.parametrize(
    "algorithm",
    [("sub_pca",), ("sliding_window", "--param", "detector=lof"), ("window", "--param", "window=12")],
    ids=" ".join,
)
def test_windows_find_a_day_upside_down(ad, tmp_path, algorithm):
    values = daily()
    values[720:744] = 80 - values[720:744]
    found = results(ad, table(tmp_path, values), tmp_path, "--algorithm", *algorithm)
    assert 720 <= found["row"][found["score"].arg_max()] <= 768
    assert found.filter(pl.col("is_anomaly") & pl.col("row").is_between(720, 768)).height > 0


def test_spectral_residual_finds_a_value_at_the_wrong_time_of_day(ad, tmp_path):
    values = daily()
    values[750] -= 6
    found = results(ad, table(tmp_path, values), tmp_path, "--algorithm", "spectral-residual", "--direction", "drop")
    assert found["row"][found["p_value"].arg_min()] == 750


def test_gap_says_how_long_nothing_came(ad, tmp_path):
    hours = np.delete(np.arange(900), np.arange(700, 712))
    found = results(ad, table(tmp_path, daily(888), hours), tmp_path, "--algorithm", "gap")
    row = found.filter(pl.col("is_anomaly"))
    assert row["row"].to_list() == [700]
    assert row["reason"][0] == "cpu: no value for 13 steps; the longest pause so far was 1"


def test_gap_judges_one_file_among_itself(ad, tmp_path):
    hours = np.delete(np.arange(900), np.arange(700, 712))
    path = table(tmp_path, daily(888), hours)
    found = ad("detection", "run", "-d", path, "--timestamp", "at", "--columns", "cpu", "-a", "gap", "--json").json
    assert [one["row"] for one in found["anomalies"]] == [700]


def test_change_point_online_tells_a_new_level_once(ad, tmp_path):
    values = daily()
    values[720:] += 6
    found = results(ad, table(tmp_path, values), tmp_path, "--algorithm", "change_point_online")
    (row,) = found.filter(pl.col("is_anomaly"))["row"].to_list()
    assert 723 <= row <= 730
    assert found["reason"][row - 600].startswith("cpu changed its level from")


def test_a_change_in_the_training_rows_is_noted(ad, tmp_path):
    values = daily()
    values[400:] += 20
    ran = ad(
        "detection", "run", "-d", table(tmp_path, values), "--timestamp", "at", "--columns", "cpu", "--train-rows", 800
    )
    assert "changes: 1, the last one of the level at 2024-03-17 16:00:00: rows before it say little" in ran.err
