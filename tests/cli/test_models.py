"""`models`, `health` and `demo`: round trips, and what each says to a machine."""

from __future__ import annotations

import json

import pytest

from anomaly_detection.cli import completion
from anomaly_detection.version import __version__


@pytest.fixture
def trained(ad, orders):
    """Two versions of a model, the first in production."""
    for algorithm, more in (("ecod", ["--alias", "production"]), ("isolation_forest", [])):
        ran = ad(
            *("models", "train", "--data", orders, "--name", "orders", "--label", "fraud"),
            *("--algorithm", algorithm, "--json", *more),
        )
        assert ran.code == 0
    return ran.json


def test_training_says_what_was_registered_and_how_good_it_is(trained):
    assert (trained["name"], trained["version"], trained["aliases"]) == ("orders", 2, [])
    assert trained["evaluation"]["auroc"] == trained["metrics"]["auroc"] == 1.0
    assert trained["lineage"]["rows"] == 300
    assert [column["name"] for column in trained["schema"]["features"]] == ["x", "y"]


def test_training_for_a_person(ad, orders):
    ran = ad("models", "train", "--data", orders, "--name", "m", "--label", "fraud", "--alias", "production,testing")
    assert ran.code == 0
    assert "Registered m@1" in ran.out
    assert "production, testing" in ran.out
    assert "auroc" in ran.out


@pytest.mark.usefixtures("trained")
def test_a_model_is_listed_shown_moved_and_deleted(ad):
    (listed,) = ad("models", "list", "--json").json
    assert listed["versions"] == [1, 2]
    assert listed["aliases"] == {"production": 1}
    assert ad("models", "show", "orders", "--json").json["version"]["version"] == 1
    assert ad("models", "promote", "orders", "2", "--json").json["aliases"] == ["production"]
    assert ad("models", "show", "orders@production", "--json").json["version"]["version"] == 2
    assert ad("models", "promote", "orders@1", "--alias", "challenger").out == "orders@challenger is now version 1.\n"
    assert ad("models", "promote", "orders@challenger").out == "orders@production is now version 1.\n"
    assert ad("models", "promote", "orders@2").out == "orders@production is now version 2.\n"
    assert ad("models", "rollback", "orders").out == "orders@production is now version 1.\n"
    assert ad("models", "delete", "orders@2", "--json").json == {"name": "orders", "deleted": [2]}
    assert ad("models", "delete", "orders", "--force").out == "Deleted orders version 1.\n"
    assert ad("models", "list", "--json").json == []
    assert "No models yet" in ad("models", "list").out


@pytest.mark.usefixtures("trained")
def test_tables_for_people_name_what_matters(ad):
    assert "production → 1" in ad("models", "list").out
    shown = ad("models", "show", "orders@2").out
    for word in ("isolation_forest(n_estimators=100", "SHA-256", "x, y", "auroc"):
        assert word in shown


@pytest.mark.usefixtures("trained")
def test_a_model_goes_into_a_file_and_comes_back_the_same(ad, tmp_path, orders):
    file = tmp_path / "orders.model"
    sent = ad("models", "export", "orders@1", "--output", file, "--json").json
    assert sent == {"reference": "orders@1", "file": str(file)}
    came = ad("models", "import", file, "--name", "copy", "--json").json
    assert (came["name"], came["imported_from"]) == ("copy", "orders@1")
    run = ("detection", "run", "--data", orders, "--json", "--model")
    first, second = ad(*run, "orders@1").json, ad(*run, "copy").json
    assert first["anomalies"] == second["anomalies"]
    assert ad("models", "export", "orders@1", "--output", file).code == 2
    assert ad("models", "export", "orders@1", "--output", file, "--force").code == 0


@pytest.mark.usefixtures("trained")
def test_versions_are_compared_by_their_metrics_and_on_the_same_rows(ad, orders):
    stored = ad("models", "compare", "orders@1", "orders@2", "--json").json
    assert stored["paired"] == {}
    assert {"orders@1", "orders@2", "difference"} < set(stored["stored"][0])
    both = ("models", "compare", "orders@1", "orders@2", "--data", orders, "--label", "fraud")
    assert ad(*both, "--json").json["paired"]["auroc"]["difference"] == 0.0
    shown = ad(*both).out
    assert "When they were registered" in shown
    assert "On the same rows" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "orders@1", "orders@2", "--data", "DATA"], "name the column with --label"),
        (["compare", "orders@1", "orders@2", "--label", "fraud"], "--data"),
        (["compare", "orders@1", "orders@2", "--data", "DATA", "--label", "frod"], "Did you mean 'fraud'?"),
        (["show", "ordrs"], "Did you mean 'orders'?"),
        (["show", "orders@7"], "has no version 7. It has: 1, 2"),
        (["show", "orders@prodution"], "Did you mean 'production'"),
        (["promote", "orders", "9"], "has no version 9"),
        (["promote", "orders@9"], "has no version 9"),
        (["promote", "orders"], "models promote orders 2, or models promote orders@2."),
        (["promote", "orders@1", "1"], "both say which version is meant"),
        (["rollback", "orders"], "cannot be rolled back"),
        (["delete", "orders"], "--force"),
        (["delete", "orders@1"], "in use by production"),
        (["import", "DATA"], ""),
    ],
)
def test_what_cannot_be_done_says_the_way_out(refused, orders, arguments, words):
    assert words in refused("models", *(orders if each == "DATA" else each for each in arguments))


