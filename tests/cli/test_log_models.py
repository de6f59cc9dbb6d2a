"""`logs train`, `logs score --model` and `logs stats`; the other commands on models of logs."""

from __future__ import annotations

import json

import polars as pl
import pytest

from anomaly_detection import LogDetector
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.sources.logs import LogSource
from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from anomaly_detection.workflows import log_scoring
from cli.conftest import files_in, numbers


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A folder with a log to learn from and the one that follows it, and both with names of their own."""
    folder = tmp_path_factory.mktemp("logs")
    frame = generate_logs(4_000, anomaly_share=0.02, quiet_share=0.8)
    for name, rows in (("old", slice(0, 3_000)), ("new", slice(3_000, 4_000))):
        lines = [json.loads(line) for line in lines_of(frame[rows])]
        (folder / f"{name}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
        odd = [{"at": x["timestamp"], "words": x["message"], "who": x["service"], "run": x["session"]} for x in lines]
        (folder / f"{name}-odd.json").write_text("".join(json.dumps(line) + "\n" for line in odd))
        text = lines_of(frame[rows], "text").str.replace("Z", "")
        (folder / f"{name}.log").write_text("".join(f"{line}\n" for line in text))
    return folder


@pytest.fixture(scope="module")
def registry(logs, tmp_path_factory):
    """A registry with a model of lines and one of sessions."""
    folder = tmp_path_factory.mktemp("registry")
    LogDetector(contamination=0.01).fit(logs / "old.json").register("lines", registry=folder)
    LogDetector(by_session=True).fit(logs / "old.json").register("runs", registry=folder, aliases=["production"])
    return folder


def read(path):
    with LogSource(path) as source:
        return source.read().frame


def test_a_model_is_trained_and_judges_the_next_log(ad, logs):
    trained = ad("logs", "train", logs / "old.json", "--name", "web", "--alias", "production", "--contamination", 0.01)
    assert trained.code == 0
    assert "Registered web@1" in trained.out
    assert "learned from 3,000 lines with" in trained.out
    assert "is read as json" in trained.err
    found = ad("logs", "score", logs / "new.json", "--model", "web@production", "--json", "--top", 3).json
    assert (found["judged"], found["learned"], found["unit"], found["alpha"]) == (1_000, 3_000, "line", 0.01)
    assert len(found["top"]) == 3


def test_a_model_of_lines_judges_block_by_block_with_the_same_bits(ad, logs, registry, tmp_path, monkeypatch):
    score = ("logs", "score", logs / "new.json", "--model", "lines", "--registry", registry, "--quiet", "--output")
    assert ad(*score, tmp_path / "whole.json").code == 0
    monkeypatch.setattr(log_scoring, "BLOCK_ROWS", 170)
    monkeypatch.setattr(log_scoring, "rows_of", None)
    assert ad(*score, tmp_path / "parts.json").code == 0
    whole, parts = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "parts"))
    assert parts["results"] == whole["results"]
    names = ("scores", "timeline", "severities", "services", "templates_in_all", "anomalies", "windows_in_all")
    assert [parts["summary"]["log"][name] for name in names] == [whole["summary"]["log"][name] for name in names]


def read_jsonl(path):
    """All rows say what a column is: most have no reason."""
    return pl.read_ndjson(path, infer_schema_length=None)


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "parquet"])
@pytest.mark.parametrize("model", ["lines", "runs"])
def test_what_is_written_is_what_python_says_bit_for_bit(ad, logs, registry, tmp_path, ending, model):
    path = tmp_path / f"verdicts.{ending}"
    score = ("logs", "score", logs / "new.json", "--model", model, "--registry", registry, "--quiet")
    assert ad(*score, "--output", path).code == 0
    kind = LogPipeline if model == "lines" else SessionPipeline
    share = 0.01 if model == "lines" else "auto"
    result = kind(share).fit(read(logs / "old.json")).detect(read(logs / "new.json"))
    if ending == "json":
        frame = pl.DataFrame(json.loads(path.read_text())["results"], infer_schema_length=None)
    else:
        readers = {"csv": pl.read_csv, "jsonl": read_jsonl, "parquet": pl.read_parquet}
        frame = readers[ending](path)
    for name in ("score", "p_value", "anomaly_score", "is_anomaly", "confidence"):
        assert frame[name].to_list() == getattr(result, name).tolist(), name
    assert frame["severity"].to_list() == result.severity.tolist()
    for name, p_values in result.parts.items():
        assert frame[f"p_{name}"].to_list() == p_values.tolist(), name


def test_a_model_scores_as_a_fit_on_the_first_rows_does(ad, logs, registry, tmp_path):
    both = tmp_path / "both.json"
    both.write_text((logs / "old.json").read_text() + (logs / "new.json").read_text())
    for name, more in (("F.parquet", ("--train-rows", 3_000, "--contamination", 0.01)), ("M.parquet", ())):
        log = both if more else logs / "new.json"
        chosen = more or ("--model", "lines", "--registry", registry)
        assert ad("logs", "score", log, *chosen, "--output", tmp_path / name).code == 0
    fitted, model = (pl.read_parquet(tmp_path / name).drop("line", "row") for name in ("F.parquet", "M.parquet"))
    assert fitted.equals(model)


def test_how_the_log_was_read_is_kept_with_the_model(ad, logs, tmp_path):
    names = ("--time", "at", "--message", "words", "--service", "who", "--session", "run")
    assert ad("logs", "train", logs / "old-odd.json", "--name", "odd", *names).code == 0
    ran = ad("logs", "score", logs / "new-odd.json", "--model", "odd", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["unit"] == "session"
    shown = ad("models", "show", "odd").out
    assert "sessions of log lines" in shown
    assert "message: words" in shown
    pattern = r"(?<time>\S+ \S+) - (?<who>\S+) - (?<level>\S+) - (?<message>.*)"
    train = ("logs", "train", logs / "old.log", "--name", "text", "--pattern", pattern, "--service", "who")
    assert ad(*train, "--zone", "Europe/Amsterdam", "--quiet").code == 0
    judged = tmp_path / "T.parquet"
    assert ad("logs", "score", logs / "new.log", "--model", "text", "--output", judged).code == 0
    first = pl.read_parquet(judged).row(0, named=True)
    line = read(logs / "new.json").row(0, named=True)
    assert first["service"] == line["service"]
    assert (line["time"] - first["time"]).total_seconds() == 7_200


def test_options_given_with_a_model_go_before_its_own(ad, logs, registry, tmp_path):
    parquet = tmp_path / "new.parquet"
    read(logs / "new.json").drop("line").write_parquet(parquet)
    score = ("logs", "score", parquet, "--model", "lines", "--registry", registry)
    refused = ad(*score)
    assert refused.code == 2
    assert "--format auto" in refused.err
    assert ad(*score, "--format", "auto", "--json").json["judged"] == 1_000
    renamed = ("logs", "score", logs / "new-odd.json", "--model", "lines", "--registry", registry)
    mapped = ("--time", "at", "--message", "words", "--service", "who")
    assert ad(*renamed, *mapped, "--json").json["judged"] == 1_000


def test_models_of_logs_are_listed_shown_compared_moved_exported_and_deleted(ad, logs, tmp_path):
    for _ in range(2):
        trained = ad("logs", "train", logs / "old.json", "--name", "web", "--json", "--quiet").json
    assert (trained["version"], trained["unit"], trained["reading"]["format"]["name"]) == (2, "line", "json")
    assert trained["metrics"]["rows"] == 3_000
    assert trained["lineage"]["parameters"]["algorithm"] == "log_lines"
    assert "log_lines" in ad("models", "list").out
    shown = ad("models", "show", "web").out
    for words in ("log lines", "minutes=5.0", "json (time: timestamp", "templates"):
        assert words in shown
    stored = ad("models", "compare", "web@1", "web@2", "--json").json["stored"]
    assert {"rows", "alpha", "templates"} <= {row["metric"] for row in stored}
    assert ad("models", "promote", "web", "1", "--json").json["aliases"] == ["production"]
    assert ad("models", "promote", "web", "2").code == 0
    assert ad("models", "rollback", "web").out == "web@production is now version 1.\n"
    assert ad("models", "export", "web@1", "--output", tmp_path / "web.zip").code == 0
    assert ad("models", "import", tmp_path / "web.zip", "--name", "copy").code == 0
    score = ("logs", "score", logs / "new.json", "--json", "--model")
    assert ad(*score, "copy").json["top"] == ad(*score, "web@1").json["top"]
    assert ad("models", "delete", "web@2").code == 0


def test_a_model_is_refused_by_the_other_command(ad, logs, registry, table):
    rows = table(numbers(), "table.csv")
    where = ("--registry", registry)
    ran = ad("detection", "run", "--data", rows, "--model", "lines", *where)
    assert ran.code == 2
    assert "lines is a model of log lines" in ran.err
    assert "logs score FILE --model lines" in ran.err
    assert ad("models", "train", "--data", rows, "--name", "rows", "--algorithm", "ecod").code == 0
    ran = ad("logs", "score", logs / "new.json", "--model", "rows")
    assert ran.code == 2
    assert "detection run --data FILE --model rows" in ran.err
    ran = ad("models", "compare", "lines", "runs", "--data", rows, "--label", "fraud", *where)
    assert ran.code == 2
    assert "model of log lines" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "NEW", "--model", "lines", "--train-rows", 100), "--model brings all"),
        (("score", "NEW", "--model", "lines", "--contamination", 0.1), "--contamination would decide it again"),
        (("score", "NEW", "--model", "lines", "--sessions"), "lines judges lines"),
        (("score", "NEW", "--model", "linse"), "Did you mean 'lines'"),
        (("train", "NEW", "--name", "no/name"), "cannot be named"),
        (("train", "NEW", "--name", "x", "--contamination", 0.9), "0.5"),
        (("train", "missing.log", "--name", "x"), "no file 'missing.log'"),
        (("train", "LOG", "--name", "x", "--sessions"), "which session a line is of"),
        (("stats", "gatewy", "--data", "NEW"), "Did you mean 'gateway'"),
        (("stats", "gateway", "--data", "NEW", "--minutes", 0), "above 0"),
        (("stats", "gateway", "--data", "missing.log"), "no file 'missing.log'"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_registered(ad, logs, registry, arguments, words):
    given = {"NEW": logs / "new.json", "LOG": logs / "new.log"}
    before = files_in(registry)
    where = () if arguments[0] == "stats" else ("--registry", registry)
    ran = ad("logs", *(given.get(each, each) for each in arguments), *where)
    assert ran.code == 2
    assert words in ran.err
    assert "Traceback (" not in ran.err
    assert files_in(registry) == before


def test_the_last_minutes_of_a_service(ad, process, logs):
    found = ad("logs", "stats", "gateway", "--data", logs / "new.json", "--json", "--minutes", 60).json
    frame = read(logs / "new.json")
    recent = frame.filter(
        (pl.col("service") == "gateway") & (pl.col("time") > pl.col("time").max() - pl.duration(minutes=60))
    )
    errors = recent.filter(pl.col("level").is_in(["ERROR", "CRITICAL"]) | (pl.col("status_code") >= 500)).height
    assert (found["service"], found["window_minutes"]) == ("gateway", 60.0)
    assert (found["total_logs"], found["error_count"]) == (recent.height, errors)
    assert recent.height > 10
    assert found["error_rate"] == errors / recent.height
    times = recent["response_time"].drop_nulls().cast(pl.Float32).cast(pl.Float64)
    assert (found["max_latency"], found["min_latency"]) == (times.max(), times.min())
    assert found["avg_latency"] == pytest.approx(times.mean())
    assert "total_logs" in ad("logs", "stats", "gateway", "--data", logs / "new.json").out
    piped = process(
        "logs", "stats", "gateway", "--data", "-", "--json", "--minutes", 60, stdin=(logs / "new.json").read_bytes()
    )
    assert piped.json == found
