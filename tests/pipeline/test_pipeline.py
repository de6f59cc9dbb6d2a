"""The pipeline: what it promises whatever detector is inside."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError, UnknownNameError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.pipeline import Pipeline

ALGORITHMS = [entry.name for entry in DETECTORS.entries()]


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
    assert pipeline.explain(frame, [0])[0][0].column in frame.columns


def test_a_logarithm_makes_a_detector_see_small_values():
    rng = np.random.default_rng(0)
    amounts = np.append(rng.lognormal(8, 1, 500), [3.0])
    frame = pl.DataFrame({"amount": amounts, "other": rng.normal(size=501)})
    plain, logged = (Pipeline("pca", transforms=names).fit_detect(frame) for names in ((), ("log",)))
    assert plain.p_value[500] > 0.05
    assert logged.top(1).tolist() == [500]


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
    assert "count" in [reason.column for reason in fitted.explain_record(record)[:2]]


def test_explanations_name_the_users_columns_with_value_and_normal_range():
    frame = mixed_frame().with_columns(pl.lit("same").alias("constant"))
    pipeline = Pipeline("ecod").fit(frame)
    spoilt = frame[:1].with_columns(pl.lit(5000.0).alias("amount"))
    reason = pipeline.explain(spoilt)[0][0]
    assert reason.column == "amount"
    assert reason.value == 5000.0
    assert reason.sentence().startswith("amount is 5000 (normal: ")
    assert "constant" not in pipeline.contribution_names


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
