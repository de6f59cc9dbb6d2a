"""`--budget` of `detection run` and `models train`."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def load(tmp_path):
    """Half-hourly rows; the noise of the later ones is three times that of those learned from."""
    n = 4000
    values = 10 + np.random.default_rng(0).normal(size=n) * np.where(np.arange(n) < 1000, 1, 3)
    at = [datetime(2025, 1, 1) + timedelta(minutes=30 * i) for i in range(n)]
    path = tmp_path / "load.parquet"
    pl.DataFrame({"at": at, "load": values}).write_parquet(path)
    return path


def runs(flags):
    return int(np.count_nonzero(np.diff(flags.to_numpy().astype(int), prepend=0) == 1))


def test_a_budget_holds_in_a_file_and_with_a_registered_model(ad, load, tmp_path):
    budget = ("--timestamp", "at", "--columns", "load", "--budget", "10/week")
    out = tmp_path / "out.parquet"
    assert ad("detection", "run", "--data", load, *budget, "--train-rows", 1000, "--output", out).code == 0
    found = pl.read_parquet(out)
    assert 0.8 <= runs(found["is_anomaly"]) / (10 * 3000 / 336) <= 1.2
    first, rest = tmp_path / "first.parquet", tmp_path / "rest.parquet"
    pl.read_parquet(load)[:1000].write_parquet(first)
    pl.read_parquet(load)[1000:].write_parquet(rest)
    assert ad("models", "train", "--data", first, *budget, "--name", "load").code == 0
    again = tmp_path / "again.parquet"
    assert ad("detection", "run", "--data", rest, "--model", "load", "--output", again).code == 0
    assert pl.read_parquet(again)["p_value"].to_list() == found["p_value"].to_list()


def test_a_share_of_rows(ad, load, tmp_path):
    out = tmp_path / "out.parquet"
    asked = ("--timestamp", "at", "--columns", "load", "--budget", "0.01", "--train-rows", 1000)
    assert ad("detection", "run", "--data", load, *asked, "--output", out).code == 0
    assert 0.8 <= pl.read_parquet(out)["is_anomaly"].mean() / 0.01 <= 1.2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--budget", "0"), "budget='0' would leave no alarm at all"),
        (("--budget", "a few"), "'a few' is no number. Write a number of alarms and a time, 5/week"),
        (("--budget", "5/week", "--contamination", "0.01"), "both set the alarm line"),
        (("--budget", "5/week", "--algorithm", "knn"), "--budget is about time series, and knn is not"),
    ],
)
def test_nonsense_is_refused(refused, load, more, said):
    assert said in refused("detection", "run", "--data", load, "--timestamp", "at", *more)


def test_a_budget_needs_a_time(refused, load):
    assert "Name the column of time" in refused("detection", "run", "--data", load, "--budget", "5/week")
