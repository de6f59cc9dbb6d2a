"""A model per key: what every pipeline promises, alarms key by key, and who is answered by which level."""

import copy
import json
import time

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.keyed import KeyedPipeline, restored
from anomaly_detection.pipeline import Pipeline

HOSTS = 60
ALPHA = 0.02


def world(rows, seed, keys=None):
    """Hosts of two regions, with levels and spreads of their own; the first ones have most of the rows."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(1)
    levels, spreads = fixed.normal(0, 5, (HOSTS, 2)), np.exp(fixed.normal(0, 0.6, (HOSTS, 1)))
    shares = 1 / np.arange(1, HOSTS + 1)
    host = rng.choice(HOSTS, rows, p=shares / shares.sum()) if keys is None else np.asarray(keys)
    values = levels[host] + spreads[host] * rng.normal(size=(len(host), 2))
    return pl.DataFrame(
        {
            "region": np.where(host % 2, "eu", "us").tolist(),
            "host": [f"h{number}" for number in host],
            "load": values[:, 0],
            "wait": values[:, 1],
            "level": rng.choice(["info", "warn"], len(host), p=[0.9, 0.1]).tolist(),
        }
    )


@pytest.fixture(scope="module")
def train():
    return world(6_000, 0)


@pytest.fixture(scope="module")
def test():
    return world(6_000, 2)


@pytest.fixture(scope="module")
def by_host(train):
    frame = train.drop("region")
    return KeyedPipeline("host", contamination=ALPHA).fit(frame)


@pytest.fixture(scope="module")
def by_region_and_host(train):
    return KeyedPipeline(("region", "host"), contamination=ALPHA).fit(train)


@pytest.fixture(scope="module", params=["host", "region and host"])
def keyed(request, by_host, by_region_and_host):
    return by_host if request.param == "host" else by_region_and_host


STRANGE = [
    {"region": "eu", "host": "new", "load": 1.0, "wait": 2, "level": "info"},
    {"region": "mars", "host": "h1", "load": "3.5", "wait": None, "level": "odd"},
    {"region": None, "host": None, "load": 1e9, "wait": float("nan"), "level": None},
    {"region": "us", "host": "h0", "load": float("inf"), "wait": 1, "level": "info"},
]


@pytest.mark.needs_extra("pyod", "skops")
def test_an_algorithm_that_needs_the_batch_is_refused():
    frame = pl.DataFrame({"host": ["a", "b"] * 50, "load": np.random.default_rng(0).normal(size=100)})
    with pytest.raises(InputError, match=r"A model per key .* pyod_sos is labelled batch only\. Use knn"):
        KeyedPipeline("host", "sos").fit(frame)


def test_one_record_equals_a_batch_equals_any_chunking_bit_for_bit(keyed, test):
    whole = keyed.detect(test)
    assert [keyed.detect_one(record) for record in test.head(500).to_dicts()] == list(whole)[:500]
    chunks = [keyed.detect(test[start : start + 700]) for start in range(0, len(test), 700)]
    np.testing.assert_array_equal(np.concatenate([chunk.p_value for chunk in chunks]), whole.p_value)
    np.testing.assert_array_equal(keyed.score(test), whole.score)


@pytest.mark.parametrize("record", STRANGE)
def test_a_strange_record_equals_itself_in_a_frame(keyed, record):
    frame = pl.DataFrame([record], schema_overrides={"region": pl.String, "host": pl.String, "level": pl.String})
    assert keyed.detect_one(record) == keyed.detect(frame).verdict(0)


def test_it_is_saved_and_restored_without_changing_a_bit(keyed, test):
    spec, arrays = keyed.state()
    again = restored(json.loads(json.dumps(spec)), arrays)
    assert isinstance(again, KeyedPipeline)
    for one in (again, copy.deepcopy(keyed)):
        assert_frame_equal(one.detect(test).to_polars(), keyed.detect(test).to_polars(), check_exact=True)
        assert one.evidence() == keyed.evidence()
        assert one.parameters().keys() == keyed.parameters().keys()
    assert again.explain(test, [3]) == keyed.explain(test, [3])


def test_the_same_seed_gives_the_same_model(train, test, by_region_and_host):
    again = KeyedPipeline(("region", "host"), contamination=ALPHA).fit(train)
    np.testing.assert_array_equal(again.score(test), by_region_and_host.score(test))


def test_false_alarms_stay_near_alpha_for_dense_keys_and_sparse_ones(keyed, train):
    fresh = world(40_000, 5)
    rows = dict(train["host"].value_counts().iter_rows())
    counts = np.array([rows.get(host, 0) for host in fresh["host"]])
    flags = keyed.detect(fresh).is_anomaly
    for low, high in ((300, 10**9), (50, 300), (1, 50)):
        band = flags[(counts >= low) & (counts < high)]
        assert 0.4 * ALPHA < band.mean() < 2 * ALPHA


def test_what_is_normal_elsewhere_is_an_anomaly_here(keyed, train):
    rng = np.random.default_rng(3)
    host = rng.integers(0, HOSTS, 600)
    odd = world(0, 4, keys=(host + rng.integers(1, HOSTS, 600)) % HOSTS).with_columns(
        region=pl.Series(np.where(host % 2, "eu", "us").tolist()), host=pl.Series([f"h{number}" for number in host])
    )
    normal = world(0, 6, keys=host)
    caught, plain = keyed.detect(odd).is_anomaly.mean(), Pipeline(contamination=ALPHA).fit(train)
    assert caught > 3 * plain.detect(odd).is_anomaly.mean()
    assert caught > 0.4
    assert keyed.detect(normal).is_anomaly.mean() < 2.5 * ALPHA


def test_own_rows_are_flagged_as_often_as_asked_for(train):
    for contamination in (0.01, 0.1):
        result = KeyedPipeline("host", contamination=contamination).fit_detect(train.drop("region"))
        assert result.anomaly_count == round(contamination * len(train))
        assert result.level.unique().sort().to_list() == ["all", "host"]


def test_each_key_is_answered_by_its_own_level_or_the_nearest_coarser_one(by_region_and_host):
    dense = next(level.key for level in by_region_and_host.judges_ if level.level == 2)
    region, host = dense.split("/")
    found = [
        by_region_and_host.level_of({"region": r, "host": h})
        for r, h in ((region, host), (region, "never seen"), (region, None), ("mars", host), (None, host))
    ]
    assert found == ["region/host", "region", "region", "all", "all"]
    levels = by_region_and_host.detect(world(200, 9)).to_polars()["level"].unique().to_list()
    assert set(levels) <= {"all", "region", "region/host"}


def test_the_evidence_is_told(by_region_and_host):
    told = by_region_and_host.evidence()
    assert [level["level"] for level in told["levels"]] == ["all", "region", "region/host"]
    assert sum(level["rows"] for level in told["levels"]) == 6_000
    assert sum(level["models"] for level in told["levels"]) == told["own_models"] + 1
    assert all(one["weight"] >= 0.5 for one in told["models"])
    json.dumps(told)


def test_keys_that_do_not_differ_share_one_model():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"host": np.arange(3_000) % 6, "x": rng.normal(size=3_000), "y": rng.normal(size=3_000)})
    pipeline = KeyedPipeline("host").fit(frame)
    assert len(pipeline.judges_) <= 2
    assert pipeline.judges_[0].shared.usual.columns == ()


def test_keys_that_differ_only_in_level_share_a_model_of_what_is_left():
    rng = np.random.default_rng(0)
    host = np.arange(4_000) % 8
    frame = pl.DataFrame({"host": host, "x": 50.0 * host + rng.normal(size=4_000), "y": rng.normal(size=4_000)})
    pipeline = KeyedPipeline("host", contamination=0.01).fit(frame)
    assert len(pipeline.judges_) < 5
    assert pipeline.judges_[0].shared.usual.columns == ("x",)
    assert pipeline.detect_one({"host": 2, "x": 150.0, "y": 0.0}).is_anomaly
    assert not pipeline.detect_one({"host": 3, "x": 150.0, "y": 0.0}).is_anomaly


def test_reasons_have_the_value_of_the_record_and_what_is_normal_for_its_key():
    rng = np.random.default_rng(0)
    host = np.arange(4_000) % 40
    frame = pl.DataFrame({"host": host, "x": 50.0 * host + rng.normal(size=4_000), "y": rng.normal(size=4_000)})
    pipeline = KeyedPipeline("host", contamination=0.01).fit(frame)
    odd = {"host": 7, "x": 700.0, "y": 0.0}
    (why,) = pipeline.explain(pl.DataFrame([odd]))
    first = why.reasons[0]
    low, high = map(float, first.normal.split(" to "))
    assert (first.column, first.value) == ("x", 700.0)
    assert 345 < low < 350 < high < 355
    (change,) = why.counterfactual.changes
    assert (change.column, change.old) == ("x", 700.0)
    assert not pipeline.detect_one({**odd, "x": change.new}).is_anomaly
    assert pipeline.explain_record(odd).reasons == why.reasons
    parts = pipeline.contributions(pl.DataFrame([odd, {"host": 999, "x": 700.0, "y": 9.0}]))
    assert parts.shape == (2, 2)
    assert parts[0].argmax() == pipeline.contribution_names.index("x")


def test_every_row_is_explained_by_the_level_that_judges_it(keyed, test):
    rows = [5, 0, 17]
    found = keyed.explain(test, rows)
    assert [one.row for one in found] == rows
    assert [one.reasons for one in found] == [keyed.explain(test[row])[0].reasons for row in rows]
    assert keyed.explain(test.head(0)) == []


@pytest.mark.parametrize("n_keys", [1, 300])
def test_one_key_and_nothing_but_sparse_keys_need_one_model(n_keys):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"key": np.arange(900) % n_keys, "x": rng.normal(size=900), "y": rng.normal(size=900)})
    pipeline = KeyedPipeline("key", contamination=0.05)
    assert pipeline.fit_detect(frame).anomaly_count == 45
    assert len(pipeline.judges_) == 1
    assert 0.01 < pipeline.detect(frame).is_anomaly.mean() < 0.09


def test_missing_keys_are_answered_by_the_level_of_all_rows(train):
    frame = train.with_columns(host=pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise("host"))
    pipeline = KeyedPipeline("host", contamination=ALPHA).fit(frame)
    result = pipeline.detect(frame)
    assert set(result.level.filter(frame["host"].is_null()).to_list()) == {"all"}
    everything_missing = frame.with_columns(host=pl.lit(None, dtype=pl.String))
    alone = KeyedPipeline("host", contamination=ALPHA).fit(everything_missing)
    assert (len(alone.judges_), alone.judges_[0].shared) == (1, None)


def test_numbers_are_keys_whatever_their_type(train):
    numbers = train.with_columns(host=pl.col("host").str.slice(1).cast(pl.Int64)).drop("region")
    pipeline = KeyedPipeline("host", contamination=ALPHA).fit(numbers)
    record = numbers.row(0, named=True)
    found = {pipeline.detect_one({**record, "host": kind(record["host"])}).p_value for kind in (int, float, str)}
    assert len(found) == 1


def test_a_key_is_no_feature_even_if_it_is_named_as_one(train):
    schema = infer_schema(train, columns=["host", "load", "wait"], key="host")
    assert schema.feature_names == ("load", "wait")
    assert KeyedPipeline(None, contamination=ALPHA).fit(train, schema).contribution_names == ("load", "wait")


def test_only_the_densest_keys_get_a_model(train):
    frame = train.drop("region")
    pipeline = KeyedPipeline("host", contamination=ALPHA, min_rows=50, max_models=2).fit(frame)
    densest = frame["host"].value_counts(sort=True)["host"].head(2).to_list()
    assert {level.key for level in pipeline.judges_[1:]} <= set(densest)
    assert len(KeyedPipeline("host", max_models=0).fit(frame).judges_) == 1


def test_a_key_in_which_a_column_never_varies_still_notices_when_it_does():
    rng = np.random.default_rng(0)
    host = np.arange(2_000) % 2
    frame = pl.DataFrame({"host": host, "x": rng.normal(size=2_000), "n": np.where(host, rng.normal(size=2_000), 0.0)})
    pipeline = KeyedPipeline("host", contamination=0.01).fit(frame)
    steady, moved = ({"host": 0, "x": 0.0, "n": n} for n in (0.0, 0.7))
    assert pipeline.detect_one(moved).p_value < 0.1 * pipeline.detect_one(steady).p_value
    assert not pipeline.detect_one({"host": 1, "x": 0.0, "n": 0.7}).is_anomaly


@pytest.mark.parametrize("algorithm", ["knn", "ecod", "average"])
def test_it_works_with_other_algorithms(train, algorithm):
    frame = train.drop("region").head(1_000)
    pipeline = KeyedPipeline("host", algorithm, contamination=ALPHA, min_rows=100).fit(frame)
    assert [pipeline.detect_one(record) for record in frame.head(50).to_dicts()] == list(pipeline.detect(frame))[:50]


def test_a_line_without_a_number_and_false_discovery_control(train, test):
    frame = train.drop("region")
    pipeline = KeyedPipeline("host").fit(frame)
    assert 0.005 <= pipeline.alpha_ <= 0.05
    assert KeyedPipeline("host", threshold="static:upper_limit=0.7").fit(frame).alpha_ < 0.5
    assert pipeline.detect(test, fdr=0.1).is_anomaly.mean() < 0.05


def test_without_a_tail_a_key_needs_enough_rows_to_resolve_alpha(train):
    frame = train.drop("region")
    pipeline = KeyedPipeline("host", contamination=0.001, tail=False).fit(frame)
    assert all(level.pipeline.rows_ >= 1000 for level in pipeline.judges_)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"key": None}, SchemaError, "needs a key"),
        ({"key": "hots"}, SchemaError, "no column 'hots'. Did you mean 'host'"),
        ({"key": ["host", "host"]}, SchemaError, "twice"),
        ({"min_rows": 3}, ParameterError, "min_rows=3"),
        ({"max_models": -1}, ParameterError, "max_models=-1"),
        ({"contamination": 0.9}, ParameterError, "contamination=0.9"),
    ],
)
def test_wrong_wishes_are_refused(train, change, error, words):
    with pytest.raises(error, match=words):
        KeyedPipeline(**{"key": "host", **change}).fit(train)


def test_bad_data_is_refused(train, by_host):
    with pytest.raises(InputError, match="at least 8 rows"):
        KeyedPipeline("host").fit(train.head(5))
    with pytest.raises(SchemaError, match="lacks 1 key column: 'host'"):
        by_host.detect(train.drop("host"))
    with pytest.raises(SchemaError, match="cannot be a key"):
        by_host.detect_one({"host": ["h1"], "load": 1.0, "wait": 1.0, "level": "info"})
    with pytest.raises(SchemaError, match="cannot be a key"):
        KeyedPipeline("host").fit(train.with_columns(host=pl.concat_list("host")))
    with pytest.raises(NotFittedError):
        KeyedPipeline("host").detect_one({"host": "a"})
    with pytest.raises(ParameterError, match="does not go on learning"):
        by_host.update(train)
    with pytest.raises(SchemaError, match="needs 1 column"):
        by_host.detect(train.drop("load"))


def test_arrays_that_were_changed_are_refused(by_host):
    spec, arrays = by_host.state()
    for name, array in arrays.items():
        for damaged in (array[:-1], np.concatenate([array, array[:1]])):
            with pytest.raises(ArtifactError, match="unchanged copy"):
                restored(spec, {**arrays, name: damaged})
    starts = {**arrays, "judges/<i8": np.roll(arrays["judges/<i8"], 1)}
    with pytest.raises(ArtifactError, match="unchanged copy"):
        restored(spec, starts)


def test_tens_of_thousands_of_keys_take_seconds_and_little_room():
    rng = np.random.default_rng(0)
    rows = 120_000
    key = np.minimum(rng.zipf(1.3, rows), 100_000) + rng.integers(0, 100_000, rows) * (rng.random(rows) < 0.5)
    frame = pl.DataFrame({"key": key, "x": rng.normal(size=rows), "y": rng.normal(size=rows)})
    assert frame["key"].n_unique() > 40_000
    began = time.process_time()
    pipeline = KeyedPipeline("key", contamination=0.01, max_models=10).fit(frame)
    spec, arrays = pipeline.state()
    assert time.process_time() - began < 30
    assert len(json.dumps(spec)) < 4e6
    assert sum(array.nbytes for array in arrays.values()) < 40e6
    assert 0.005 < pipeline.detect(frame.sample(20_000, seed=1)).is_anomaly.mean() < 0.02
