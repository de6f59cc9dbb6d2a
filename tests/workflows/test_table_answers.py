"""The checks as a service calls them: plain values in, JSON out, and errors that name what is wrong."""

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import AnomalyDetectionError, InputError, ParameterError, SchemaError
from anomaly_detection.quality import check_distribution, check_pattern
from anomaly_detection.workflows.table_answers import (
    judge_distribution,
    judge_pattern,
    judge_timeliness,
    judge_volume,
    learn_distribution,
    learn_pattern,
)

FIELDS = ["is_anomaly", "severity", "confidence", "expected_range", "message"]
DAYS = [str(date(2026, 1, 5) + timedelta(days=n)) for n in range(42)]
COUNTS = [1000 + 10 * (n % 3) - 500 * (n % 7 > 4) for n in range(42)]


def orders(seed, rows=200):
    rng = np.random.default_rng(seed)
    return {
        "code": [f"A-{number}" for number in rng.integers(10, 20, rows).tolist()],
        "price": rng.normal(10, 1, rows).round(2).tolist(),
        "region": rng.choice(["eu", "us"], rows).tolist(),
    }


RUNS = [orders(seed) for seed in range(8)]
ANSWERS = {
    "volume": lambda: judge_volume("orders", 400, COUNTS[:35]),
    "distribution": lambda: judge_distribution("orders", {**orders(9), "price": [20.0] * 200}, RUNS),
    "pattern": lambda: judge_pattern("orders", {**orders(9), "code": ["b7"] * 200}, RUNS),
    "timeliness": lambda: judge_timeliness("orders", DAYS, now="2026-02-20"),
}


@pytest.mark.parametrize("check", ANSWERS)
def test_all_checks_answer_alike_in_json(check):
    answer = ANSWERS[check]()
    assert list(answer)[:5] == FIELDS
    assert (answer["is_anomaly"], answer["severity"]) == (True, "critical")
    assert 0 <= answer["confidence"] <= 1
    low, high = answer["expected_range"]
    assert low <= high
    assert answer["message"].startswith("orders")
    assert json.loads(json.dumps(answer, allow_nan=False)) == json.loads(json.dumps(answer))


@pytest.mark.parametrize("name", ["date", "timestamp"])
def test_row_counts_come_as_numbers_dicts_or_pairs(name):
    dicts = [{name: day, "row_count": count} for day, count in zip(DAYS, COUNTS, strict=True)]
    pairs = [list(each) for each in zip(DAYS, COUNTS, strict=True)]
    assert judge_volume("t", 1005, dicts) == judge_volume("t", 1005, pairs) == judge_volume("t", 1005, dicts[::-1])
    assert judge_volume("t", 1005, dicts, timestamp="2026-02-16")["is_anomaly"] is False
    assert judge_volume("t", 505, COUNTS)["is_anomaly"] is True


def test_few_runs_give_usable_bounds_and_say_how_many_more_help():
    answer = judge_volume("t", 1000, [1000, 1010, 990])
    assert 0 < answer["expected_range"][0] < 1000 < answer["expected_range"][1] < 5000
    assert "25 more" in answer["notes"][0]
    assert "7 more" in judge_distribution("t", orders(1), [orders(2)])["notes"][0]
    assert "12 more" in judge_timeliness("t", DAYS[:2])["notes"][0]
    assert judge_timeliness("t", DAYS[:2], now="2026-01-07")["is_anomaly"] is False


def test_holidays_direction_and_least_change():
    assert judge_volume("t", 500, [1000, 1010] * 20, direction="rise")["is_anomaly"] is False
    assert judge_volume("t", 900, [1000, 1001] * 20, minimum_relative=0.2)["is_anomaly"] is False
    closed = ["2026-01-13", "2026-01-22", "2026-01-28", "2026-02-05"]
    dicts = [{"date": day, "row_count": 100 if day in closed else 1000} for day in DAYS]
    assert judge_volume("t", 100, dicts, holidays=[*closed, "2026-02-16"])["is_anomaly"] is False
    assert judge_volume("t", 100, dicts, holidays=closed)["is_anomaly"] is True


def test_tables_come_as_rows_columns_or_frames():
    columns = orders(9)
    frame = pl.DataFrame(columns)
    answers = [judge_distribution("t", one, RUNS) for one in (columns, frame.to_dicts(), frame)]
    assert answers[0] == answers[1] == answers[2]
    assert judge_distribution("t", columns, RUNS[0]) == judge_distribution(
        "t", columns, pl.DataFrame(RUNS[0]).to_dicts()
    )
    assert judge_pattern("t", columns) == judge_pattern("t", frame.to_dicts(), [])


