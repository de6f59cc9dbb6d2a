"""Verdicts on log lines: what is odd is found, chunks do not matter, saved is the same, bad input is harmless."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, UnknownNameError
from anomaly_detection.features.logs import ServiceWindows
from anomaly_detection.logs import LogPipeline, LogResult
from anomaly_detection.logs.methods import WEIGHTS
from logs.traffic import BEGIN, frame_of, record, records, untidy

NORMAL = records(2_400)


@pytest.fixture(scope="module")
def fitted() -> LogPipeline:
    return LogPipeline(contamination=0.01).fit(frame_of(NORMAL))


@pytest.fixture(scope="module")
def untidy_one() -> LogPipeline:
    return LogPipeline(contamination=0.05).fit(frame_of(untidy(900)))


def fresh(pipeline: LogPipeline) -> LogPipeline:
    pipeline.forget()
    return pipeline


def same(one: LogResult, other: LogResult) -> bool:
    names = ("score", "p_value", "anomaly_score", "is_anomaly", "templates")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names) and all(
        np.array_equal(one.parts[name], other.parts[name]) for name in WEIGHTS
    )


def whole(parts: list[LogResult]) -> LogResult:
    names = ("score", "p_value", "anomaly_score", "is_anomaly", "severity_code", "confidence", "templates")
    joined: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
    of_methods = {name: np.concatenate([one.parts[name] for one in parts]) for name in WEIGHTS}
    return LogResult(**joined, alpha=parts[0].alpha, parts=of_methods)


def test_false_alarms_on_normal_lines_hold_alpha(fitted: LogPipeline) -> None:
    result = fresh(fitted).detect(frame_of(records(8_000, seed=5)))
    assert result.is_anomaly.mean() <= 0.02
    assert np.median(result.p_value) > 0.2


def test_the_first_lines_after_an_empty_memory_are_as_usual_as_the_others(fitted: LogPipeline) -> None:
    found = [fresh(fitted).detect(frame_of(records(40, seed, first=900 + seed))) for seed in range(30)]
    assert np.mean([one.is_anomaly for one in found]) <= 0.02
    for name in ("pca", "template_rate", "service_rate"):
        assert np.mean([one.parts[name] <= 0.01 for one in found]) <= 0.02, name


PLANTED = {
    "rare_templates": {"message": "kernel panic, not syncing"},
    "parameters": {"message": "reply sent with 700000000 bytes"},
    "sequences": {"message": "reply sent with 44 bytes"},
    "sliding_window": {"response_time": 90_000.0},
    "attributes": {"level": "CRITICAL"},
    "response_times": {"response_time": 400.0},
    "pca": {"level": "CRITICAL", "status_code": 503},
    "isolation_forest": {"level": "CRITICAL", "status_code": 503, "response_time": 90_000.0},
}


@pytest.mark.parametrize("method", PLANTED)
def test_each_method_finds_what_it_is_for(fitted: LogPipeline, method: str) -> None:
    lines = records(401, seed=6)
    lines[400] = record(np.random.default_rng(0), 400, **PLANTED[method])
    p_values = fresh(fitted).detect(frame_of(lines)).parts[method]
    assert p_values[400] < 0.01
    assert p_values[400] <= np.quantile(p_values[:400], 0.01)


def test_a_burst_of_a_template_has_an_odd_rate(fitted: LogPipeline) -> None:
    lines = records(400, seed=7)
    rng, start = np.random.default_rng(1), lines[-1]["time"]
    burst = [record(rng, 1, time=start + timedelta(milliseconds=i), session=f"b{i}") for i in range(6_000)]
    assert fresh(fitted).detect(frame_of(lines + burst)).parts["template_rate"][-1] < 0.01


def test_a_long_silence_is_told_by_the_line_that_ends_it(fitted: LogPipeline) -> None:
    lines = records(401, seed=8)
    lines[400]["time"] += timedelta(hours=2)
    assert fresh(fitted).detect(frame_of(lines)).parts["template_rate"][400] < 0.01


@pytest.mark.parametrize("change", [{"service": "auth-2"}, {"status_code": 418}, {"level": "WARN"}])
def test_an_attribute_that_its_template_never_had_is_odd(fitted: LogPipeline, change: dict[str, Any]) -> None:
    lines = records(401, seed=13)
    lines[400] |= change
    assert fresh(fitted).detect(frame_of(lines)).parts["attributes"][400] < 0.001


def test_answers_that_become_slower_are_told_by_their_service() -> None:
    rng = np.random.default_rng(5)
    lines = [{**line, "response_time": float(rng.gamma(4.0, 10.0))} for line in records(4_000)]
    pipeline = LogPipeline(contamination=0.01).fit(frame_of(lines[:3_000]))
    of_db = np.array([line["service"] == "db" for line in lines[3_000:]])
    slow = frame_of(lines[3_000:]).with_columns(pl.col("response_time") * (1 + of_db))
    p_values = pipeline.detect(slow).parts["response_times"]
    assert np.median(p_values[of_db]) < 0.02
    assert np.median(p_values[~of_db]) > 0.2


def test_a_surge_and_a_silence_of_a_service_are_unusual_traffic(fitted: LogPipeline) -> None:
    lines, rng = records(1_200, seed=14), np.random.default_rng(6)
    start = lines[-1]["time"]
    surge = [record(rng, i, time=start + timedelta(milliseconds=20 * i), service="db") for i in range(200)]
    parts = fresh(fitted).detect(frame_of(lines + surge)).parts
    assert (parts["service_rate"][-100:] < 0.01).all()
    late = record(rng, 0, time=start + timedelta(minutes=5))
    assert fresh(fitted).detect(frame_of([*lines, late])).parts["service_rate"][-1] < 0.001


def test_without_times_traffic_says_nothing() -> None:
    frame = frame_of(records(600)).drop("time")
    assert (LogPipeline(contamination=0.05).fit(frame).detect(frame).parts["service_rate"] == 1.0).all()


def test_an_odd_line_is_followed_by_odd_ones_only_where_lines_have_no_session(fitted: LogPipeline) -> None:
    lines = records(401, seed=15)
    lines[399] |= {"message": "kernel panic, not syncing", "service": "web", "session": "other"}
    bare = LogPipeline(contamination=0.01).fit(frame_of(NORMAL).drop("session"))
    plain, odd = frame_of(records(401, seed=15)), frame_of(lines)
    raised = bare.detect(odd.drop("session")).score[400] - fresh(bare).detect(plain.drop("session")).score[400]
    assert raised > 1.0
    assert abs(fresh(fitted).detect(odd).score[400] - fresh(fitted).detect(plain).score[400]) < 1.0


def test_numbers_far_beyond_those_of_training_are_odd_and_counters_are_not() -> None:
    rng = np.random.default_rng(3)
    texts = [f"job {i} done in {rng.integers(10, 90)} ms by worker {i % 3}" for i in range(1_500)]
    pipeline = LogPipeline(contamination=0.01).fit(pl.DataFrame({"message": texts[:1_200]}))
    p_values = pipeline.detect(pl.DataFrame({"message": texts[1_200:]})).parts["parameters"]
    assert np.median(p_values) > 0.05
    odd = ["job 1501 done in 90000 ms by worker 1", "job 1502 done in 50 ms by worker 12345"]
    assert (pipeline.detect(pl.DataFrame({"message": odd})).parts["parameters"] < 0.005).all()


@given(st.lists(st.integers(1, 89), max_size=5))
@settings(max_examples=12, deadline=None)
def test_any_chunks_of_the_same_lines_give_the_same_bits(untidy_one: LogPipeline, cuts: list[int]) -> None:
    frame = frame_of(untidy(90, seed=9))
    edges = [0, *sorted(set(cuts)), len(frame)]
    all_at_once = fresh(untidy_one).detect(frame)
    fresh(untidy_one)
    parts = [untidy_one.detect(frame[a:b]) for a, b in pairwise(edges)]
    assert same(all_at_once, whole(parts))


def test_one_by_one_is_the_same_bits_as_a_batch(untidy_one: LogPipeline) -> None:
    lines = untidy(300, seed=10)
    result = fresh(untidy_one).detect(frame_of(lines))
    fresh(untidy_one)
    verdicts = [untidy_one.detect_one(line) for line in lines]
    assert [one.score for one in verdicts] == result.score.tolist()
    assert [one.confidence for one in verdicts] == result.confidence.tolist()
    for name in WEIGHTS:
        assert [one.methods[name].p_value for one in verdicts] == result.parts[name].tolist()


@given(st.lists(st.integers(1, 299), max_size=8))
@settings(max_examples=12, deadline=None)
def test_a_few_dicts_at_once_are_the_same_bits(untidy_one: LogPipeline, cuts: list[int]) -> None:
    lines = untidy(300, seed=13)
    expected = fresh(untidy_one).detect(frame_of(lines))
    fresh(untidy_one)
    edges = [0, *sorted(set(cuts)), len(lines)]
    assert same(expected, whole([untidy_one.detect_records(lines[a:b]) for a, b in pairwise(edges)]))


@given(st.lists(st.integers(0, 300), max_size=30))
@settings(max_examples=10, deadline=None)
def test_few_verdicts_without_arrays_are_the_same_bits(untidy_one: LogPipeline, cuts: list[int]) -> None:
    lines = untidy(300, seed=13)
    expected = fresh(untidy_one).detect_records(lines)
    edges = sorted({0, len(lines), *cuts})
    pipeline = fresh(untidy_one)
    found = [one for a, b in pairwise(edges) for one in pipeline.detect_few(lines[a:b])]
    for name in ("score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence"):
        assert [getattr(verdict, name) for verdict, _ in found] == getattr(expected, name).tolist()
    assert [p_values for _, p_values in found] == np.column_stack(list(expected.parts.values())).tolist()


def test_a_saved_pipeline_goes_on_with_the_same_bits(untidy_one: LogPipeline) -> None:
    first, second = frame_of(untidy(400, seed=11)), frame_of(untidy(400, seed=12))
    fresh(untidy_one).detect(first)
    spec, arrays = untidy_one.state()
    again = LogPipeline.from_state(json.loads(json.dumps(spec)), arrays)
    assert same(again.detect(second), untidy_one.detect(second))
    assert again.stats("s1") == untidy_one.stats("s1")


def test_a_model_is_small(fitted: LogPipeline) -> None:
    spec, arrays = fresh(fitted).state()
    assert sum(array.nbytes for array in arrays.values()) + len(json.dumps(spec)) < 1_000_000


def test_damaged_models_are_refused(fitted: LogPipeline) -> None:
    spec, arrays = fresh(fitted).state()
    for name in arrays:
        damaged = {**arrays, name: arrays[name][..., None]}
        with pytest.raises((ArtifactError, InputError)):
            LogPipeline.from_state(spec, damaged)
    with pytest.raises(ArtifactError, match="alarm line"):
        LogPipeline.from_state({**spec, "alpha": 7.0}, arrays)
    with pytest.raises(ArtifactError, match="set aside"):
        LogPipeline.from_state({**spec, "set_aside": "few"}, arrays)
    with pytest.raises(ArtifactError, match="share"):
        LogPipeline.from_state(spec, {**arrays, "methods/combination/share": np.array(7.0)})
    for name in spec:
        with pytest.raises(ArtifactError, match="damaged"):
            LogPipeline.from_state({key: value for key, value in spec.items() if key != name}, arrays)
    with pytest.raises(ArtifactError, match="description"):
        LogPipeline.from_state({**spec, "logs": {"colour": "red"}}, arrays)


def test_the_verdict_has_the_shape_of_the_contract(fitted: LogPipeline) -> None:
    fresh(fitted).detect(frame_of(NORMAL[:100]))
    told = fitted.detect_one(
        {"service": "web", "level": "ERROR", "message": "boom", "response_time": 9_000.0}
    ).to_dict()
    assert json.loads(json.dumps(told))["is_anomaly"] is True
    window = told["methods"]["sliding_window"]
    assert set(window["metrics"]) == {"error_rate", "latency_zscore", "total_logs"}
    assert {"anomaly_score", "is_anomaly", "method"} == set(told["methods"]["isolation_forest"])
    assert window["metrics"]["latency_zscore"] > 5


def test_stats_are_those_of_the_window(fitted: LogPipeline) -> None:
    fresh(fitted)
    assert fitted.stats("web")["total_logs"] == 0
    lines = [record(np.random.default_rng(0), i, service="web", time=BEGIN + timedelta(minutes=i)) for i in range(8)]
    values = [10.0, 20.0, 30.0, 40.0, None, float("nan"), -5.0, 80.0]
    lines = [{**line, "response_time": value} for line, value in zip(lines, values, strict=True)]
    lines[7]["level"] = "ERROR"
    fitted.detect(frame_of(lines))
    assert fitted.stats("web") == {
        "service": "web",
        "window_minutes": 5.0,
        "total_logs": 5,
        "error_count": 1,
        "error_rate": 0.2,
        "avg_latency": 60.0,
        "max_latency": 80.0,
        "min_latency": 40.0,
    }


def test_stats_of_a_service_nobody_knows_name_the_nearest(fitted: LogPipeline) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'web'") as told:
        fresh(fitted).stats("wep")
    assert set(told.value.known) == {"web", "db", "auth"}
    fitted.detect_one({"service": "wep", "message": "here I am"})
    assert fitted.stats("wep")["total_logs"] == 1
    assert fitted.stats(None)["total_logs"] == 0
    again = LogPipeline.from_state(*fitted.state())
    assert [again.stats(name)["total_logs"] for name in ("web", "wep")] == [0, 1]


def test_many_services_and_sessions_do_not_grow_the_memory(fitted: LogPipeline) -> None:
    fresh(fitted).detect(frame_of(NORMAL[:50]))
    lines = [record(np.random.default_rng(0), 0, service=f"x{i}", session=f"y{i}") for i in range(3_000)]
    fitted.detect(frame_of(lines))
    windows = fitted.state()[1]["intake/windows/names"]
    assert len(windows) == ServiceWindows().most_services
    assert sum(array.nbytes for array in fitted.state()[1].values()) < 2_000_000
    with pytest.raises(UnknownNameError):
        fitted.stats("x0")
    assert fitted.stats("x2999")["total_logs"] == 1


ODD_FRAMES = {
    "only messages": pl.DataFrame({"message": ["up", "down 5", "up"] * 20}),
    "no columns that are known": pl.DataFrame({"x": list(range(60))}),
    "nothing in them": pl.DataFrame(
        {"message": [None] * 60, "level": [None] * 60}, schema_overrides={"message": pl.String}
    ),
    "random text": pl.DataFrame({"message": [f"{i * 7919 % 10007:x} {i * 104729 % 9973:x}" for i in range(600)]}),
    "one message": pl.DataFrame({"message": ["same"] * 60}),
    "empty messages": pl.DataFrame({"message": [""] * 60}),
    "eight lines": frame_of(records(8)),
    "NUL and invalid text": pl.DataFrame({"message": ["a\x00b", "\ufffd", "é" * 3_000] * 20}),
}


@pytest.mark.parametrize("name", ODD_FRAMES)
def test_odd_logs_have_verdicts(name: str) -> None:
    frame = ODD_FRAMES[name]
    pipeline = LogPipeline(contamination=0.1).fit(frame)
    result = pipeline.detect(frame)
    assert len(result) == len(frame)
    assert np.isfinite(result.score).all()
    assert ((result.p_value > 0) & (result.p_value <= 1)).all()


def test_an_empty_frame_has_an_empty_result(fitted: LogPipeline) -> None:
    result = fitted.detect(frame_of([]))
    assert len(result) == 0
    assert result.to_polars().height == 0


def test_a_clock_that_goes_back_stands_still(fitted: LogPipeline) -> None:
    lines = [{**line, "time": BEGIN + timedelta(hours=1)} for line in records(40)]
    fresh(fitted).detect(frame_of(lines))
    result = fitted.detect(frame_of(records(40, seed=4)))
    assert result.parts["template_rate"].min() > 0
    assert fitted.stats("web")["total_logs"] > 20


@pytest.mark.parametrize(
    "line",
    [{"time": "yesterday"}, {"message": 5}, {"response_time": "slow"}, {"service": 7}, {"session": 3.5}],
)
def test_records_of_other_types_are_refused(fitted: LogPipeline, line: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="A log line has"):
        fitted.detect_one(line)


def test_a_record_with_nothing_in_it_has_a_verdict(fitted: LogPipeline) -> None:
    assert 0 < fresh(fitted).detect_one({}).p_value <= 1
    assert fitted.detect_one({"time": datetime(2026, 1, 5, 9), "level": "odd"}).template is None


def test_what_cannot_be_fitted_says_so() -> None:
    with pytest.raises(NotFittedError, match="not fitted"):
        LogPipeline().detect(frame_of([]))
    with pytest.raises(InputError, match="8 rows"):
        LogPipeline().fit(frame_of(records(7)))
    with pytest.raises(ParameterError, match="minutes"):
        LogPipeline(minutes=0).fit(frame_of(NORMAL))
