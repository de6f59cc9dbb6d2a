"""Detecting on a file: the same verdicts however it is read, and only wishes that go together."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from anomaly_detection.errors import InputError, ModelNotFoundError, ParameterError, SchemaError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.workflows import fitting
from anomaly_detection.workflows.detect import DetectRequest, detect_file
from anomaly_detection.workflows.fitting import Fitting, sampled
from anomaly_detection.workflows.models import TrainRequest, load_pipeline, train_model
from anomaly_detection.workflows.reading import Reading, estimated_rows
from anomaly_detection.workflows.train_column import chosen_rows

ROWS = 600


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(3)
    values = rng.normal(size=(ROWS, 2)).round(4)
    values[::60] += 8
    return pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(ROWS)],
            "x": values[:, 0],
            "y": values[:, 1],
            "kind": rng.choice(["a", "b"], ROWS),
            "fit": (np.arange(ROWS) % 3 != 0) & (np.arange(ROWS) % 60 != 0),
            "label": np.where(np.arange(ROWS) % 60 == 0, -1, 1),
        }
    )


@pytest.fixture
def data(records, tmp_path):
    path = tmp_path / "data.csv"
    records.write_csv(path)
    return str(path)


def request(data, **more):
    reading = Reading(data, key="id", ignore=("fit", "label"), **more.pop("reading", {}))
    return DetectRequest(reading, **more)


def small(monkeypatch, batch, whole=0, sample=50):
    monkeypatch.setattr(fitting, "BATCH", batch)
    monkeypatch.setattr(fitting, "WHOLE", whole)
    monkeypatch.setattr(fitting, "SAMPLE", sample)


@pytest.mark.parametrize("more", [{}, {"train_rows": 100}, {"train_column": "fit", "fdr": 0.2}])
def test_large_files_give_the_same_whatever_the_batch(data, tmp_path, monkeypatch, more):
    found = []
    for batch in (7, 64, 100_000):
        small(monkeypatch, batch)
        out = tmp_path / f"{batch}.parquet"
        outcome = detect_file(request(data, output=out, explain=True, **more))
        found.append((pl.read_parquet(out), outcome.top, outcome.severities, outcome.alpha))
    for other in found[1:]:
        assert_frame_equal(found[0][0], other[0], check_exact=True)
        assert found[0][1:] == other[1:]


@pytest.mark.parametrize(("more", "first"), [({}, 0), ({"train_rows": 100}, 100), ({"train_column": "fit"}, None)])
def test_verdicts_come_in_input_order_with_the_promised_columns(data, tmp_path, records, more, first):
    out = tmp_path / "out.parquet"
    detect_file(request(data, output=out, reading={"timestamp": None}, **more))
    found = pl.read_parquet(out)
    rows = np.arange(ROWS)
    expected = rows[~records["fit"].to_numpy()] if first is None else rows[first:]
    assert found.columns == ["row", "key", "score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence"]
    assert found["row"].to_list() == expected.tolist()
    assert found["key"].to_list() == records["id"].gather(expected).to_list()


def test_labels_mean_the_same_whatever_the_batch(data, monkeypatch):
    small(monkeypatch, 7)
    reading = Reading(data, label="label", ignore=("fit", "id"))
    evaluation = detect_file(DetectRequest(reading, fitting=Fitting("ecod"))).evaluation
    assert evaluation is not None
    assert evaluation.anomalies == ROWS // 60


def test_a_sample_is_even_and_does_not_depend_on_the_batches(records, monkeypatch):
    monkeypatch.setattr(fitting, "SAMPLE", 40)
    samples = [sampled(records.iter_slices(size), 1, lambda *_: None) for size in (1, 50, ROWS)]
    for other in samples[1:]:
        assert_frame_equal(samples[0], other)
    assert 20 < len(samples[0]) <= 80
    assert samples[0]["id"].n_unique() == len(samples[0])


def test_a_model_gives_the_scores_of_pythons_pipeline(data, records, tmp_path):
    reading = Reading(data, key="id", ignore=("fit", "label"))
    train_model(TrainRequest(reading, "m", registry=tmp_path / "registry"))
    out = tmp_path / "out.parquet"
    detect_file(DetectRequest(reading, model="m", registry=tmp_path / "registry", output=out))
    found = pl.read_parquet(out)
    schema = infer_schema(records, key="id", ignore=["fit", "label"])
    expected = Pipeline(random_state=0).fit(records, schema).detect(records)
    np.testing.assert_array_equal(found["score"].to_numpy(), expected.score)
    np.testing.assert_array_equal(found["p_value"].to_numpy(), expected.p_value)


def test_a_model_names_the_key_and_time_that_are_asked_for(data, tmp_path):
    registry = tmp_path / "registry"
    train_model(TrainRequest(Reading(data, ignore=("fit", "label", "id")), "m", registry=registry))
    outcome = detect_file(DetectRequest(Reading(data, key="id", timestamp="kind"), model="m", registry=registry))
    assert outcome.top[0]["key"] == f"r{outcome.top[0]['row']}"
    assert outcome.top[0]["time"] in ("a", "b")


@pytest.mark.parametrize("value", ["oops", "inf"])
def test_a_value_that_cannot_be_scored_is_found_in_any_batch(records, data, tmp_path, monkeypatch, value):
    registry = tmp_path / "registry"
    train_model(TrainRequest(Reading(data, ignore=("fit", "label", "id")), "m", registry=registry))
    other, out = tmp_path / "other.csv", tmp_path / "out.csv"
    words = records["x"].cast(pl.String).to_list()
    words[150] = value
    records.with_columns(x=pl.Series(words)).write_csv(other)
    small(monkeypatch, 100)
    with pytest.raises(SchemaError, match=r"row 50.* in the batch that begins with row 100 of"):
        detect_file(DetectRequest(Reading(str(other)), model="m", registry=registry, output=out))
    assert not list(tmp_path.glob("*out.csv*"))


def test_false_discovery_control_flags_no_more_at_a_stricter_level(data):
    counts = [detect_file(request(data, fdr=fdr, train_column="fit")).anomaly_count for fdr in (0.001, 0.2, 0.9)]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"model": "m", "train_rows": 10}, "--train-rows says what to fit on, and --model m is fitted"),
        ({"model": "m", "train_column": "fit"}, "--train-column says what to fit on"),
        ({"train_rows": 10, "train_column": "fit"}, "both say what to fit on"),
        ({"train_rows": 7}, "takes 8 or more"),
        ({"train_rows": ROWS}, "so none is left to score"),
        ({"train_rows": 10 * ROWS}, f"has {ROWS} rows"),
        ({"fdr": 0.0}, "--fdr 0.0 must be above 0 and below 1"),
        ({"fdr": 1.0}, "--fdr 1.0 must be above 0 and below 1"),
        ({"fdr": 0.1}, "--fdr needs to know what is normal"),
        ({"fdr": 0.1, "train_rows": 50, "fitting": Fitting(contamination=0.1)}, "leave out --contamination"),
        ({"fitting": Fitting(contamination=0.1, threshold="static")}, "both set the alarm line"),
        ({"train_column": "kind"}, "found 'a', 'b'"),
    ],
)
def test_wishes_that_do_not_go_together_are_refused(data, tmp_path, more, words):
    with pytest.raises(InputError, match=words):
        detect_file(request(data, registry=tmp_path / "registry", output=tmp_path / "out.csv", **more))
    assert not list(tmp_path.glob("*out.csv*"))


@pytest.mark.parametrize(("value", "words"), [(True, "every row"), (False, "no row")])
def test_a_train_column_has_to_divide_the_rows(records, tmp_path, value, words):
    path = tmp_path / "data.csv"
    records.with_columns(fit=pl.lit(value)).write_csv(path)
    with pytest.raises(InputError, match=words):
        detect_file(request(str(path), train_column="fit"))


def test_a_train_column_may_be_words_numbers_or_missing():
    frame = pl.DataFrame({"words": ["Yes", "no", None], "numbers": [1, 0, 1], "real": [0.0, 1.0, None]})
    assert chosen_rows(frame, "words").tolist() == [True, False, False]
    assert chosen_rows(frame, "numbers").tolist() == [True, False, True]
    assert chosen_rows(frame, "real").tolist() == [False, True, False]
    with pytest.raises(InputError, match="found '2'"):
        chosen_rows(pl.DataFrame({"c": [0, 1, 2]}), "c")


def test_a_column_that_is_not_there_is_refused_before_anything_is_read(data, monkeypatch):
    monkeypatch.setattr("anomaly_detection.sources.files.FileSource.read", None)
    with pytest.raises(SchemaError, match="Did you mean 'label'"):
        detect_file(DetectRequest(Reading(data, label="labl")))


def test_options_are_refused_before_anything_is_read(data, monkeypatch):
    monkeypatch.setattr("anomaly_detection.sources.files.FileSource.read", None)
    with pytest.raises(ParameterError):
        detect_file(request(data, fitting=Fitting(contamination=0.6)))
    with pytest.raises(ModelNotFoundError):
        detect_file(request(data, model="none"))


def test_nothing_is_registered_when_the_label_is_off(data, tmp_path):
    reading = Reading(data, label="kind")
    with pytest.raises(InputError, match="Labels have to be"):
        train_model(TrainRequest(reading, "m", registry=tmp_path / "registry"))
    assert not (tmp_path / "registry").exists()


def test_a_label_of_one_class_leaves_measures_undefined(records, tmp_path):
    path = tmp_path / "data.csv"
    records.with_columns(label=pl.lit(0)).write_csv(path)
    reading = Reading(str(path), label="label", ignore=("id", "fit"))
    trained = train_model(TrainRequest(reading, "m", registry=tmp_path / "registry"))
    assert trained.evaluation is not None
    assert trained.evaluation.auroc is None
    assert trained.evaluation.false_positive_rate is not None
    assert "auroc" not in trained.version.metrics
    assert load_pipeline("m", tmp_path / "registry").alpha_ == trained.pipeline.alpha_


@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet"])
def test_the_number_of_records_is_estimated_for_progress(records, tmp_path, ending):
    path = tmp_path / f"data.{ending}"
    {
        "csv": records.write_csv,
        "jsonl": records.write_ndjson,
        "json": lambda place: place.write_text(records.write_json()),
        "parquet": records.write_parquet,
    }[ending](path)
    with Reading(str(path)).open() as source:
        guess = estimated_rows(source, source.read(100))
    assert guess is not None
    assert abs(guess - ROWS) <= (0 if ending == "parquet" else 0.15 * ROWS)


def test_progress_knows_how_much_there_is(data, monkeypatch):
    small(monkeypatch, 100)
    told = []
    detect_file(request(data), lambda *what: told.append(what))
    scoring = [(done, total) for what, done, total in told if what == "scoring"]
    assert scoring[-1][0] == ROWS
    assert all(total is not None and total >= done for done, total in scoring)


def test_the_seed_decides_everything_random(data):
    first, again, other = (detect_file(request(data, fitting=Fitting(random_state=seed))) for seed in (1, 1, 2))
    assert first.top == again.top
    assert first.top != other.top
    assert dataclasses.asdict(Fitting())["random_state"] == 0
