"""The Python door: scikit-learn's contract, three lines, saving and loading."""

import pickle

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError as NotFittedYet
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import anomaly_detection
from anomaly_detection import AnomalyDetector, detect
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, UnknownNameError
from anomaly_detection.keyed import KeyedPipeline
from anomaly_detection.registry import LocalRegistry


def numbers(rows: int = 500, seed: int = 0) -> np.ndarray:
    data = np.random.default_rng(seed).normal(size=(rows, 3))
    data[:5] += 9
    return data


@parametrize_with_checks([AnomalyDetector(name) for name in ("isolation_forest", "knn", "ecod", "pca")])
def test_scikit_learns_estimator_checks_pass(estimator, check):
    check(estimator)


def test_three_lines_find_the_planted_rows():
    frame = pl.DataFrame(numbers(), schema=["a", "b", "c"])
    detector = AnomalyDetector(algorithm="isolation_forest", contamination=0.05, random_state=0).fit(frame)
    result = detector.detect(frame)
    assert result.is_anomaly[:5].all()
    assert result.anomaly_count == pytest.approx(25, abs=8)
    assert set(result.top(5).tolist()) == set(range(5))


@pytest.mark.parametrize("wrap", [np.asarray, lambda x: pl.DataFrame(x, schema=["a", "b", "c"]), np.ndarray.tolist])
def test_the_kind_of_table_does_not_change_the_scores(wrap):
    data = numbers()
    plain = AnomalyDetector("ecod").fit(data).detect(data).score
    assert np.array_equal(AnomalyDetector("ecod").fit(wrap(data)).detect(wrap(data)).score, plain)


def test_lists_of_dicts_are_tables():
    rows = [{"amount": 10.0 + i % 7, "country": "NL"} for i in range(200)] + [{"amount": 900.0, "country": "XX"}]
    assert detect(rows).top(1).tolist() == [200]
    assert AnomalyDetector("ecod").fit(rows).detect_one({"amount": 900.0, "country": "XX"}).is_anomaly


def test_results_come_as_columns_frames_and_dicts():
    result = detect(numbers(), "ecod", contamination=0.02)
    columns = ["row", "score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence"]
    assert result.to_polars().columns == columns
    assert list(result.to_dicts()[0]) == columns
    assert result.anomaly_count == int(result.is_anomaly.sum()) == 10


def test_a_detector_from_the_registry_draws_the_line_of_its_verdicts(tmp_path):
    data = numbers()
    LocalRegistry(tmp_path).register("numbers", AnomalyDetector("ecod").fit(data).pipeline_)
    loaded = AnomalyDetector.from_registry("numbers", registry=tmp_path)
    assert np.array_equal(loaded.predict(data) == -1, loaded.detect(data).is_anomaly)


def named_table(rows=300):
    values = numbers(rows)
    return pl.DataFrame({"id": [f"r{i}" for i in range(rows)], "a": values[:, 0], "same": 1.0, "b": values[:, 1]})


def test_verdicts_need_the_fitted_columns_and_mind_no_others(tmp_path):
    frame = named_table()
    detector = AnomalyDetector("ecod", contamination=0.05).fit(frame)
    LocalRegistry(tmp_path).register("table", detector.pipeline_)
    detector.save(tmp_path / "model")
    shuffled = frame.select("b", "a").with_columns(pl.lit("new").alias("more"))
    expected = list(detector.detect(frame))
    copies = (AnomalyDetector.from_registry("table", registry=tmp_path), AnomalyDetector.load(tmp_path / "model"))
    for one in (detector, *copies):
        assert list(one.detect(shuffled)) == expected
        assert one.explain(shuffled, [0]) == detector.explain(frame, [0])
    assert list(copies[0].detect(frame.select("a", "b").to_numpy())) == expected
    assert np.array_equal(copies[0].predict(frame), copies[0].predict(shuffled))


def test_columns_of_arrays_are_never_taken_for_row_numbers():
    ordered = np.column_stack([np.arange(100), np.arange(100)[::-1]])
    assert len(detect(ordered, "ecod")) == 100


def test_a_result_prints_as_one_line():
    assert repr(detect(numbers(), "ecod", contamination=0.02)) == "Result(10 anomalies in 500 rows at alpha=0.02)"