def test_algorithms_are_listed_for_people_and_machines(ad):
    rows = {row["name"]: row for row in ad("models", "list", "--algorithms", "--json").json}
    assert {"isolation_forest", "lof", "ecod"} <= set(rows)
    assert rows["isolation_forest"]["labels"] == ["streaming", "missing values", "categories"]
    assert rows["isolation_forest"]["extra"] is None
    assert rows["pyod_sos"]["labels"] == ["batch only", "no missing values"]
    assert rows["pyod_vae"]["labels"] == ["batch only", "no missing values", "needs torch", "not saved"]
    assert (rows["pyod_sos"]["extra"], rows["pyod_sos"]["aliases"][0]) == ("pyod", "sos")
    assert "isolation_forest" in ad("models", "list", "--algorithms").out


@pytest.mark.needs_extra("pyod", "skops")
def test_a_label_in_the_way_is_refused_with_what_to_use_instead(ad, refused, orders):
    for name, words in (("sos", "labelled batch only. Use knn"), ("lmdd", "labelled batch only. Use mad")):
        assert words in refused("models", "train", "--data", orders, "--name", "odd", "--algorithm", name)
    scored = refused("detection", "run", "--data", orders, "--algorithm", "sos", "--train-rows", "50")
    assert "labelled batch only. Use knn" in scored
    assert ad("detection", "run", "--data", orders, "--algorithm", "cd").code == 0


@pytest.mark.needs_extra("pyod", "skops")
def test_a_streaming_detector_of_pyod_is_trained_saved_and_scored_with(ad, orders):
    trained = ad(
        "models", "train", "--data", orders, "--name", "near", "--algorithm", "pyod_knn", "--param", "n_neighbors=4"
    )
    assert trained.code == 0, trained.err
    assert "pyod_knn(n_neighbors=4" in ad("models", "show", "near").out
    assert ad("detection", "run", "--data", orders, "--model", "near").code == 0


@pytest.mark.usefixtures("trained")
def test_names_are_completed(tmp_path):
    assert list(dict(completion.algorithms("iso"))) == ["isolation_forest"]
    assert completion.algorithms("zzz") == []
    assert "static" in dict(completion.thresholds(""))
    assert completion.formats("j") == ["json", "jsonl"]
    assert completion.models("o") == ["orders"]
    assert completion.models("orders@") == ["orders@production", "orders@latest", "orders@1", "orders@2"]
    (tmp_path / "registry" / "rubbish").write_text("")
    assert completion.models("o") == ["orders"]


def test_the_shell_completes(process, tmp_path):
    asked = {"_ANOMALY_DETECTION_COMPLETE": "complete_bash", "COMP_CWORD": "4"}
    words = "anomaly-detection detection run --algorithm isol"
    ran = process(COMP_WORDS=words, HOME=str(tmp_path), **asked)
    assert ran.out.split() == ["isolation_forest"]


def test_completion_is_installed(process, tmp_path):
    ran = process("--install-completion", "bash", HOME=str(tmp_path))
    assert ran.code == 0
    assert "anomaly-detection" in (tmp_path / ".bashrc").read_text()


def test_health_is_good(ad, trained):
    ran = ad("health", "system", "--detailed", "--json")
    assert ran.code == 0
    assert trained["name"] == "orders"
    assert ran.json["status"] in ("ok", "warning")
    assert "1 model in" in next(check["detail"] for check in ran.json["checks"] if check["name"] == "registry")
    assert ran.json["details"]["polars"]
    assert "registry" in ad("health", "system").out


@pytest.mark.usefixtures("trained")
def test_health_fails_when_a_model_is_damaged(ad, tmp_path):
    for record in (tmp_path / "registry").rglob("*.json"):
        record.chmod(0o644)
        record.write_text("{")
    ran = ad("health", "system", "--json")
    assert ran.code == 3
    assert ran.json["status"] == "failed"


def test_health_fails_when_the_registry_is_no_folder(ad, orders):
    ran = ad("health", "system", "--registry", orders)
    assert ran.code == 3
    assert "failed" in ran.out


def test_the_demonstration_finds_what_was_planted(ad, tmp_path):
    folder = tmp_path / "demo"
    found = ad("demo", "--folder", folder, "--rows", "400", "--json").json
    assert found["rows"] == 400
    assert found["evaluation"]["auroc"] > 0.7
    assert found["one_record"]["is_anomaly"]
    assert json.loads((folder / "verdicts.json").read_text())["made"]
    shown = ad("demo", "--folder", folder, "--rows", "400").out
    assert "1. Find the anomalies" in shown
    assert "Registered orders version 2" in shown


def test_the_version_is_printed(ad):
    assert ad("--version").out == f"anomaly-detection {__version__}\n"
