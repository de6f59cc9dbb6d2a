"""`logs score --report` and `reports detection` of its results: one page, of lines, sessions and logs without times."""

from __future__ import annotations

import json

import polars as pl
import pytest

from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from cli.conftest import files_in

SCORE = ("logs", "score")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of 6,000 lines with incidents after its first third, and 20 lines that cannot be decoded."""
    lines = lines_of(generate_logs(6_000, anomaly_share=0.05, quiet_share=0.35, seed=2)).to_list()
    path = tmp_path_factory.mktemp("logs") / "app.log"
    path.write_text("\n".join(lines + ["no JSON"] * 20) + "\n")
    return path


@pytest.mark.parametrize("more", [(), ("--session", "session")], ids=["lines", "sessions"])
def test_the_report_is_the_one_that_the_results_give(ad, log, tmp_path, more):
    results, page, again = tmp_path / "r.json", tmp_path / "page.html", tmp_path / "again.html"
    ran = ad(*SCORE, log, *more, "--train-rows", 2_000, "--output", results, "--report", page)
    assert ran.code == 0
    assert f"Report written to {page}" in ran.out.replace("\n", "")
    assert ad("reports", "detection", results, "--output", again).code == 0
    assert again.read_bytes() == page.read_bytes()
    document = json.loads(results.read_text())
    found = document["summary"]["log"]
    assert found["unit"] == ("session" if more else "line")
    assert found["judged"] == len(document["results"]) == sum(sum(counts) for counts in found["scores"].values())
    assert found["reading"]["aside"] == 20
    assert document["results"][0]["row"] >= 2_000
    assert document["made"]["data"]["sha256"] in page.read_text()
    text = page.read_text()
    for words in ("json (", "20 lines", "new since training" if more else "harmonic mean", "What each method says"):
        assert words in text
    assert ("Its lines" in text) == bool(more)


def test_a_model_keeps_the_pattern_of_its_sessions_and_has_a_report(ad, log, tmp_path):
    results, page = tmp_path / "r.json", tmp_path / "page.html"
    train = ("logs", "train", log, "--name", "web", "--session", "session", "--session-pattern", r"\w+-\d")
    assert ad(*train).code == 0
    assert ad(*SCORE, log, "--model", "web", "--output", results, "--report", page, "--quiet").code == 0
    document = json.loads(results.read_text())
    assert all(len(row["session"].partition("-")[2]) == 1 for row in document["results"])
    assert document["summary"]["log"]["unit"] == "session"
    assert "Model web" in page.read_text()


def test_markdown_and_json_say_it_too(ad, log, tmp_path):
    results = tmp_path / "r.json"
    for name in ("page.json", "page.md"):
        ran = ad(*SCORE, log, "--train-rows", 2_000, "--output", results, "--report", tmp_path / name, "--quiet")
        assert ran.code == 0
    found = json.loads((tmp_path / "page.json").read_text())
    assert found["templates"]
    assert found["windows"][0]["service"]
    assert "## Templates" in (tmp_path / "page.md").read_text()
    ran = ad("reports", "detection", results, "--format", "md", "--output", "-")
    assert ran.out == (tmp_path / "page.md").read_text()


def test_anomalous_templates_and_windows_are_named_on_the_terminal(ad, log):
    ran = ad(*SCORE, log, "--train-rows", 2_000)
    assert "Anomalous templates" in ran.out
    assert "Anomalous windows" in ran.out
    assert max(map(len, ran.out.splitlines()[:-1])) <= 80
    found = ad(*SCORE, log, "--train-rows", 2_000, "--json").json
    assert all(one["is_anomaly"] for one in (*found["templates"], *found["windows"]))
    assert found["odd_templates"] >= len(found["templates"]) > 0
    assert {"service", "start", "lines", "error_rate", "latency", "p_value", "reason"} <= found["windows"][0].keys()


def test_a_log_without_times_or_services_has_a_report(ad, tmp_path):
    path, page = tmp_path / "plain.log", tmp_path / "page.html"
    path.write_text("".join(f"worker {i % 7} is idle\n" for i in range(400)) + "disk lost\n")
    ran = ad(*SCORE, path, "--format", "plain", "--report", page)
    assert ran.code == 0
    text = page.read_text()
    assert "Order of the lines" in text
    assert 'id="windows"' not in text


def test_a_very_long_template_is_cut_to_the_width(ad, tmp_path):
    path = tmp_path / "long.log"
    path.write_text("".join(f"begin {'very ' * 4_000}long {i}\n" for i in range(60)) + "short\n" * 20)
    shown = ad("logs", "templates", path, "--format", "plain").out
    assert len(shown.splitlines()) == 4
    assert "…" in shown
    scored = ad(*SCORE, path, "--format", "plain", "--contamination", "0.3", "--quiet")
    assert scored.code == 0
    assert len(scored.out) < 5_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--report", "no/such/page.html"), "no"),
        (("--report", "page.txt"), "cannot be told from its name"),
        (("--report", "app.log"), "app.log"),
        (("--report", "-"), "goes to a file"),
        (("--report", "r.json", "--output", "./r.json"), "both the results and the report"),
    ],
)
def test_a_place_that_does_not_do_is_refused_before_reading(ad, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.log").write_text("2026-01-01 10:00:00 - shop - INFO - alone\n")
    before = files_in(tmp_path)
    ran = ad(*SCORE, "app.log", *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert files_in(tmp_path) == before


def test_csv_results_have_no_summary_but_the_row(ad, log, tmp_path):
    path = tmp_path / "r.csv"
    assert ad(*SCORE, log, "--train-rows", 2_000, "--output", path, "--quiet").code == 0
    frame = pl.read_csv(path)
    assert frame["row"].to_list() == list(range(2_000, 6_000))