def test_predict_flags_the_share_asked_for_of_the_training_rows():
    data = numbers(1000)
    assert (AnomalyDetector("isolation_forest", contamination=0.1).fit_predict(data) == -1).sum() == 100


def test_lower_decisions_are_more_anomalous_as_in_scikit_learn():
    data = numbers()
    detector = AnomalyDetector("ecod", contamination=0.05).fit(data)
    assert detector.decision_function(data)[:5].max() < 0
    assert np.array_equal(detector.predict(data) == -1, detector.decision_function(data) < 0)
    assert np.array_equal(detector.score_samples(data), -detector.detect(data).score)


def test_parameters_of_the_algorithm_can_be_searched():
    data, labels = numbers(), np.where(np.arange(500) < 5, -1, 1)
    search = GridSearchCV(
        AnomalyDetector("isolation_forest", contamination=0.05),
        {"n_estimators": [10, 20]},
        scoring="accuracy",
        cv=2,
    )
    search.fit(data, labels)
    assert search.best_params_["n_estimators"] in (10, 20)
    chained = make_pipeline(StandardScaler(), AnomalyDetector("ecod", contamination=0.05)).fit(data)
    assert (chained.predict(data) == -1).sum() == 25


def test_clones_carry_the_algorithms_parameters():
    original = AnomalyDetector("isolation_forest", n_estimators=33, contamination=0.2)
    assert clone(original).get_params() == original.get_params()
    assert clone(original).fit(numbers()).pipeline_.scorer_.detector.n_estimators == 33


def test_a_saved_detector_gives_the_same_bits(tmp_path):
    frame = pl.DataFrame(numbers(), schema=["a", "b", "c"])
    detector = AnomalyDetector("isolation_forest", contamination=0.05, n_estimators=20).fit(frame)
    detector.save(tmp_path / "model")
    copy = AnomalyDetector.load(tmp_path / "model")
    assert list(copy.detect(frame)) == list(detector.detect(frame))
    assert np.array_equal(copy.predict(frame), detector.predict(frame))
    assert copy.get_params() == detector.get_params()


def test_a_detector_saved_again_takes_the_place_of_the_old_one(tmp_path):
    first, second = (AnomalyDetector("ecod").fit(numbers(seed=seed)) for seed in (0, 1))
    first.save(tmp_path / "model")
    second.save(tmp_path / "model")
    assert np.array_equal(
        AnomalyDetector.load(tmp_path / "model").score_samples(numbers()), second.score_samples(numbers())
    )


def test_a_changed_model_is_not_loaded(tmp_path):
    AnomalyDetector("ecod").fit(numbers()).save(tmp_path / "model")
    arrays = tmp_path / "model" / "arrays.npz"
    content = bytearray(arrays.read_bytes())
    content[len(content) // 2] ^= 1
    arrays.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=r"arrays\.npz"):
        AnomalyDetector.load(tmp_path / "model")


def test_registered_models_load_by_name_and_alias(tmp_path):
    data = numbers()
    detector = AnomalyDetector("ecod", contamination=0.05).fit(data)
    LocalRegistry(tmp_path).register("orders", detector.pipeline_, aliases=["production"])
    loaded = AnomalyDetector.from_registry("orders@production", registry=tmp_path)
    assert list(loaded.detect(data)) == list(detector.detect(data))
    assert loaded.algorithm == "ecod"


def test_copies_through_pickle_work_without_pickling_what_is_compiled():
    detector = AnomalyDetector("isolation_forest").fit(numbers())
    copy = pickle.loads(pickle.dumps(detector))
    assert np.array_equal(copy.score_samples(numbers()), detector.score_samples(numbers()))


def test_errors_name_the_way_out():
    with pytest.raises(UnknownNameError, match="Did you mean 'isolation_forest'"):
        AnomalyDetector("isolation_forrest").fit(numbers())
    with pytest.raises(ParameterError, match="Did you mean 'n_estimators'"):
        AnomalyDetector("isolation_forest", n_estimator=10).fit(numbers())
    with pytest.raises(ParameterError, match="contamination"):
        AnomalyDetector("ecod", contamination=0.6).fit(numbers())
    with pytest.raises((NotFittedError, ValueError), match="not fitted"):
        AnomalyDetector().detect(numbers())


