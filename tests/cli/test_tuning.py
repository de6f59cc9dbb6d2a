"""`models tune`: what it says to people and machines, interruptions, and input that cannot be tuned on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import polars as pl
import pytest

from cli.conftest import environment, files_in, numbers

pytestmark = pytest.mark.needs_extra("optuna")

TUNE = ("models", "tune", "--data")

PACED = """
import sys
sys.argv[0] = "anomaly-detection"
from anomaly_detection.cli import main
from anomaly_detection.workflows import study

append = study.StudyFile.append

def paced(self, trial):
    append(self, trial)
    print(trial.number, flush=True)
    sys.stdin.readline()

study.StudyFile.append = paced
main()
"""


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path / "home"))


@pytest.fixture
def tuned(ad, orders):
    """Run a small search on the orders."""

    def call(*more):
        return ad(*TUNE, orders, "--name", "m", "--ignore", "fraud", "--algorithm", "hbos,knn", "--trials", 8, *more)

    return call


def test_a_person_sees_the_best_trials_the_gain_and_what_was_registered(tuned):
    ran = tuned("--alias", "production")
    assert ran.code == 0
    assert ran.err == ""
    assert "Best of 8 trials" in ran.out
    assert "stability" in ran.out
    assert "hbos(n_bins=auto)" in ran.out
    assert "defaults" in ran.out
    assert "Registered m@1" in ran.out
    assert ", production" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 110


def test_quiet_leaves_out_the_table_of_trials(tuned):
    ran = tuned("--quiet")
    assert "Best of" not in ran.out
    assert "Registered m@1" in ran.out


def test_a_machine_gets_the_evidence(tuned, ad):
    found = tuned("--json").json
    tuning = found["tuning"]
    assert found["name"] == "m"
    assert sum(tuning["trials"].values()) == 8
    assert tuning["objective"]["kinds"] == ["extreme", "cluster"]
    assert tuning["baseline"]["point"]["algorithm"] == "hbos"
    assert tuning["top"][0]["value"] >= tuning["top"][1]["value"]
    shown = ad("models", "show", "m@1", "--json").json
    assert shown["version"]["lineage"]["parameters"]["tuning"] == tuning
    assert shown["version"]["metrics"]["tuned_value"] == tuning["winner"]["value"]


def test_labels_are_tuned_against_and_the_model_is_evaluated(ad, orders):
    ran = ad(
        *TUNE, orders, "--name", "m", "--label", "fraud", "-a", "ecod,knn", "--trials", 4, "--max-alarms", "5/1000"
    )
    assert ran.code == 0
    assert "average_precision against the label" in ran.out
    assert "auroc" in ran.out
    scored = ad("detection", "run", "--data", orders, "--model", "m", "--json").json
    assert {0, 1, 2} <= {one["row"] for one in scored["anomalies"]}


def test_the_same_command_goes_on(tuned):
    first, second = tuned("--json").json, tuned("--json", "--trials", 10).json
    assert (first["version"], second["version"]) == (1, 2)
    assert first["study"] == second["study"]
    assert sum(second["tuning"]["trials"].values()) == 10


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_search_that_was_interrupted_goes_on_as_if_it_had_not_been(ad, orders, tmp_path, number, code):
    arguments = [
        *TUNE[:2],
        "--data",
        str(orders),
        "--name",
        "m",
        "--ignore",
        "fraud",
        "-a",
        "hbos,ecod",
        "--trials",
        "6",
    ]
    program = [sys.executable, "-c", PACED, *arguments, "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, env=environment(), **pipes) as process:
        for step in range(3):
            assert process.stdout.readline() == f"{step}\n"
            if step < 2:
                process.stdin.write("\n")
                process.stdin.flush()
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == code
    if number == signal.SIGINT:
        assert "3 of 6 trials are kept in" in said
        assert "The same command goes on from there." in said
        assert "Traceback" not in said
    assert not (tmp_path / "registry").exists()
    (study,) = (tmp_path / "home" / "studies").iterdir()
    kept = study.read_text()
    assert len(kept.splitlines()) == 4
    resumed = ad(*arguments, "--json").json
    assert study.read_text().startswith(kept)
    whole = ad(*arguments, "--json", "--study", tmp_path / "whole").json
    assert points(study) == points(tmp_path / "whole")
    assert resumed["tuning"]["winner"] == whole["tuning"]["winner"]


def points(study):
    trials = [json.loads(line) for line in study.read_text().splitlines()[1:]]
    return [(trial["point"], trial["value"], trial["alarms"]) for trial in trials]


def test_the_result_is_compared_with_the_default_algorithm(ad, orders, tuned):
    ran = tuned()
    found = " ".join(ran.out.split())
    assert "The default algorithm auto, which has nothing to tune, has " in found
    default = tuned("--json").json["tuning"]["default"]
    assert default["algorithm"] == "auto"
    assert f"has {default['value']:.3f} there" in found
    assert "auto has nothing to tune" in " ".join(ad("models", "tune", "--help").out.replace("│", " ").split())
    competed = ad(*TUNE, orders, "--name", "m", "--ignore", "fraud", "-a", "auto", "--trials", 1, "--json").json
    assert competed["tuning"]["default"] is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--trials", "0"], "--trials 0"),
        (["--timeout", "0"], "--timeout"),
        (["--max-alarms", "many"], "5/1000"),
        (["--max-alarms", "1/0"], "5/1000"),
        (["--max-alarms", "nan"], "--max-alarms"),
        (["--max-alarms", "900/1000"], "at most 0.5"),
        (["--measure", "f1"], "'average_precision', 'auroc'"),
        (["--kinds", "local,odd"], "'odd' cannot be injected"),
        (["--label", "fraud", "--kinds", "local"], "--kinds"),
        (["--label", "frud"], "Did you mean 'fraud'"),
        (["--algorithm", "hboss"], "Did you mean 'hbos'"),
        (["--alias", "a b"], "alias"),
        (["--study", "DATA"], "not a study"),
        (["--contamination", "0.1", "--threshold", "static"], "both set the alarm line"),
    ],
)
def test_what_cannot_be_meant_is_refused(refused, orders, more, words):
    assert words in refused(*TUNE, orders, "--name", "m", *(orders if each == "DATA" else each for each in more))


def test_data_that_cannot_be_tuned_on_is_refused(refused, table):
    assert "got 1 sample" in refused(*TUNE, table("x\n1\n"), "--name", "m")
    constant = pl.DataFrame({"x": [1.5] * 20})
    assert "constant" in refused(*TUNE, table(constant), "--name", "m")
    normal = numbers().with_columns(fraud=0)
    assert "has 0 and 300" in refused(*TUNE, table(normal), "--name", "m", "--label", "fraud")


@pytest.mark.needs_extra("pyod", "skops")
@pytest.mark.parametrize(
    ("names", "words"),
    [("cof", "pyod_cof is labelled batch only. Use lof"), ("hbos,lmdd", "pyod_lmdd is labelled batch only. Use mad")],
)
def test_an_algorithm_that_cannot_be_registered_is_refused_before_any_trial(refused, orders, names, words):
    assert words in refused(*TUNE, orders, "--name", "m", "--algorithm", names)


def test_a_study_of_other_data_is_refused_and_kept(refused, ad, table, tmp_path):
    study = ["--study", tmp_path / "study", "--name", "m", "--trials", "2", "-a", "ecod"]
    assert ad(*TUNE, table(numbers()), *study).code == 0
    before = files_in(tmp_path / "study")
    assert "the data is not the same" in refused(*TUNE, table(numbers(seed=1), "other.csv"), *study)
    assert files_in(tmp_path / "study") == before


def test_a_missing_optuna_names_the_extra(refused, orders, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "anomaly-detection[tune]" in refused(*TUNE, orders, "--name", "m")
