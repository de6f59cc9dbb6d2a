"""A pipeline that goes on learning: verdicts first, anomalies kept out, alpha held while the data drift."""

import json

import numpy as np
import polars as pl
import pytest

from anomaly_detection import AnomalyDetector
from anomaly_detection.detectors import create
from anomaly_detection.errors import NotFittedError, ParameterError, SchemaError
from anomaly_detection.pipeline import Pipeline

ONLINE = ["half_space_trees", "random_cut_forest"]


def frame(rows: int = 300, seed: int = 0, shift: float = 0.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=rows)
    return pl.DataFrame(
        {
            "load": 100 + 10 * (base + shift),
            "latency": np.exp(0.3 * base + 0.1 * rng.normal(size=rows)),
            "zone": rng.choice(["a", "b", None], rows).tolist(),
        }
    )


def far(rows: int) -> pl.DataFrame:
    return frame(rows, seed=99).with_columns(load=pl.lit(1e4), latency=pl.lit(90.0))


def fitted(algorithm: str) -> Pipeline:
    return Pipeline(algorithm, contamination=0.02).fit(frame())


@pytest.fixture(params=ONLINE)
def pipeline(request) -> Pipeline:
    return fitted(request.param)


def test_the_verdicts_are_those_before_learning(pipeline):
    rows = frame(400, seed=1)
    before = pipeline.detect(rows)
    assert list(pipeline.update(rows)) == list(before)
    assert not np.array_equal(pipeline.score(rows), before.score)


def detector_state(pipeline: Pipeline) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in pipeline.scorer_.detector.state().items()}


def test_anomalies_are_not_learned_unless_it_is_asked_for(pipeline):
    before = detector_state(pipeline)
    assert pipeline.update(far(20)).is_anomaly.all()
    assert detector_state(pipeline) == before
    assert pipeline.rows_ == 300
    pipeline.update(far(20), learn_anomalies=True)
    assert detector_state(pipeline) != before
    assert pipeline.rows_ == 320


@pytest.mark.parametrize("algorithm", ONLINE)
def test_false_alarms_stay_rare_while_the_data_drift(algorithm):
    following = fitted(algorithm)
    frozen = Pipeline.from_state(*following.state())
    alarms, alarms_frozen = [], []
    for step in range(60):
        rows = frame(100, seed=step + 5, shift=step / 10)
        alarms.append(following.update(rows).is_anomaly.mean())
        alarms_frozen.append(frozen.detect(rows).is_anomaly.mean())
    assert np.mean(alarms) < 0.05
    assert np.mean(alarms_frozen) > 0.25
    assert following.update(far(20)).is_anomaly.all()


@pytest.mark.parametrize("algorithm", ONLINE)
def test_a_change_that_lasts_is_taken_as_normal_when_it_is_asked_for(algorithm):
    pipeline = fitted(algorithm)
    first = pipeline.update(frame(500, seed=3, shift=6.0), learn_anomalies=True)
    for seed in range(6):
        last = pipeline.update(frame(500, seed=seed + 4, shift=6.0), learn_anomalies=True)
    assert first.is_anomaly.mean() > 0.5
    assert last.is_anomaly.mean() < 0.1


def test_a_restored_pipeline_goes_on_alike(pipeline):
    pipeline.update(frame(50, seed=1))
    spec, arrays = pipeline.state()
    copy = Pipeline.from_state(json.loads(json.dumps(spec)), arrays)
    for seed in (2, 3):
        assert list(copy.update(frame(70, seed))) == list(pipeline.update(frame(70, seed)))
    ours, theirs = copy.state()[1], pipeline.state()[1]
    assert all(np.array_equal(ours[name], array, equal_nan=True) for name, array in theirs.items())


def test_one_record_gives_the_same_bits_as_a_batch_after_updates(pipeline):
    pipeline.update(frame(500, seed=1))
    rows = frame(40, seed=2)
    assert [pipeline.detect_one(record) for record in rows.iter_rows(named=True)] == list(pipeline.detect(rows))


def test_fitting_again_forgets_what_updates_learned(pipeline):
    pipeline.update(frame(500, seed=1, shift=3.0), learn_anomalies=True)
    again, fresh = pipeline.fit(frame()), pipeline.clone().fit(frame())
    assert list(again.update(frame(50, seed=2))) == list(fresh.update(frame(50, seed=2)))
    assert list(again.detect(frame(50, seed=3))) == list(fresh.detect(frame(50, seed=3)))


def test_the_state_does_not_grow(pipeline):
    for seed in range(10):
        pipeline.update(frame(500, seed))
    size = sum(array.nbytes for array in pipeline.state()[1].values())
    pipeline.update(frame(2000, seed=50))
    assert sum(array.nbytes for array in pipeline.state()[1].values()) == size


def test_no_rows_change_nothing_and_bad_ones_are_refused(pipeline):
    before = detector_state(pipeline)
    assert len(pipeline.update(frame(0))) == 0
    with pytest.raises(SchemaError, match="load"):
        pipeline.update(frame(10).drop("load"))
    assert detector_state(pipeline) == before
    assert pipeline.detect(frame(5)).alpha == 0.02


def test_algorithms_that_cannot_are_refused_with_those_that_can():
    pipeline = Pipeline("ecod").fit(frame())
    with pytest.raises(ParameterError, match=r"ECOD .*half_space_trees, random_cut_forest"):
        pipeline.update(frame(10))
    assert pipeline.following_ is None
    with pytest.raises(NotFittedError):
        Pipeline("hst").update(frame(10))


def test_an_ensemble_of_online_detectors_is_not_online():
    ensemble = create("average", detectors=["hst", "rcf"])
    assert not ensemble.tags.online
    with pytest.raises(ParameterError, match="AverageEnsemble"):
        Pipeline(ensemble).fit(frame()).update(frame(10))


def test_the_python_door_updates_saves_and_goes_on(tmp_path):
    detector = AnomalyDetector("hst", contamination=0.02, depth=8).fit(frame())
    detector.update(frame(400, seed=1, shift=1.0))
    again = AnomalyDetector.load(detector.save(tmp_path / "model"))
    rows = frame(200, seed=2, shift=1.0)
    assert list(again.update(rows)) == list(detector.update(rows))
    flagged = detector.predict(rows) == -1
    assert np.array_equal(flagged, detector.detect(rows).is_anomaly)
    with pytest.raises(ValueError, match="not fitted"):
        AnomalyDetector("hst").update(rows)