@pytest.mark.parametrize("key", [None, "host"])
def test_nothing_can_be_asked_of_a_detector_that_is_not_fitted(key):
    for verb in ("score_samples", "decision_function", "predict", "detect", "detect_one", "update", "explain"):
        with pytest.raises(NotFittedYet, match="This AnomalyDetector instance is not fitted yet"):
            getattr(AnomalyDetector(key=key), verb)(numbers())


@pytest.mark.parametrize("key", [3, ["host", 3], {"host"}, True])
def test_a_key_that_is_no_name_is_refused(key):
    with pytest.raises(ParameterError, match=r"AnomalyDetector: parameter key=.* must be the name of a column"):
        AnomalyDetector(key=key).fit(pl.DataFrame({"host": ["a", "b"] * 30, "load": range(60)}))
    with pytest.raises(ParameterError, match=r"KeyedPipeline: parameter key=.* must be the name of a column"):
        KeyedPipeline(key).fit(pl.DataFrame({"host": ["a", "b"] * 30, "load": range(60)}))


@pytest.mark.parametrize("key", [None, "host"])
def test_a_mask_chooses_the_rows_to_explain(key):
    frame = pl.DataFrame({"host": ["a", "b"] * 50, "load": np.random.default_rng(0).normal(size=100)})
    detector = AnomalyDetector("ecod", key=key).fit(frame)
    mask = np.isin(np.arange(100), [41, 7])
    for rows in (mask, mask.tolist(), pl.Series(mask), [7, 41]):
        assert [one.row for one in detector.explain(frame, rows=rows)] == [7, 41]
    assert detector.explain(frame, rows=~mask & mask) == []
    for rows in ([True, False], np.ones(101, dtype=bool), [True, 3]):
        with pytest.raises(InputError, match="a mask has true or false for each of the 100 rows"):
            detector.explain(frame, rows=rows)


def test_the_public_names_are_those_that_are_listed():
    assert sorted(anomaly_detection.__all__) == anomaly_detection.__dir__()
    for name in anomaly_detection.__all__:
        assert getattr(anomaly_detection, name) is not None


@pytest.mark.parametrize("seed", [1.5, "1", np.random.default_rng(0)])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(ParameterError, match="random_state"):
        AnomalyDetector(random_state=seed).fit(numbers(60))


@pytest.mark.parametrize("seed", [np.int64(7), 7.0])
def test_a_whole_number_of_any_type_is_a_seed(seed):
    detector = AnomalyDetector(random_state=seed).fit(numbers(60))
    np.testing.assert_array_equal(
        detector.score_samples(numbers(60)), AnomalyDetector(random_state=7).fit(numbers(60)).score_samples(numbers(60))
    )


def test_comparing_results_gives_a_truth_value():
    result = detect(numbers(60))
    same = result
    assert result == same
    assert result != detect(numbers(60))


def per_host():
    host, rng = np.arange(1_200) % 4, np.random.default_rng(0)
    return pl.DataFrame({"host": host, "x": 40.0 * host + rng.normal(size=1_200), "y": rng.normal(size=1_200)})


@pytest.mark.parametrize("algorithm", ["isolation_forest", "density"])
def test_a_model_per_key(tmp_path, algorithm):
    frame = per_host()
    detector = AnomalyDetector(algorithm, key="host", min_rows=100, contamination=0.01).fit(frame)
    assert [detector.detect_one({"host": host, "x": 40.0, "y": 0.0}).is_anomaly for host in range(4)] == [1, 0, 1, 1]
    again = AnomalyDetector.load(detector.save(tmp_path / "model"))
    assert again.get_params() == detector.get_params()
    np.testing.assert_array_equal(again.score_samples(frame), detector.score_samples(frame))
    assert (detector.predict(frame) == -1).sum() == pytest.approx(12, abs=6)
    assert detect(frame, algorithm, key="host", contamination=0.01).anomaly_count == 12


def test_the_ensemble_that_density_chooses_needs_a_key():
    with pytest.raises(ParameterError, match="--per-key"):
        AnomalyDetector("density_chosen").fit(per_host())
