"""The pipeline: what it promises whatever detector is inside."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create
from anomaly_detection.errors import (
    ArtifactError,
    InputError,
    NotFittedError,
    ParameterError,
    SchemaError,
    UnknownNameError,
)
from anomaly_detection.explain.normal import normal_ranges
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.records import Column, Schema

ALGORITHMS = [entry.name for entry in DETECTORS.entries() if entry.extra is None]


def mixed_frame(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    start = datetime(2026, 1, 1)
    amount = rng.lognormal(3, 0.4, rows)
    return pl.DataFrame(
        {
            "amount": np.where(rng.random(rows) < 0.05, np.nan, amount),
            "count": rng.poisson(4, rows),
            "country": rng.choice(np.array(["NL", "DE", "FR", None]), rows).tolist(),
            "active": rng.random(rows) < 0.7,
            "when": [start + timedelta(hours=int(hour)) for hour in rng.integers(0, 2000, rows)],
        }
    ).with_columns(pl.col("amount").fill_nan(None))


@pytest.fixture(scope="module", params=ALGORITHMS)
def fitted(request) -> Pipeline:
    return Pipeline(request.param, contamination=0.05).fit(mixed_frame())


def test_one_record_gives_the_same_bits_as_a_batch(fitted):
    frame = mixed_frame(60, seed=1)
    batch = fitted.detect(frame)
    assert [fitted.detect_one(record) for record in frame.iter_rows(named=True)] == list(batch)


def test_any_chunking_gives_the_same_bits(fitted):
    frame = mixed_frame(97, seed=2)
    whole = fitted.score(frame)
    parts = [fitted.score(part) for part in frame.iter_slices(13)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_a_restored_pipeline_gives_the_same_bits(fitted):
    spec, arrays = fitted.state()
    copy = Pipeline.from_state(json.loads(json.dumps(spec)), arrays)
    frame = mixed_frame(50, seed=3)
    assert list(copy.detect(frame)) == list(fitted.detect(frame))
    assert copy.schema_ == fitted.schema_
    assert copy.explain(frame, [0]) == fitted.explain(frame, [0])


def test_scoring_changes_nothing(fitted):
    frame = mixed_frame(40, seed=4)
    before = {name: array.copy() for name, array in fitted.state()[1].items()}
    fitted.detect(frame)
    fitted.explain(frame, [0, 1])
    after = fitted.state()[1]
    assert all(np.array_equal(array, after[name], equal_nan=True) for name, array in before.items())


def test_a_record_with_everything_missing_or_unseen_gets_a_verdict(fitted):
    for record in ({"count": 3}, dict.fromkeys(fitted.schema_.feature_names), {"country": "XX", "amount": 1e300}):
        verdict = fitted.detect_one(record)
        assert np.isfinite(verdict.score)
        assert 0 < verdict.p_value <= 1


def test_infinite_values_count_as_far_away(fitted):
    far = fitted.detect_one({"amount": float("inf"), "count": 4, "country": "NL", "active": True})
    near = fitted.detect_one({"amount": 20.0, "count": 4, "country": "NL", "active": True})
    assert np.isfinite(far.score)
    assert far.score >= near.score


@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn"])
@pytest.mark.parametrize("names", [("log",), ("clip", "power"), ("robust", "tanh"), ("percentile",)])
def test_transforms_keep_one_record_a_batch_and_a_restored_pipeline_alike(algorithm, names):
    frame = mixed_frame(300)
    pipeline = Pipeline(algorithm, transforms=names).fit(frame)
    batch = list(pipeline.detect(frame[:40]))
    assert [pipeline.detect_one(record) for record in frame[:40].iter_rows(named=True)] == batch
    spec, arrays = pipeline.state()
    assert list(Pipeline.from_state(json.loads(json.dumps(spec)), arrays).detect(frame[:40])) == batch
    assert pipeline.explain(frame, [0])[0].reasons[0].column in frame.columns


def test_a_logarithm_makes_a_detector_see_small_values():
    rng = np.random.default_rng(0)
    amounts = np.append(rng.lognormal(8, 1, 500), [3.0])
    frame = pl.DataFrame({"amount": amounts, "other": rng.normal(size=501)})
    plain, logged = (Pipeline("pca", transforms=names).fit_detect(frame) for names in ((), ("log",)))
    assert plain.p_value[500] > 0.05
    assert logged.top(1).tolist() == [500]


def test_transforms_take_parameters():
    frame = mixed_frame(300)
    clipped = Pipeline("knn", transforms=["clip:lower=0:upper=50"]).fit(frame)
    far, further = (clipped.detect_one({"amount": amount, "count": 4}) for amount in (60.0, 6e6))
    assert far == further
    assert Pipeline.from_state(*clipped.state()).transforms == ("clip:lower=0:upper=50",)


def test_a_model_of_an_algorithm_that_is_not_here_says_so():
    spec, arrays = Pipeline("mad").fit(mixed_frame()).state()
    spec["scorer"]["detector"]["name"] = "from_a_plugin"
    with pytest.raises(ArtifactError, match="'from_a_plugin', which is not known here"):
        Pipeline.from_state(spec, arrays)


def test_transforms_that_need_an_order_are_refused():
    with pytest.raises(ParameterError, match="come in no order"):
        Pipeline(transforms=["difference"]).fit(mixed_frame())
    with pytest.raises(UnknownNameError, match="Did you mean 'robust'"):
        Pipeline(transforms=["robst"]).fit(mixed_frame())


def test_the_same_seed_gives_the_same_model():
    frame = mixed_frame()
    first, second = (Pipeline(contamination=0.05, random_state=3).fit(frame) for _ in range(2))
    assert np.array_equal(first.score(frame), second.score(frame))
    assert first.alpha_ == second.alpha_


def test_verdicts_on_the_training_rows_flag_the_share_asked_for():
    frame = mixed_frame(1000)
    assert Pipeline(contamination=0.05).fit_detect(frame).anomaly_count == 50


@pytest.mark.parametrize(
    ("algorithm", "n", "calibrating"), [("pca", 1_000, 1_000), ("gmm", 1_000, 200), ("gmm", 900, 900)]
)
def test_detectors_whose_fits_differ_are_calibrated_on_rows_kept_from_them(algorithm, n, calibrating):
    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(n, 2)))
    assert Pipeline(algorithm).fit(frame).calibrator_.n_ == calibrating


@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn", "ecod"])
@pytest.mark.parametrize("calibration", ["cross", "split"])
def test_alarms_on_new_normal_records_come_at_the_rate_asked_for(algorithm, calibration):
    rates = []
    for seed in range(6):
        data = np.random.default_rng(seed).normal(size=(4000, 4))
        frame = pl.DataFrame(data, schema=list("abcd"))
        pipeline = Pipeline(algorithm, contamination=0.05, calibration=calibration, random_state=seed)
        rates.append(pipeline.fit(frame[:2000]).detect(frame[2000:]).is_anomaly.mean())
    assert np.mean(rates) == pytest.approx(0.05, rel=0.15)


def test_without_a_number_clean_data_raise_few_alarms_and_a_separate_group_is_found():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(1000, 3))
    assert Pipeline().fit(pl.DataFrame(clean, schema=list("abc"))).alpha_ == pytest.approx(0.01, abs=0.005)
    dirty = np.vstack([clean, rng.normal(12, 0.5, size=(60, 3))])
    result = Pipeline("mad").fit_detect(pl.DataFrame(dirty, schema=list("abc")))
    assert result.is_anomaly[1000:].mean() > 0.9
    assert result.is_anomaly[:1000].mean() < 0.01


def test_a_line_with_parameters_is_saved_with_the_model():
    frame = mixed_frame()
    pipeline = Pipeline("mad", threshold="static:upper_limit=4").fit(frame)
    scores = pipeline.held_out_[~np.isnan(pipeline.held_out_)]
    assert pipeline.alpha_ == pytest.approx((scores >= 4).mean(), abs=0.01)
    assert Pipeline.from_state(*pipeline.state()).parameters()["threshold"] == "static:upper_limit=4"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("statc", "Did you mean 'static'"),
        ("static:upper=4", "Did you mean 'upper_limit'"),
        ("static:upper_limit=high", "must be a number"),
        ("static:4", "name:parameter=value"),
        ("max_percentile:percentile=200", "at most 100"),
    ],
)
def test_lines_that_cannot_be_drawn_are_refused_before_fitting(wish, words):
    with pytest.raises(InputError, match=words):
        Pipeline("mad", threshold=wish).fit(mixed_frame())


def test_controlling_false_discoveries_keeps_verdicts_consistent():
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(rng.normal(size=(2000, 3)), schema=list("abc"))
    batch = pl.concat([frame[:300], pl.DataFrame(rng.normal(9, 1, size=(20, 3)), schema=list("abc"))])
    result = Pipeline("ecod").fit(frame).detect(batch, fdr=0.1)
    assert result.is_anomaly[300:].all()
    assert result.is_anomaly[:300].sum() <= 8
    assert np.array_equal(result.is_anomaly, result.anomaly_score >= 0.6)


def test_the_column_that_was_spoilt_explains_the_anomaly(fitted):
    record = {"amount": 20.0, "count": 400, "country": "NL", "active": True, "when": datetime(2026, 2, 1, 12)}
    assert "count" in [reason.column for reason in fitted.explain_record(record).reasons[:2]]


def test_explanations_name_the_users_columns_with_value_and_normal_range():
    frame = mixed_frame().with_columns(pl.lit("same").alias("constant"))
    pipeline = Pipeline("ecod").fit(frame)
    spoilt = frame[:1].with_columns(pl.lit(5000.0).alias("amount"))
    reason = pipeline.explain(spoilt)[0].reasons[0]
    assert reason.column == "amount"
    assert reason.value == 5000.0
    assert reason.sentence().startswith("amount is 5000 (normal: ")
    assert "constant" not in pipeline.contribution_names


@pytest.mark.parametrize("name", ["n", "count", "value", "row", "key", "score", "f0", "", "*", "a/b", "a=b", "é"])
def test_any_name_serves_for_a_column(name):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({name: rng.choice(["x", "y", "z"], 60), "other": rng.normal(size=60)})
    pipeline = Pipeline("ecod").fit(frame)
    assert pipeline.detect_one(frame.row(3, named=True)) == pipeline.detect(frame).verdict(3)
    reasons = pipeline.explain(frame[:1].with_columns(pl.Series(name, ["new"])))[0].reasons
    assert (name, "new") in [(reason.column, reason.value) for reason in reasons]


def test_records_within_records_are_fitted_scored_and_explained():
    rng = np.random.default_rng(0)
    users = [{"age": float(age), "city": city} for age, city in zip(rng.normal(40, 9, 80), "ab" * 40, strict=True)]
    frame = pl.DataFrame({"user": users, "id": range(80)})
    pipeline = Pipeline("mad").fit(frame, infer_schema(frame, key="id"))
    odd = {"user": {"age": 900.0, "city": "a"}, "id": 80}
    one, batch = pipeline.detect_one(odd), pipeline.detect(pl.DataFrame([odd]))
    assert one == batch.verdict(0)
    assert batch.key.to_list() == [80]
    for why in (pipeline.explain_record(odd), pipeline.explain(pl.DataFrame([odd]))[0]):
        assert (why.reasons[0].column, why.reasons[0].value) == ("user.age", 900.0)


@pytest.mark.parametrize("algorithm", ["ecod", "isolation_forest", "pca"])
@pytest.mark.parametrize("values", [[0.0] * 19 + [1.0], ["a"] * 150 + ["b"]])
def test_a_value_that_only_one_row_has_can_be_left_out_of_a_fold(algorithm, values):
    pipeline = Pipeline(algorithm).fit(pl.DataFrame({"x": values}))
    common, rare = pipeline.score(pl.DataFrame({"x": [values[0], values[-1]]}))
    assert rare > common
    assert not np.isnan(pipeline.held_out_).any()


def test_normal_values_of_every_kind_are_said_as_the_column_is_read():
    days = pl.date_range(datetime(2026, 1, 1), datetime(2026, 4, 10), eager=True)
    hours = [f"{8 + i % 10:02d}:{i % 60:02d}" for i in range(100)]
    number = np.arange(100.0)
    frame = pl.DataFrame(
        {
            "day": days,
            "day_in_words": days.cast(pl.String),
            "hour": pl.Series(hours).str.to_time("%H:%M"),
            "hour_in_words": hours,
            "took": [timedelta(minutes=i) for i in range(100)],
            "price": pl.Series(number).cast(pl.Decimal(10, 2)),
            "number_in_words": [f" {value}" for value in number],
            "with_gaps": np.where(number % 10 == 3, np.nan, number),
            "large": 1_700_000_000 + number + 0.5,
        }
    )
    features = tuple(
        Column(name, kind) for name, kind in zip(frame.columns, ["time"] * 4 + ["number"] * 5, strict=True)
    )
    said = normal_ranges(frame, Schema(features))
    assert said["day"] == said["day_in_words"] == "2026-01-05 to 2026-04-05"
    assert said["hour"] == said["hour_in_words"] == "08:20:00 to 17:29:00"
    assert said["took"] == "0:04:00 to 1:34:00"
    assert said["price"] == said["number_in_words"] == "5 to 94"
    assert said["with_gaps"].endswith(", or missing")
    assert said["large"] == "1700000005.5 to 1700000094.5"


@pytest.mark.parametrize("algorithm", ["isolation_forest", "hbos", "knn"])
def test_between_two_crowds_nothing_is_called_normal(algorithm):
    rng = np.random.default_rng(0)
    crowds = np.where(rng.random((800, 4)) < 0.5, -10, 10) + rng.normal(size=(800, 4))
    frame = pl.DataFrame(crowds, schema=list("abcd"))
    pipeline = Pipeline(algorithm).fit(frame)
    odd = pl.DataFrame({"a": [30.0], "b": [10.0], "c": [-10.0], "d": [10.0]})
    assert pipeline.explain(odd)[0].reasons[0].column == "a"
    assert pipeline.scorer_.score_native(pipeline.background.reference[None])[0] <= np.median(pipeline.score(frame))


@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn", "lof", "mad", "pca"])
def test_one_row_far_away_is_found_in_a_small_table(algorithm):
    rows = np.random.default_rng(0).normal(size=(50, 3))
    rows[25] = 30
    result = Pipeline(algorithm).fit_detect(pl.DataFrame(rows, schema=list("abc")))
    assert np.flatnonzero(result.is_anomaly).tolist() == [25]


def test_small_tables_of_normal_rows_raise_no_more_alarms_than_asked_for():
    rng = np.random.default_rng(1)
    tables = [pl.DataFrame(rng.normal(size=(40, 3)), schema=list("abc")) for _ in range(150)]
    alarms = [Pipeline("mad", contamination=0.02).fit_detect(table).anomaly_count for table in tables]
    assert 0.005 < np.mean(alarms) / 40 < 0.022


def test_a_separate_group_is_flagged_exactly_among_the_rows_learned_from():
    rng = np.random.default_rng(2)
    rows = np.vstack([rng.normal(size=(1900, 3)), rng.normal(15, 4, size=(100, 3))])
    result = Pipeline("isolation_forest").fit_detect(pl.DataFrame(rows, schema=list("abc")))
    assert np.flatnonzero(result.is_anomaly).tolist() == list(range(1900, 2000))


def test_an_unknown_threshold_or_algorithm_is_refused_before_anything_is_fitted():
    with pytest.raises(UnknownNameError, match="Did you mean 'static'"):
        Pipeline("ecod", threshold="statik").fit(mixed_frame())
    with pytest.raises(UnknownNameError, match="Unknown algorithm '3'"):
        Pipeline(3).fit(mixed_frame())


def test_key_and_time_travel_with_the_verdicts():
    frame = mixed_frame().with_columns(pl.int_range(pl.len()).cast(pl.String).alias("id"))
    schema = infer_schema(frame, key="id", timestamp="when")
    columns = Pipeline("ecod").fit(frame, schema).detect(frame[5:8], first_row=5).to_polars()
    assert columns.columns[:3] == ["row", "key", "time"]
    assert columns["row"].to_list() == [5, 6, 7]
    assert columns["key"].to_list() == ["5", "6", "7"]


def test_missing_columns_are_named_with_those_that_are_there():
    pipeline = Pipeline("ecod").fit(mixed_frame())
    with pytest.raises(SchemaError, match=r"'count'.*the data has 'amount', 'other'"):
        pipeline.detect(pl.DataFrame({"amount": [1.0], "other": [2]}))


def test_an_unfitted_pipeline_says_so():
    with pytest.raises(NotFittedError, match="Call fit first"):
        Pipeline().detect(mixed_frame())


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_too_few_rows_are_refused(rows):
    with pytest.raises(InputError, match="at least 8 rows"):
        Pipeline("ecod").fit(mixed_frame(rows) if rows else mixed_frame(5)[:0])


@pytest.mark.parametrize("contamination", [0, -0.1, 0.6, 1, "often", float("nan")])
def test_a_contamination_out_of_range_is_refused(contamination):
    with pytest.raises(ParameterError, match="contamination"):
        Pipeline("ecod", contamination=contamination).fit(mixed_frame())


def test_an_alpha_finer_than_the_sample_resolves_is_refused_without_a_tail():
    with pytest.raises(ParameterError, match="rows"):
        Pipeline("ecod", contamination=1e-5, tail=False).fit(mixed_frame())
    assert Pipeline("ecod", contamination=1e-5).fit(mixed_frame()).alpha_ == 1e-5


@pytest.fixture(scope="module")
def forest() -> Pipeline:
    return Pipeline("isolation_forest", contamination=0.05).fit(mixed_frame())


@settings(max_examples=50, deadline=None)
@given(
    record=st.fixed_dictionaries(
        {"amount": st.none() | st.floats(width=64)},
        optional={
            "count": st.none() | st.integers(-(2**40), 2**40),
            "country": st.none() | st.text(max_size=5),
            "active": st.none() | st.booleans(),
            "when": st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
        },
    )
)
def test_any_record_gets_a_consistent_verdict(forest, record):
    verdict = forest.detect_one(record)
    assert verdict.is_anomaly == (verdict.p_value <= forest.alpha_) == (verdict.anomaly_score >= 0.6)
    assert verdict.is_anomaly == (verdict.severity != "normal")
    assert 0 <= verdict.confidence <= 1


@pytest.mark.needs_extra("pyod", "skops")
def test_a_detector_that_needs_the_batch_judges_tables_and_refuses_single_records():
    frame = mixed_frame(120)
    pipeline = Pipeline("sos", contamination=0.05)
    assert pipeline.fit_detect(frame).is_anomaly.sum() == 6
    with pytest.raises(InputError, match=r"Judging one record.*pyod_sos is labelled batch only\. Use knn"):
        pipeline.detect_one(frame.row(0, named=True))
    mixed = Pipeline(create("average", detectors=["sos", "knn"])).fit(frame)
    because = r"average is labelled batch only because of its member pyod_sos\. Use knn in place of pyod_sos"
    with pytest.raises(InputError, match=because):
        mixed.detect_one(frame.row(0, named=True))


@pytest.mark.needs_extra("pyod", "skops")
def test_a_streaming_detector_of_pyod_keeps_every_promise_of_a_pipeline():
    frame = mixed_frame(150)
    pipeline = Pipeline("pyod_gmm").fit(frame)
    scores = pipeline.score(frame)
    assert [pipeline.detect_one(row).score for row in frame.iter_rows(named=True)] == scores.tolist()
    spec, arrays = pipeline.state()
    again = Pipeline.from_state(json.loads(json.dumps(spec)), arrays)
    assert again.score(frame).tolist() == scores.tolist()


@pytest.mark.needs_extra("pyod", "skops")
def test_what_cannot_be_saved_says_what_to_use_instead():
    pipeline = Pipeline(create("lmdd", n_iter=2)).fit(mixed_frame(60))
    with pytest.raises(InputError, match=r"pyod_lmdd is labelled not saved.*Use mad"):
        pipeline.state()
