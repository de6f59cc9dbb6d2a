"""A pipeline that is used says when p-values are no longer those of training, and is silent while they are."""

import json

import numpy as np
import polars as pl
import pytest

from anomaly_detection.drift import CalibrationMonitor
from anomaly_detection.estimator import AnomalyDetector
from anomaly_detection.keyed import KeyedPipeline
from anomaly_detection.pipeline import Pipeline

WORDS = "are not those of training"


def table(seed, rows=1000, scale=1.0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame({"x": scale * rng.normal(size=rows), "y": scale * rng.normal(size=rows)})


@pytest.fixture(scope="module")
def trained():
    return Pipeline("half_space_trees", contamination=0.01).fit(table(0))


def copied(pipeline):
    return Pipeline.from_state(*pipeline.state())


@pytest.mark.parametrize("algorithm", ["half_space_trees", "random_cut_forest"])
def test_nothing_is_said_while_rows_are_like_those_of_training(algorithm):
    pipeline = Pipeline(algorithm, contamination=0.01).fit(table(0))
    for seed in range(1, 5):
        pipeline.update(table(seed))
        assert pipeline.drift_notes_ == []
    assert pipeline.evidence()["drift"] == []


@pytest.mark.parametrize("rows", [50, 200])
def test_small_tables_raise_no_false_word(rows):
    for seed in range(8):
        pipeline = Pipeline("ecod", contamination=0.05).fit(table(seed, rows))
        pipeline.watch(pipeline.detect(table(100 + seed, 2000)).p_value)
        assert pipeline.drift_notes_ == []


def test_a_change_is_told_in_notes_and_evidence(trained):
    pipeline = copied(trained)
    pipeline.update(table(1, 500))
    pipeline.update(table(2, 200, scale=4))
    (note,) = pipeline.drift_notes_
    assert WORDS in note
    assert "martingale 1e" in note
    assert pipeline.evidence()["drift"] == [note]
    assert json.loads(json.dumps(pipeline.evidence()))["drift"] == [note]


def test_only_rows_that_are_learned_or_watched_are_followed(trained):
    pipeline = copied(trained)
    found = pipeline.detect(table(2, 500, scale=4))
    assert pipeline.drift_notes_ == []
    pipeline.watch(found.p_value)
    assert WORDS in pipeline.drift_notes_[0]


def test_chunks_do_not_matter_and_a_saved_pipeline_goes_on(trained):
    whole, parts = copied(trained), copied(trained)
    p_value = trained.detect(pl.concat([table(1, 700), table(2, 150, scale=4)])).p_value
    whole.watch(p_value)
    for start in range(0, len(p_value), 37):
        parts.watch(p_value[start : start + 37])
        parts = copied(parts)
    assert parts.drift_notes_ == whole.drift_notes_ != []
    assert parts.monitor_.state()[0] == whole.monitor_.state()[0]


def test_a_model_of_an_earlier_version_is_silent(trained):
    spec, arrays = trained.state()
    old = Pipeline.from_state({name: part for name, part in spec.items() if name != "monitor"}, arrays)
    old.watch(np.full(500, 1e-6))
    assert old.drift_notes_ == []


def test_a_model_per_key_has_no_such_promise():
    frame = table(0, 800).with_columns(key=pl.Series(["a", "b"] * 400))
    pipeline = KeyedPipeline("key", detector="ecod").fit(frame)
    pipeline.watch(np.full(500, 1e-6))
    assert pipeline.drift_notes_ == []


def test_rows_that_are_related_are_looked_at_some_distance_apart():
    walk = np.cumsum(np.random.default_rng(0).normal(size=2000))
    assert CalibrationMonitor.of(walk).every > 20
    assert CalibrationMonitor.of(np.random.default_rng(0).random(2000)).every == 1
    assert CalibrationMonitor.of(np.arange(60.0)).window == 60


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_a_stream_of_records_is_watched(scale):
    detector = AnomalyDetector("ecod", contamination=0.01).fit(table(0))
    records = table(3, 350, scale).to_dicts()
    verdicts = list(detector.detect_stream(records))
    assert [one.p_value for one in verdicts] == detector.detect(table(3, 350, scale)).p_value.tolist()
    assert bool(detector.pipeline_.drift_notes_) == (scale > 1)


def test_a_stream_that_is_left_early_was_watched_up_to_there():
    detector = AnomalyDetector("ecod", contamination=0.01).fit(table(0))
    stream = detector.detect_stream(iter(table(3, 350, 4.0).to_dicts()))
    for _ in range(60):
        next(stream)
    stream.close()
    assert "last 60 rows" in detector.pipeline_.drift_notes_[0]
