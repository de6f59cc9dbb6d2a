"""Columns against earlier runs: what is normal, what is found, and which rows and segments are named."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError, SchemaError
from anomaly_detection.quality import check_distribution, profile_table
from anomaly_detection.quality.distribution import benjamini_hochberg

REGIONS = ["eu", "us", "asia", "africa"]


def run(seed, rows=1500, drift=0.03):
    """One run of a table whose prices differ a little from run to run."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "price": rng.lognormal(3 + rng.normal(0, drift), 0.5, rows),
            "items": rng.poisson(4, rows),
            "region": rng.choice(REGIONS, rows, p=[0.4, 0.3, 0.2, 0.1]),
            "note": [None if one < 0.03 else f"id{one:.6f}" for one in rng.random(rows)],
            "amount": np.where(rng.random(rows) < 0.05, np.nan, rng.normal(100, 10, rows)),
        }
    )


def first(rows, then, column):
    """The column with another value in the first rows."""
    return pl.when(pl.int_range(pl.len()) < rows).then(then).otherwise(pl.col(column)).alias(column)


HISTORY = [profile_table(run(seed), segments=["region"]) for seed in range(12)]


def found(frame, history=HISTORY):
    return {(one.column, one.test) for one in check_distribution(frame, history).changes if one.is_anomaly}


@pytest.mark.parametrize("runs", [1, 3, 6, 12])
def test_normal_runs_are_normal(runs):
    assert sum(check_distribution(run(100 + seed), HISTORY[:runs]).is_anomaly for seed in range(20)) <= 2


@pytest.mark.parametrize("runs", [1, 12])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (pl.col("price") * 1.4, {("price", "mean"), ("price", "distribution")}),
        (first(300, pl.lit(None), "amount"), {("amount", "missing")}),
        (first(60, pl.lit("mars"), "region"), {("region", "new values")}),
        (pl.col("region").replace({"us": "eu"}), {("region", "lost values"), ("region", "distribution")}),
        (first(41, pl.lit(5000.0), "amount"), {("amount", "mean")}),
        ((pl.col("amount") - 100) * 3 + 100, {("amount", "distribution")}),
        (pl.lit("same").alias("note"), {("note", "distinct"), ("note", "missing")}),
    ],
)
def test_planted_changes_are_found(runs, change, expected):
    seen = found(run(99).with_columns(change), HISTORY[:runs])
    assert seen & expected
    assert {column for column, _ in seen} == {column for column, _ in expected}


def test_the_answer_is_the_promised_one():
    answer = check_distribution(run(99).with_columns(pl.col("price") * 2), HISTORY, table="orders").to_dict()
    assert list(answer)[:5] == ["is_anomaly", "severity", "confidence", "expected_range", "message"]
    assert answer["message"].startswith("orders differs from 12 earlier runs in 1 column ('price').")
    worst = answer["changes"][0]
    assert (worst["column"], worst["is_anomaly"]) == ("price", True)
    assert not worst["expected_range"][0] <= worst["now"] <= worst["expected_range"][1]


def test_rows_that_moved_a_mean_are_named():
    answer = check_distribution(run(99).with_columns(first(41, pl.lit(5000.0), "amount")), HISTORY)
    worst = next(one for one in answer.changes if one.test == "mean" and one.column == "amount")
    assert set(worst.rows) <= set(range(41))
    assert len(worst.rows) >= 38
    assert f"these {len(worst.rows)} rows of 1,500 rows moved it" in worst.message


@pytest.mark.parametrize("name", ["n", "count", "value", "group", "rows"])
def test_a_segment_may_have_any_name(name):
    now, before = (run(seed).rename({"region": name}) for seed in (99, 1))
    dear = pl.when(pl.col(name) == "us").then(pl.col("amount") + 40).otherwise(pl.col("amount")).alias("amount")
    answer = check_distribution(now.with_columns(dear), [before], segments=[name])
    assert f"comes from {name} = 'us'" in next(one for one in answer.changes if one.test == "mean").guilty


def test_the_guilty_segment_is_named():
    dear = pl.when(pl.col("region") == "us").then(pl.col("amount") + 40).otherwise(pl.col("amount")).alias("amount")
    answer = check_distribution(run(99).with_columns(dear), HISTORY, segments=["region"])
    worst = next(one for one in answer.changes if one.test == "mean")
    assert "comes from region = 'us'" in worst.guilty
    gone = pl.when(pl.col("region") == "asia").then(None).otherwise(pl.col("items")).alias("items")
    answer = check_distribution(run(99).with_columns(gone), HISTORY, segments=["region"])
    worst = next(one for one in answer.changes if one.test == "missing" and one.is_anomaly)
    assert "region = 'asia'" in worst.guilty


def test_large_tables_do_not_alarm_on_what_always_differs():
    rng = np.random.default_rng(5)
    runs = [pl.DataFrame({"price": rng.normal(100 + rng.normal(0, 0.5), 10, 200_000)}) for _ in range(12)]
    assert sum(check_distribution(one, runs[:10]).is_anomaly for one in runs[10:]) == 0
    assert check_distribution(runs[-1].with_columns(pl.col("price") + 4), runs[:10]).is_anomaly is True


def test_a_changed_schema():
    frame = run(99).drop("items").with_columns(pl.lit(1).alias("extra"), pl.col("price").cast(pl.String))
    kinds = {(one.column, one.test) for one in check_distribution(frame, HISTORY).changes if one.is_anomaly}
    assert kinds == {("items", "lost column"), ("extra", "added column"), ("price", "changed type")}


def test_empty_runs():
    assert check_distribution(run(1).head(0), HISTORY).severity == "critical"
    with pytest.raises(InputError, match="no earlier run with rows"):
        check_distribution(run(1), [run(2).head(0)])
    with pytest.raises(InputError, match="no earlier run"):
        check_distribution(run(1), [])


def test_what_is_out_of_range_is_refused():
    with pytest.raises(ParameterError, match="alpha"):
        check_distribution(run(1), HISTORY, alpha=2)
    with pytest.raises(SchemaError, match="'planet'"):
        check_distribution(run(1), HISTORY, segments=["planet"])


def test_few_runs_say_how_many_are_needed():
    assert "5 more" in check_distribution(run(1), HISTORY[:3]).notes[0]


def test_all_missing_and_all_equal_columns():
    frame = pl.DataFrame({"none": [None] * 50, "one": [1] * 50, "yes": [True] * 50, "list": [[1]] * 50})
    assert check_distribution(frame, [frame] * 5).is_anomaly is False
    changed = frame.with_columns(pl.lit(2).alias("one"), pl.lit(value=False).alias("yes"))
    assert {column for column, _ in found(changed, [profile_table(frame)] * 5)} == {"one", "yes"}


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values(p):
    p = np.array(p)
    adjusted = benjamini_hochberg(p)
    naive = [min([1.0, *(p[j] * len(p) / (p <= p[j]).sum() for j in range(len(p)) if p[j] >= one)]) for one in p]
    np.testing.assert_allclose(adjusted, naive)


@settings(max_examples=15)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), min_size=1, max_size=30))
def test_any_numbers_give_an_answer(values):
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64, strict=False)})
    answer = check_distribution(frame, [frame] * 3)
    assert answer.is_anomaly == (answer.severity != "normal")
