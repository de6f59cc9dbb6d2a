"""Time series through the Python door: three lines, one record, a stream, saved and registered."""

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

from anomaly_detection import AnomalyDetector, SeriesPipeline, detect
from anomaly_detection.errors import NotFittedError, ParameterError
from anomaly_detection.keyed import KeyedPipeline
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry import LocalRegistry


def rows(n=400, start=0, seed=0):
    return pl.DataFrame(
        {"hour": np.arange(start, start + n), "cpu": 40.0 + np.random.default_rng(seed).normal(0.0, 2.0, n)}
    )


@pytest.fixture
def detector():
    return AnomalyDetector("ewma", contamination=0.005, timestamp="hour").fit(rows())


def test_three_lines_judge_a_series(detector):
    assert isinstance(detector.pipeline_, SeriesPipeline)
    result = detector.detect(rows(50, 400, 1).with_columns(cpu=pl.Series(rows(50, 400, 1)["cpu"]).scatter(30, 93.0)))
    assert result.top(1).tolist() == [30]
    assert result.reason[30].startswith("cpu 93 is above the expected")
    of_all = detect(rows(), timestamp="hour", contamination=0.01)
    assert of_all.anomaly_count == 3  # of 399: before the first row there is nothing to hold it against


def test_a_verdict_on_one_row_says_what_was_expected(detector):
    fine, odd = (detector.detect_one({"hour": 400, "cpu": value}) for value in (40.0, 93.0))
    assert (fine.is_anomaly, odd.is_anomaly) == (False, True)
    assert odd.lower < odd.expected < odd.upper < 93.0
    assert fine.reason is None
    assert odd.to_dict()["reason"].startswith("cpu 93 is above the expected")


def test_one_row_is_scored_and_then_learned(detector):
    frame = rows(30, 400, 1)
    expected = SeriesPipeline.from_state(*detector.pipeline_.state()).update(frame)
    before = detector.detect_one(frame.row(0, named=True))
    assert detector.update_one(frame.row(0, named=True)) == before
    for i, record in enumerate(frame[1:].iter_rows(named=True), 1):
        assert detector.update_one(record) == expected.verdict(i)
    assert detector.pipeline_.rows_ == 430


def test_a_stream_is_judged_lazily_row_by_row(detector):
    frame, taken = rows(20, 400, 1), []

    def records():
        for record in frame.iter_rows(named=True):
            taken.append(record)
            yield record

    expected = SeriesPipeline.from_state(*detector.pipeline_.state()).update(frame)
    verdicts = detector.detect_stream(records())
    assert taken == []
    assert next(verdicts) == expected.verdict(0)
    assert len(taken) == 1
    assert list(verdicts) == [expected.verdict(i) for i in range(1, 20)]
    with pytest.raises(NotFittedError):
        SeriesPipeline().detect_stream([])


def test_a_table_streams_too_and_stays_as_it_is():
    table = pl.DataFrame(np.random.default_rng(0).normal(size=(100, 2)), schema=["a", "b"])
    detector = AnomalyDetector("ecod").fit(table)
    found = list(detector.detect_stream(table[:5].iter_rows(named=True)))
    assert [one.score for one in found] == detector.detect(table[:5]).score.tolist()


def test_saved_loaded_and_registered_it_goes_on_alike(detector, tmp_path):
    frame = rows(50, 400, 1)
    expected = detector.detect(frame)
    detector.save(tmp_path / "model")
    again = AnomalyDetector.load(tmp_path / "model")
    LocalRegistry(tmp_path / "registry").register("cpu", detector.pipeline_)
    named = AnomalyDetector.from_registry("cpu", tmp_path / "registry")
    for one in (again, named):
        assert one.detect(frame).to_polars().equals(expected.to_polars())
        assert one.timestamp == "hour"
        assert one.contamination == 0.005
        assert np.array_equal(one.predict(frame), np.where(expected.is_anomaly, -1, 1))


def test_parameters_of_series_and_of_their_algorithm_are_given_by_name():
    made = AnomalyDetector("ewma", timestamp="hour", span=20, direction="rise", contamination=0.01).fit(rows())
    assert made.pipeline_.direction == "rise"
    assert made.pipeline_.detector.span == 20
    again = clone(made).set_params(direction="drop").fit(rows())
    assert again.pipeline_.direction == "drop"
    assert not again.detect_one({"hour": 400, "cpu": 93.0}).is_anomaly
    assert clone(AnomalyDetector(timestamp="hour")).set_params(minimum_absolute=3.0).minimum_absolute == 3.0
    with pytest.raises(ParameterError, match="no_such"):
        AnomalyDetector("ewma", timestamp="hour", no_such=1).fit(rows())
    with pytest.raises(ParameterError, match="timestamp="):
        AnomalyDetector("ewma").fit(rows())
    with pytest.raises(ParameterError, match="direction= is not a parameter of knn"):
        AnomalyDetector("knn", direction="rise", timestamp="hour").fit(rows())


def test_the_rule_is_that_of_the_command_line():
    words = rows().with_columns(note=pl.lit("fine") + (pl.col("hour") % 3).cast(pl.String))
    hosts = rows().with_columns(host=pl.lit("a"))
    assert type(AnomalyDetector("ecod", timestamp="hour").fit(rows()).pipeline_) is Pipeline
    table = AnomalyDetector(timestamp="hour").fit(words)
    assert type(table.pipeline_) is Pipeline
    assert table.detect(words).time is not None
    assert isinstance(AnomalyDetector("ecod", timestamp="hour", key="host").fit(hosts).pipeline_, KeyedPipeline)
    keyed = AnomalyDetector(timestamp="hour", key="host").fit(hosts)
    assert list(keyed.pipeline_.learned_.models) == ["a"]


def test_scikit_learns_scores_of_series_agree_with_the_verdicts(detector):
    frame = rows(40, 400, 1).with_columns(cpu=pl.Series(rows(40, 400, 1)["cpu"]).scatter(3, 0.0))
    verdicts = detector.detect(frame)
    assert np.array_equal(detector.predict(frame) == -1, verdicts.is_anomaly)
    assert np.array_equal(detector.score_samples(frame), -verdicts.anomaly_score)