def test_profiles_stand_for_the_tables_they_are_of():
    now = {**orders(9), "price": [11.0] * 200}
    kept = json.loads(json.dumps([learn_distribution(one, segments=["region"]) for one in RUNS]))
    assert judge_distribution("t", now, kept, segments=["region"]) == judge_distribution(
        "t", now, RUNS, segments=["region"]
    )
    by_profile = judge_distribution("t", learn_distribution(now), kept)
    assert by_profile["is_anomaly"] is True
    profile = None
    for n, one in enumerate(RUNS):
        learned = learn_pattern([one] if profile is None else [profile, one], timestamp=DAYS[n])
        profile = json.loads(json.dumps(learned))
    odd = {**now, "code": ["x"] * 200}
    assert judge_pattern("t", odd, profile) == judge_pattern("t", odd, RUNS)
    assert judge_pattern("t", odd, profile)["message"].startswith("t: ")


def test_the_answers_are_those_of_the_checks():
    now, past = orders(9), [pl.DataFrame(one) for one in RUNS]
    assert judge_distribution("t", now, RUNS) == check_distribution(pl.DataFrame(now), past, table="t").to_dict()
    assert judge_pattern("t", now, RUNS)["findings"] == check_pattern(pl.DataFrame(now), past).to_dict()["findings"]


def test_scores_of_cells_have_the_shape_of_the_table():
    rows = {**orders(9), "code": [*orders(9)["code"][:-1], "A-1x"]}
    scores = judge_pattern("t", rows, cell_scores=True)["cell_scores"]
    assert {name: len(column) for name, column in scores.items()} == dict.fromkeys(rows, 200)
    assert np.argmax(scores["code"]) == 199


def test_a_schema_that_changed_and_an_empty_run():
    now = {"code": orders(9)["code"], "price": ["a lot"] * 200, "new": [1] * 200}
    changes = {
        (one["column"], one["test"]) for one in judge_distribution("t", now, RUNS)["changes"] if one["is_anomaly"]
    }
    assert {("region", "lost column"), ("new", "added column"), ("price", "changed type")} <= changes
    kinds = {(one["column"], one["kind"]) for one in judge_pattern("t", now, RUNS)["findings"]}
    assert {("region", "lost column"), ("new", "added column"), ("price", "changed type")} <= kinds
    assert "is empty" in judge_distribution("t", [], RUNS)["message"]
    assert judge_volume("t", 0, COUNTS)["message"].startswith("t is empty")
    assert judge_pattern("t", [], RUNS)["is_anomaly"] is False


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: judge_volume("t", -1, [1, 2]), InputError, "-1 is no row count"),
        (lambda: judge_volume("t", 1, []), InputError, "at least 3 row counts"),
        (lambda: judge_volume("t", 1, [1, -2, 3]), InputError, "-2 is no row count"),
        (lambda: judge_volume("t", 1, ["many"]), InputError, "many"),
        (lambda: judge_volume("t", 1, [1, 2], holidays=["soon"]), ParameterError, "'soon' is no day"),
        (lambda: judge_volume("t", 1, [1, 2], zone="Moon/Base"), ParameterError, "Moon/Base"),
        (lambda: judge_volume("t", 1, [{"a": 1, "b": 2, "c": 3}]), SchemaError, "row_count"),
        (lambda: judge_distribution("t", orders(1), []), InputError, "no earlier run"),
        (lambda: judge_distribution("t", 5, RUNS), SchemaError, "int"),
        (lambda: judge_distribution("t", orders(1), [{"version": 9, "columns": {}}]), InputError, "version"),
        (lambda: judge_distribution("t", orders(1), RUNS, segments=["planet"]), SchemaError, "planet"),
        (lambda: judge_distribution("t", {"a": [1], "b": [1, 2]}, RUNS), SchemaError, "b"),
        (lambda: judge_pattern("t", orders(1), {"version": 9, "columns": {}}), InputError, "version"),
        (lambda: judge_pattern("t", orders(1), key=["planet"]), SchemaError, "planet"),
        (lambda: judge_pattern("t", orders(1), tolerance=2), ParameterError, "tolerance"),
        (lambda: judge_timeliness("t", ["2026-01-01"]), InputError, "at least 2"),
        (lambda: judge_timeliness("t", ["soon", "later"]), AnomalyDetectionError, "soon"),
        (lambda: judge_timeliness("t", DAYS, alpha=3), ParameterError, "alpha"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
tables = st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), max_size=8)


@given(tables, tables)
@settings(max_examples=60, deadline=None)
def test_any_rows_give_json_or_an_error_of_ours(now, before):
    for judge in (judge_distribution, judge_pattern):
        try:
            answer = judge("t", now, [before])
        except AnomalyDetectionError:
            continue
        assert json.loads(json.dumps(answer, allow_nan=False))["severity"]
