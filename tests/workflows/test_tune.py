"""Tuning: the same trials for the same seed however often it is interrupted, and only what is clearly better wins."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import InputError, MissingDependencyError, ParameterError, SchemaError, UnknownNameError
from anomaly_detection.evaluation.rounds import Rounds
from anomaly_detection.registry.local import LocalRegistry
from anomaly_detection.workflows import tune as module
from anomaly_detection.workflows import tune_data
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.models import load_pipeline
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.search import Search
from anomaly_detection.workflows.study import Trial
from anomaly_detection.workflows.trials import Checked, Wanted, best_trials, run_trials
from anomaly_detection.workflows.tune import TuneRequest, TuningInterrupted, tune

pytestmark = pytest.mark.needs_extra("optuna")

ROWS = 240


@pytest.fixture(scope="module")
def records():
    """Two crowds whose anomalies lie between them, which a histogram of each column cannot see but neighbours can."""
    rng = np.random.default_rng(2)
    side = rng.integers(0, 2, ROWS) * 8.0
    x, y = side + rng.normal(size=ROWS), side + rng.normal(size=ROWS)
    label = np.arange(ROWS) % 24 == 0
    y = np.where(label, 8.0 - side + rng.normal(size=ROWS), y)
    return pl.DataFrame({"x": x, "y": y, "shop": rng.choice(["a", "b", "c"], ROWS), "label": label.astype(int)})


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path / "home"))


@pytest.fixture
def data(records, tmp_path):
    path = tmp_path / "data.csv"
    records.write_csv(path)
    return path


@pytest.fixture
def request_(data, tmp_path):
    """A request that takes half a second."""

    def make(label=None, **more):
        ignore = () if label else ("label",)
        usual = {"algorithms": ("hbos", "knn"), "trials": 7, "study": tmp_path / "study.jsonl"}
        reading = Reading(str(data), label=label, ignore=ignore)
        return TuneRequest(reading, "m", registry=tmp_path / "registry", **{**usual, **more})

    return make


def same(trials):
    """What has to be the same of trials; how long they took need not be."""
    return [replace(trial, seconds=0.0) for trial in trials]


def test_against_labels_the_better_algorithm_wins_and_is_registered_with_its_evidence(request_, tmp_path, records):
    outcome = tune(request_("label", aliases=("tried",)))
    assert outcome.improved
    assert outcome.winner.gain > 0.3
    assert outcome.trials[0].point["algorithm"] == "hbos"
    assert outcome.trials[outcome.winner.trial].point["algorithm"] == "knn"
    version = LocalRegistry(tmp_path / "registry").resolve("m@tried")
    assert version == outcome.version
    assert version.metrics["tuned_value"] == outcome.winner.value > version.metrics["defaults_value"]
    assert version.metrics["average_precision"] > 0.6
    evidence = version.lineage.parameters["tuning"]
    assert evidence == json.loads(json.dumps(outcome.to_dict()["tuning"]))
    assert sum(evidence["trials"].values()) == 7
    assert evidence["objective"]["measure"] == "average_precision"
    loaded = load_pipeline("m", tmp_path / "registry")
    assert (loaded.score(records) == outcome.pipeline.score(records)).all()


def test_the_registered_pipeline_is_the_one_of_the_winning_trial(request_):
    outcome = tune(request_("label"))
    point = dict(outcome.trials[outcome.winner.trial].point)
    own = outcome.pipeline.scorer_.detector.parameters()
    assert point["knn.n_neighbors"] == own["n_neighbors"]
    assert point["knn.method"] == own["method"]
    assert outcome.pipeline.scaling == point["knn.scaling"]
    assert outcome.pipeline.transforms == (() if point["knn.transform"] == "none" else (point["knn.transform"],))
    assert outcome.pipeline.contamination == outcome.winner.wish
    assert outcome.pipeline.rows_ == ROWS


@pytest.mark.parametrize("label", [None, "label"])
def test_a_search_in_parts_is_the_search_in_one(request_, label, tmp_path):
    whole = tune(request_(label))
    for trials in (1, 4, 7):
        parts = tune(request_(label, trials=trials, study=tmp_path / "parts"))
    assert same(parts.trials) == same(whole.trials)
    assert parts.winner == whole.winner
    assert len({json.dumps(trial.point) for trial in whole.trials}) > 4
    assert same(tune(request_(label, study=tmp_path / "other", fitting=Fitting(random_state=1))).trials) != same(
        whole.trials
    )


def test_a_study_that_is_done_is_not_run_again(request_, monkeypatch):
    whole = tune(request_())
    runs = []
    monkeypatch.setattr(module, "run_trials", lambda *arguments: runs.append(run_trials(*arguments)))
    monkeypatch.setattr("anomaly_detection.workflows.trials._measured", None)
    again = tune(request_())
    assert again.trials == whole.trials
    assert again.version.version == 2


def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(request_, tmp_path):
    def interrupt(_, done, total):
        if total == 7 and done == 3:
            raise KeyboardInterrupt

    with pytest.raises(TuningInterrupted, match=r"3 of 7 trials are kept in .*study\.jsonl"):
        tune(request_(), interrupt)
    assert not (tmp_path / "registry").exists()
    kept = [json.loads(line) for line in (tmp_path / "study.jsonl").read_text().splitlines()][1:]
    resumed = tune(request_())
    assert [trial.to_dict() for trial in resumed.trials[:3]] == kept


def test_without_labels_anomalies_are_injected_and_the_label_is_not_looked_at(request_):
    outcome = tune(request_())
    assert outcome.objective["against"] == "injected anomalies"
    assert outcome.evaluation is None
    parts = outcome.trials[0].parts
    assert set(parts) == {"extreme", "cluster", "category", "stability"}
    kinds = np.mean([parts[kind] for kind in ("extreme", "cluster", "category")])
    assert outcome.trials[0].value == pytest.approx((kinds + parts["stability"]) / 2)


def test_what_is_not_clearly_better_is_not_registered(request_):
    outcome = tune(request_(algorithms=("ecod",), trials=3))
    assert not outcome.improved
    assert outcome.winner == outcome.baseline
    assert outcome.to_dict()["tuning"]["improved"] is False
    assert [trial.value for trial in outcome.trials] == [outcome.trials[0].value] * 3
    assert outcome.pipeline.scorer_.detector.parameters()["quantile_points"] == 1024


def checked(trial, gain, error=0.01, alarms=0.01):
    return Checked(trial, 0.5 + gain, gain, error, "auto", alarms, None)


@pytest.mark.parametrize(
    ("gains", "most", "winner"),
    [
        ([0.2, 0.1], None, 1),
        ([0.019, 0.004], None, 0),
        ([0.019, 0.021], None, 2),
        ([-0.1], None, 0),
        ([], None, 0),
        ([0.2, 0.1], 0.005, None),
    ],
)
def test_the_winner_is_clearly_better_and_within_the_alarms(gains, most, winner):
    others = [checked(number + 1, gain) for number, gain in enumerate(gains)]
    study = type("Study", (), {"trials": [_trial(0, 0.5, 0.02)], "path": "s"})
    wanted = Wanted(Fitting(), most)
    if winner is None:
        with pytest.raises(InputError, match=r"the fewest alarms were 0\.02"):
            module._winner(checked(0, 0.0), others, study, wanted)
    else:
        assert module._winner(checked(0, 0.0), others, study, wanted).trial == winner


def test_one_within_the_alarms_wins_over_defaults_that_are_not():
    others = [checked(1, 0.3, alarms=0.5), checked(2, -0.1, alarms=0.001)]
    wanted = Wanted(Fitting(), 0.005)
    assert module._winner(checked(0, 0.0), others, None, wanted).trial == 2


def _trial(number, value, alarms=0.01, state="complete", point=None):
    return Trial(
        number, state, point or {"algorithm": "knn", "knn.n_neighbors": number}, [value], value, {}, "auto", alarms
    )


def test_the_best_trials_are_complete_within_the_alarms_and_each_point_comes_once():
    point = {"algorithm": "ecod"}
    trials = [
        _trial(0, 0.5),
        _trial(1, 0.9, alarms=0.2),
        _trial(2, 0.8, state="pruned"),
        _trial(3, 0.7, point=point),
        _trial(4, 0.7, point=point),
        _trial(5, 0.6),
    ]
    assert [trial.number for trial in best_trials(trials, Wanted(Fitting(), 0.1))] == [3, 5, 0]
    assert [trial.number for trial in best_trials(trials, Wanted(Fitting()))] == [1, 3, 5, 0]


def test_a_limit_on_alarms_is_kept(request_):
    free = tune(request_("label", study=None))
    bound = tune(request_("label", max_alarms=0.004, study=None))
    assert bound.winner.alarms <= 0.004 < free.winner.alarms
    assert bound.version.metrics["false_positive_rate"] <= 0.004
    assert all(trial.alarms is None or trial.alarms >= 0 for trial in bound.trials)


def test_a_line_that_is_given_is_kept_and_can_make_every_trial_infeasible(request_, tmp_path):
    outcome = tune(request_(fitting=Fitting(contamination=0.2)))
    assert outcome.pipeline.alpha_ == 0.2
    assert {trial.wish for trial in outcome.trials if trial.complete} == {0.2}
    request = request_(fitting=Fitting(contamination=0.2), max_alarms=0.01, study=tmp_path / "s")
    with pytest.raises(InputError, match=r"--max-alarms 0.01: none of 7 trials keeps within it"):
        tune(request)
    assert [version.version for version in LocalRegistry(tmp_path / "registry").versions("m")] == [1]
    named = tune(request_(fitting=Fitting(threshold="max_percentile:percentile=90"), study=None))
    assert named.pipeline.threshold == "max_percentile:percentile=90"
    assert 0.05 < named.pipeline.alpha_ < 0.15


def test_too_many_alarms_are_a_constraint_of_the_search():
    search = Search(("knn",), 0.01, 0)
    search.replay([_trial(0, 0.5, 0.03, point=space_point())])
    (trial,) = search._study.trials
    assert trial.constraints == pytest.approx({"alarms": 0.02})


def space_point():
    return {
        "algorithm": "knn",
        "knn.n_neighbors": 5,
        "knn.method": "largest",
        "knn.scaling": "standard",
        "knn.transform": "none",
    }


def test_a_poor_trial_is_given_up_early(request_):
    outcome = tune(request_("label", trials=22))
    pruned = [trial for trial in outcome.trials if trial.state == "pruned"]
    assert pruned
    assert all(len(trial.rounds) < 3 and trial.alarms is None for trial in pruned)
    assert all(trial.value <= max(one.value for one in outcome.trials) for trial in pruned)


def test_when_the_time_is_up_the_defaults_are_registered(request_):
    outcome = tune(request_(timeout_seconds=1e-9))
    assert len(outcome.trials) == 1
    assert not outcome.improved
    assert "the time was up after 1 of 7 trials" in outcome.notes[-1]
    assert len(tune(request_()).trials) == 7


def test_a_trial_that_fails_is_kept_and_others_go_on(request_, monkeypatch):
    def failing(self, pipeline, one):
        if pipeline.scaling == "minmax":
            raise InputError("no such luck")
        return run(self, pipeline, one)

    run = Rounds.run
    monkeypatch.setattr(Rounds, "run", failing)
    outcome = tune(request_(trials=14))
    failed = [trial for trial in outcome.trials if trial.state == "failed"]
    assert failed
    assert {trial.problem for trial in failed} == {"no such luck"}
    assert len(outcome.trials) == 14
    assert same(tune(request_(trials=14)).trials) == same(outcome.trials)


def test_a_study_of_other_data_or_another_search_is_refused(request_, data, records):
    tune(request_(trials=2))
    for more, words in (
        ({"fitting": Fitting(random_state=1)}, "its seed is not the same"),
        ({"algorithms": ("hbos",)}, "its search space is not the same"),
        ({"measure": "average_precision"}, "its objective is not the same"),
        ({"kinds": ("missing",)}, "its objective is not the same"),
    ):
        with pytest.raises(InputError, match=words):
            tune(request_(trials=2, **more))
    records.head(200).write_csv(data)
    with pytest.raises(InputError, match="the data"):
        tune(request_(trials=2))


def test_each_search_has_a_file_of_its_own_in_the_home_folder(request_, tmp_path):
    first, second = (tune(request_(trials=1, study=None, fitting=Fitting(random_state=seed))) for seed in (0, 1))
    assert first.study != second.study
    assert {path.name for path in (tmp_path / "home" / "studies").iterdir()} == {first.study.name, second.study.name}
    assert tune(request_(trials=1, study=None)).trials == first.trials


def test_a_study_with_a_trial_outside_the_space_is_refused(request_, tmp_path):
    tune(request_(trials=2))
    path = tmp_path / "study.jsonl"
    path.write_text(path.read_text().replace('"knn.n_neighbors":5', '"knn.n_neighbors":5000'))
    with pytest.raises(InputError, match="Trial 1 of the study does not lie in the space"):
        tune(request_(trials=3))


def test_nothing_is_pickled(request_, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("pickled")

    for name in ("dump", "dumps", "load", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)
    tune(request_(trials=4))
    tune(request_(trials=5))


def test_many_rows_are_measured_on_a_sample_and_fitted_on_all(request_, monkeypatch):
    monkeypatch.setattr(tune_data, "MOST_ROWS", 100)
    outcome = tune(request_(trials=2))
    assert outcome.objective["rows"] == 100
    assert outcome.pipeline.rows_ == ROWS


def test_a_sample_keeps_rare_anomalies(monkeypatch):
    monkeypatch.setattr(tune_data, "MOST_ROWS", 100)
    rare, common = np.arange(10_000) % 2_000 == 0, np.arange(10_000) % 2 == 0
    assert rare[tune_data.sampled_rows(10_000, rare, 0)].sum() == 5
    assert 30 < common[tune_data.sampled_rows(10_000, common, 0)].sum() < 70
    for labels in (rare, common, None):
        assert len(set(tune_data.sampled_rows(10_000, labels, 0))) == 100
    assert (tune_data.sampled_rows(50, None, 0) == np.arange(50)).all()


def test_alarms_that_no_line_could_prevent_are_noted(request_, monkeypatch):
    monkeypatch.setattr(module, "_alarms", lambda *_: 0.2)
    outcome = tune(request_("label", max_alarms=0.01))
    assert outcome.pipeline.contamination == 0.001
    assert "0.2 of the normal ones raise an alarm" in outcome.notes[-1]


def test_ctrl_c_while_fitting_says_how_to_go_on(request_, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_fitted", interrupt)
    with pytest.raises(TuningInterrupted, match="7 of 7 trials are kept"):
        tune(request_())


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"trials": 0}, ParameterError, "--trials 0"),
        ({"timeout_seconds": 0.0}, ParameterError, "--timeout"),
        ({"timeout_seconds": float("nan")}, ParameterError, "--timeout"),
        ({"max_alarms": 0.0}, ParameterError, "--max-alarms"),
        ({"max_alarms": 0.9}, ParameterError, "--max-alarms"),
        ({"measure": "f2"}, ParameterError, "'average_precision', 'auroc'"),
        ({"kinds": ("extreme",), "label": "label"}, ParameterError, "--kinds"),
        ({"kinds": ("odd",)}, InputError, "Possible here: extreme"),
        ({"algorithms": ("hbso",)}, UnknownNameError, "Did you mean 'hbos'"),
        ({"fitting": Fitting(contamination=0.9)}, ParameterError, "contamination"),
        ({"fitting": Fitting(contamination=0.1, threshold="static")}, ParameterError, "both set"),
        ({"label": "shop"}, InputError, "Labels have to be"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(request_, tmp_path, more, error, words):
    with pytest.raises(error, match=words):
        tune(request_(**more))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]


@pytest.mark.parametrize(
    ("frame", "label", "error", "words"),
    [
        ({"x": [1.0]}, None, InputError, "at least 8 rows"),
        ({"x": [1.0] * 50, "y": [2] * 50}, None, SchemaError, "No column is left"),
        ({"x": [1.5, 2.5] * 25, "y": [0] * 50}, "y", InputError, "at least 2 anomalies and 2 normal rows"),
        ({"x": [1.5, 2.5] * 25, "y": [1] + [0] * 49}, "y", InputError, "the label has 1 and 49"),
        ({"y": [0, 1] * 25}, "y", SchemaError, "No column is left"),
    ],
)
def test_data_that_cannot_be_tuned_on_is_refused(request_, data, tmp_path, frame, label, error, words):
    pl.DataFrame(frame).write_csv(data)
    request = replace(request_(), reading=Reading(str(data), label=label))
    with pytest.raises(error, match=words):
        tune(request)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]


def test_a_few_rows_and_columns_of_words_are_enough(request_, data):
    pl.DataFrame({"c": ["a", "b", "c", "a", "a", "b", "a", "b", "a"]}).write_csv(data)
    outcome = tune(replace(request_(trials=3), reading=Reading(str(data))))
    assert outcome.objective["kinds"] == ["category"]
    pl.DataFrame({"b": [True, False, False] * 5}).write_csv(data)
    outcome = tune(replace(request_(trials=3, study=None), reading=Reading(str(data))))
    assert outcome.objective["kinds"] == ["missing"]


def test_a_missing_optuna_names_the_extra(request_, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingDependencyError, match=r"anomaly-detection\[tune\]"):
        tune(request_())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv"]
