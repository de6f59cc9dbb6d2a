"""`logs score`: verdicts on the lines or sessions of a log file, and everything it cannot do."""

from __future__ import annotations

import polars as pl
import pytest

from anomaly_detection.results import VERDICT_COLUMNS
from anomaly_detection.sources.logs.generated import generate_logs
from cli.conftest import files_in

SCORE = ("logs", "score")
ROLES = ("--time", "time", "--level", "level", "--service", "service", "--message", "message")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of 4,000 lines; a line that training does not have is its 3,500th."""
    frame = generate_logs(4_000, anomaly_share=0.0).drop("label", "kind")
    odd = pl.Series(range(len(frame))) == 3_499
    message, level = pl.when(odd).then(pl.lit("Kernel panic: disk lost")), pl.when(odd).then(pl.lit("CRITICAL"))
    frame = frame.with_columns(message=message.otherwise("message"), level=level.otherwise("level"))
    path = tmp_path_factory.mktemp("logs") / "log.parquet"
    frame.write_parquet(path)
    return path


def test_a_verdict_for_each_line_after_training(ad, log, tmp_path):
    path = tmp_path / "O.parquet"
    ran = ad(*SCORE, log, *ROLES, "--train-rows", 3_000, "--output", path)
    assert ran.code == 0
    assert "in 1,000 lines at" in ran.out
    frame = pl.read_parquet(path)
    assert set(VERDICT_COLUMNS) | {"line", "service", "template", "reason"} <= set(frame.columns)
    assert frame["line"].to_list() == list(range(3_001, 4_001))
    odd = frame.row(499, named=True)
    assert (odd["line"], odd["is_anomaly"], odd["template"]) == (3_500, True, None)
    assert "a rare or new template" in odd["reason"]
    assert frame["is_anomaly"].mean() < 0.03
    assert frame.filter(~pl.col("is_anomaly"))["reason"].null_count() == frame["is_anomaly"].not_().sum()


def test_the_whole_log_is_learned_from_and_judged_otherwise(ad, log):
    found = ad(*SCORE, log, "--json", "--top", 3).json
    assert (found["judged"], found["learned"], found["unit"]) == (4_000, 4_000, "line")
    assert found["anomaly_count"] == sum(n for name, n in found["severities"].items() if name != "normal")
    assert len(found["top"]) == 3


def test_a_verdict_for_each_session(ad, log, tmp_path):
    path = tmp_path / "S.csv"
    ran = ad(*SCORE, log, "--session", "session", "--train-rows", 3_000, "--output", path)
    assert ran.code == 0
    frame, lines = pl.read_csv(path), pl.read_parquet(log)[3_000:]
    assert frame["session"].to_list() == lines["session"].drop_nulls().unique(maintain_order=True).to_list()
    assert frame["worst_line"].is_between(3_001, 4_000).all()


def test_sessions_by_what_their_names_look_like(ad, log):
    field = ad(*SCORE, log, "--session", "session", "--json").json
    pattern = ad(*SCORE, log, "--session", "session", "--session-pattern", r"\w+-(\d+)", "--json").json
    assert field["unit"] == pattern["unit"] == "session"
    assert pattern["judged"] <= field["judged"]
    assert all(one["session"].isdigit() for one in pattern["top"])


def test_anomalies_can_end_with_1(ad, log):
    assert ad(*SCORE, log, "--train-rows", 3_000, "--fail-on-anomaly", "--quiet").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.log",), "no file 'missing.log'"),
        (("LOG", "--train-rows", "4000"), "leaves nothing to judge"),
        (("LOG", "--train-rows", "3"), "8"),
        (("LOG", "--session", "nothing"), "nothing"),
        (("LOG", "--session-pattern", "("), "session pattern '(' cannot be used"),
        (("LOG", "--session-pattern", "never in it"), "matches in no line"),
        (("LOG", "--contamination", "0.7"), "0.5"),
        (("LOG", "--output", "-", "--json"), "both write to standard output"),
        (("one.log",), "8"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(ad, log, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.log").write_text("2026-01-01 10:00:00 - shop - INFO - alone\n")
    before = files_in(tmp_path)
    ran = ad(*SCORE, *(log if each == "LOG" else each for each in arguments))
    assert ran.code == 2
    assert words in ran.err
    assert "Traceback (" not in ran.err
    assert files_in(tmp_path) == before
