"""Odd and broken time series through the command line: each a stated behaviour, and never a traceback."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

RUN = ("detection", "run", "--data")
START = datetime(2024, 3, 1)


def values(n=400, seed=0):
    return 40.0 + np.random.default_rng(seed).normal(0.0, 1.0, n)


def spaced(n=400, step=timedelta(hours=1), start=START):
    return [start + i * step for i in range(n)]


def table(n=400, spike=None, **columns):
    found = values(n)
    if spike is not None:
        found[spike] = 93.0
    return pl.DataFrame({"at": spaced(n), "cpu": found, **columns})


@pytest.fixture(params=["csv", "parquet"])
def judged(request, ad, tmp_path):
    """Judge a table from a file; the verdicts, and what was said in one line."""

    def call(frame, *options):
        path, out = tmp_path / f"in.{request.param}", tmp_path / "out.jsonl"
        (frame.write_parquet if request.param == "parquet" else frame.write_csv)(path)
        as_series = () if "--algorithm" in options else ("--algorithm", "ewma")
        ran = ad(*RUN, path, "--timestamp", "at", "--contamination", "0.01", "-o", out, *as_series, *options)
        assert ran.code == 0, ran.err
        assert "Traceback" not in ran.err
        found = pl.DataFrame([json.loads(line) for line in out.read_text().splitlines()], infer_schema_length=None)
        assert found["row"].to_list() == list(range(len(frame)))
        assert found["score"].is_finite().all()
        return found, " ".join(ran.err.split())

    return call


@pytest.fixture
def told(refused, tmp_path):
    """What is said of a table that is refused."""

    def call(frame, *options):
        frame.write_csv(tmp_path / "in.csv")
        return " ".join(refused(*RUN, tmp_path / "in.csv", "--timestamp", "at", *options).split())

    return call


def test_rows_out_of_order_get_the_verdicts_they_would_get_in_order(judged):
    frame = table(spike=300)
    order = np.random.default_rng(1).permutation(400)
    straight, _ = judged(frame)
    found, said = judged(frame[order])
    assert "the rows are not in order" in said
    assert found["p_value"].to_list() == straight["p_value"][order].to_list()


def test_rows_at_the_same_time_are_each_judged(judged):
    frame = table()
    twice = pl.concat([frame[:300], frame[299:300].with_columns(cpu=93.0), frame[300:]])
    found, said = judged(twice)
    assert "1 row at the time of another; each is judged, in the order of the file" in said
    assert found["score"].arg_max() == 300


def test_rows_all_at_once_count_one_after_the_other(judged):
    found, said = judged(table(spike=300).with_columns(at=pl.lit(START)), "--algorithm", "ewma")
    assert "400 rows, all at the same time" in said
    assert found["score"].arg_max() == 300


def test_rows_in_the_future_are_noted_and_judged(judged):
    late = pl.DataFrame({"at": [datetime(2199, 1, 1)], "cpu": [93.0]})
    found, said = judged(pl.concat([table(), late]))
    assert "1 row in the future, the latest at 2199-01-01 00:00 UTC; judged like the others" in said
    assert found["score"].arg_max() == 400


def test_rows_without_a_time_take_that_of_the_row_before(judged):
    frame = table(spike=300).with_columns(at=pl.when(pl.int_range(400) % 50 == 3).then(None).otherwise(pl.col("at")))
    found, said = judged(frame)
    assert "8 rows without a time take that of the row before" in said
    assert found["score"].arg_max() == 300


@pytest.mark.parametrize("n", [1, 2, 7])
def test_too_few_rows_say_how_many_more_it_takes(told, n):
    assert f"Give {8 - n} more" in told(table(n), "--algorithm", "ewma")


def test_eight_rows_are_judged(judged):
    found, _ = judged(table(8))
    assert not found["is_anomaly"].any()


def test_all_equal_is_normal_and_what_differs_is_not(judged):
    flat = table().with_columns(cpu=pl.lit(5.0))
    found, said = judged(flat)
    assert "constant: cpu" in said
    assert not found["is_anomaly"].any()
    other = flat.with_columns(cpu=pl.Series([5.0] * 300 + [6.0] + [5.0] * 99))
    assert judged(other)[0]["score"].arg_max() == 300


def test_all_missing_is_refused_and_a_channel_without_values_set_aside(told, judged):
    empty = pl.Series([None] * 400, dtype=pl.Float64)
    assert "'cpu' (empty: every value is missing)" in told(table().with_columns(cpu=empty), "--algorithm", "ewma")
    found, said = judged(table(spike=300, memory=empty))
    assert "set aside: memory (empty: every value is missing)" in said
    assert found["score"].arg_max() == 300


def test_values_missing_at_the_start_are_waited_for(judged, told):
    late = table(spike=300).with_columns(cpu=pl.when(pl.int_range(400) < 150).then(None).otherwise(pl.col("cpu")))
    found, _ = judged(late)
    assert found["score"].arg_max() == 300
    assert set(found["p_value"][:150]) == {1.0}
    few = late.with_columns(cpu=pl.when(pl.int_range(400) < 395).then(None).otherwise(pl.col("cpu")))
    assert "at least 8 values in a row; the longest here has 5 rows with a value" in told(few, "--algorithm", "ewma")


def test_a_single_season_is_a_series_without_one(judged):
    frame = table(24).with_columns(cpu=pl.Series(40 + 5 * np.sin(np.arange(24) * np.pi / 12)))
    _, said = judged(frame)
    assert "seasons: none found" in said


def test_mixed_zones_are_one_clock(judged):
    times = [START.replace(tzinfo=UTC) + timedelta(hours=i) for i in range(400)]
    mixed = [
        (time + timedelta(hours=2 * (i % 2))).strftime("%Y-%m-%dT%H:%M:%S") + ("+02:00" if i % 2 else "Z")
        for i, time in enumerate(times)
    ]
    expected, _ = judged(table(spike=300))
    found, said = judged(table(spike=300).with_columns(at=pl.Series(mixed)))
    assert "not in order" not in said
    assert "hourly, regular" in said
    assert found["p_value"].to_list() == expected["p_value"].to_list()


@pytest.mark.parametrize("day", [date(2024, 10, 20), date(2024, 3, 24)])
def test_days_of_23_and_25_hours_are_regular(judged, day):
    start, end = datetime(day.year, day.month, day.day), datetime(day.year, day.month, day.day) + timedelta(days=16)
    at = pl.datetime_range(start, end, "1h", time_zone="Europe/Berlin", eager=True)
    found, said = judged(pl.DataFrame({"at": at, "cpu": values(len(at))}), "--zone", "Europe/Berlin")
    assert "hourly, regular" in said
    assert "not in order" not in said
    assert len(found) == len(at)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (spaced(120, timedelta(milliseconds=1)), "every 0.001 seconds, regular"),
        ([date(2000 + i // 12, 1 + i % 12, 1) for i in range(120)], "monthly, regular"),
        ([date(1900 + i, 1, 1) for i in range(120)], "yearly, regular"),
        (list(range(120)), "row by row, regular"),
        ([1_700_000_000 + 60 * i for i in range(120)], "every minute, regular"),
    ],
    ids=["1 ms", "1 month", "1 year", "row numbers", "seconds"],
)
def test_any_frequency_is_told_and_judged(judged, times, words):
    frame = table(120, spike=90).with_columns(at=pl.Series(times))
    found, said = judged(frame)
    assert words in said
    assert found["score"].arg_max() == 90


def test_gaps_are_told_and_do_no_harm(judged):
    frame = table(500, spike=400)
    found, said = judged(pl.concat([frame[:100], frame[250:300], frame[350:]]))
    assert "hourly, regular, 2 gaps" in said
    assert found["score"].arg_max() == 200


def test_wide_and_long_tables_have_the_same_anomaly(judged):
    wide = table(200, memory=values(200, 1)).with_columns(memory=pl.Series(values(200, 1)).scatter(150, -20.0))
    found, _ = judged(wide)
    assert found["score"].arg_max() == 150
    assert found["reason"][150].startswith("memory -20 is below the expected")
    long = wide.unpivot(index="at", variable_name="metric")
    found, _ = judged(long, "--key", "metric", "--columns", "value")
    assert found["p_value"][350] == found["p_value"].min()
    assert found["reason"][350].startswith("value -20 is below the expected")
    assert found["key"][350] == "memory"


def test_a_counter_that_starts_again_is_no_anomaly_and_a_jump_is(judged):
    added = np.abs(np.random.default_rng(0).normal(10.0, 1.0, 400))
    added[300] = 90.0
    counter = np.cumsum(added)
    counter[200:] -= counter[199]
    found, said = judged(table().with_columns(cpu=pl.Series(counter)), "--algorithm", "ewma")
    assert "counters, judged by their differences: cpu" in said
    assert found["score"].arg_max() == 300
    assert not found["is_anomaly"][200]
    assert found["reason"][300].startswith("cpu added 90 is above the expected")


def test_negative_and_huge_values_are_judged(judged):
    for factor in (-1.0, 1e300, 1e-300):
        found, _ = judged(table(spike=300).with_columns(pl.col("cpu") * factor))
        assert found["score"].arg_max() == 300


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"at": pl.lit("soon")}, "must hold a date in every row; row 0 holds 'soon'"),
        ({"at": pl.lit(None, dtype=pl.String)}, "is to say when each row was, and it is empty"),
        ({"at": pl.col("at").dt.time()}, "holds times of day without a date; a series needs both"),
        ({"cpu": pl.lit("load ") + pl.col("cpu").cast(pl.String)}, "'cpu' (holds String values, not numbers)"),
        (
            {"cpu": pl.when(pl.int_range(400) == 7).then(float("inf")).otherwise(pl.col("cpu"))},
            "'cpu' holds 1 infinite value, the first in row 7",
        ),
    ],
    ids=["no dates", "no times", "times of day", "words", "infinite"],
)
def test_what_is_no_time_or_no_number_is_refused(told, change, said):
    assert said in told(table().with_columns(**change), "--algorithm", "ewma")


def test_no_rows_are_refused(told):
    assert "no records below it" in told(table()[:0], "--algorithm", "ewma")


def test_a_column_that_counts_rows_is_set_aside_unless_it_is_named(judged):
    frame = table(spike=300).select("at", pl.int_range(400).alias("id"), "cpu")
    _, said = judged(frame)
    assert "set aside: id (an identifier" in said
    assert "number: cpu" in said
    found, said = judged(frame, "--columns", "id,cpu")
    assert "number: id, cpu" in said
    found, said = judged(frame, "--columns", "id")
    assert "number: id" in said
    assert "set aside" not in said
    assert len(found) == 400


def test_training_on_labelled_rows_says_how_good_the_model_is(ad, tmp_path):
    odd = [50, 250, 330, 390]
    frame = table().with_columns(
        cpu=pl.Series(values()).scatter(odd, 93.0), odd=pl.Series(np.isin(np.arange(400), odd).astype(int))
    )
    frame[np.random.default_rng(0).permutation(400)].write_csv(tmp_path / "in.csv")
    train = ("models", "train", "--data", tmp_path / "in.csv", "--timestamp", "at", "--label", "odd", "--name", "cpu")
    train = (*train, "--algorithm", "ewma")
    found = ad(*train, "--contamination", "0.01", "--json")
    assert found.code == 0
    assert (found.json["evaluation"]["rows"], found.json["evaluation"]["anomalies"]) == (200, 3)
    assert found.json["evaluation"]["recall"] == 1.0
    assert found.json["metrics"]["auroc"] == 1.0
    frame[:9].write_csv(tmp_path / "in.csv")
    few = ad(*train, "--json")
    assert few.code == 0
    assert few.json["evaluation"] is None
    assert any("half of the rows are too few to learn from" in note for note in few.json["notes"])
