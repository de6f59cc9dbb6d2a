"""`detection run` and `models train` on tables that are time series."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from anomaly_detection import SeriesPipeline

RUN = ("detection", "run", "--data")


@pytest.fixture
def cpu(tmp_path):
    """Hourly rows with a daily season, a spike in row 500 and values missing from row 550 on."""
    return write(tmp_path / "cpu.parquet", series_of(600))


def series_of(n):
    values = 40 + 5 * np.sin(np.arange(n) * np.pi / 12) + np.random.default_rng(0).normal(0, 1, n)
    values[500], values[550:555] = 93, np.nan
    times = [datetime(2024, 3, 1) + timedelta(hours=i) for i in range(n)]
    return pl.DataFrame({"at": times, "cpu": values, "is_train": np.arange(n) < 400})


def write(path, frame):
    (frame.write_parquet if path.suffix == ".parquet" else frame.write_csv)(path)
    return path


def test_a_table_of_numbers_with_a_time_is_a_series(ad, cpu, tmp_path):
    out = tmp_path / "out.parquet"
    ran = ad(*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--train-column", "is_train", "--output", out)
    assert ran.code == 0
    assert "each row is judged by the rows before it" in ran.err
    assert "seasons: 24 rows" in ran.err
    found = pl.read_parquet(out)
    assert found["row"].to_list() == list(range(400, 600))
    assert found["score"].is_finite().all()
    assert found["score"].arg_max() == 100
    assert found["reason"][100].startswith("cpu 93 is above the expected")
    assert found["p_value"][150:155].to_list() == [1.0] * 5
    assert {"expected", "lower", "upper"} < set(found.columns)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("how", ["shuffled", "row numbers", "seconds"])
def test_order_and_kind_of_time_do_not_matter(ad, tmp_path, suffix, how):
    frame = series_of(600)
    if how != "shuffled":
        frame = frame.with_columns(
            at=np.arange(600) * (1 if how == "row numbers" else 3600) + (how == "seconds") * 17e8
        )
    order = np.random.default_rng(1).permutation(600) if how == "shuffled" else np.arange(600)
    path, out = write(tmp_path / f"in.{suffix}", frame[order]), tmp_path / "out.parquet"
    options = ("--timestamp", "at", "--columns", "cpu", "--train-column", "is_train", "-o", out)
    assert ad(*RUN, path, *options).code == 0
    found = pl.read_parquet(out)
    assert order[found["row"][found["score"].arg_max()]] == 500


def test_one_file_is_judged_among_itself_and_json_has_the_profile(ad, cpu):
    found = ad(*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--json", "--top", 2).json
    reasons = {one["row"]: one["reason"] for one in found["anomalies"]}
    assert reasons[500].startswith("cpu 93")
    assert found["made"]["evidence"]["profiles"][""]["frequency"] == "hourly"
    assert found["made"]["evidence"]["profiles"][""]["seasons"] == [24]


def test_options_of_series(ad, cpu):
    options = (*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--train-rows", 400, "--json")
    assert ad(*options, "--direction", "drop", "--contamination", 0.001).json["anomaly_count"] == 0
    assert ad(*options, "--minimum-change", 20).json["anomaly_count"] == 1
    assert ad(*options, "--minimum-share", 5).json["anomaly_count"] == 0
    bounded = ad(*options, "--minimum-share", 5, "--upper-bound", 90, "--zone", "Europe/Berlin", "--offline").json
    assert [one["reason"] for one in bounded["anomalies"]] == ["cpu 93 is above the bound 90"]


def test_a_model_of_series_is_registered_and_scores(ad, cpu, tmp_path):
    write(tmp_path / "past.csv", series_of(600)[:400])
    write(tmp_path / "now.csv", series_of(600)[400:])
    train = (
        "models",
        "train",
        "--data",
        tmp_path / "past.csv",
        "--timestamp",
        "at",
        "--columns",
        "cpu",
        "--name",
        "cpu",
    )
    ran = ad(*train, "--algorithm", "ewma", "--param", "span=50")
    assert ran.code == 0
    assert "seasons: 24 rows" in ran.err
    shown = ad("models", "show", "cpu").out
    assert "ewma" in shown
    assert "span" in shown
    found = ad(*RUN, tmp_path / "now.csv", "--model", "cpu", "--json", "--top", 1).json
    assert found["anomalies"][0]["row"] == 100
    refused = ad(*RUN, cpu, "--model", "cpu", "--direction", "rise")
    assert refused.code == 2
    assert "--direction" in refused.err
    assert "model of time series" in ad("models", "compare", "cpu@1", "cpu@1", "-d", cpu, "--label", "is_train").err


def test_several_keys_of_one_file(ad, tmp_path):
    one = series_of(600).with_columns(host=pl.lit("a"))
    two = one.with_columns(host=pl.lit("b"), cpu=pl.col("cpu") * 10)
    path, out = write(tmp_path / "hosts.csv", pl.concat([one, two])), tmp_path / "out.csv"
    ran = ad(
        *RUN, path, "--timestamp", "at", "--columns", "cpu", "--key", "host", "--train-column", "is_train", "-o", out
    )
    assert ran.code == 0
    found = pl.read_csv(out)
    assert found.sort("p_value").head(2)["row"].sort().to_list() == [500, 1100]
    assert set(found["key"]) == {"a", "b"}


def test_tables_stay_tables(ad, cpu, tmp_path):
    ran = ad(*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--algorithm", "isolation_forest", "--json").json
    assert ran["made"]["algorithm"]["name"] == "isolation_forest"
    words = series_of(600).with_columns(country=pl.Series(["NL", "BE"] * 300)).drop("is_train")
    path = write(tmp_path / "orders.csv", words)
    assert ad(*RUN, path, "--timestamp", "at", "--json").json["made"]["algorithm"]["parameters"]
    events = write(tmp_path / "events.csv", series_of(600).with_columns(at=np.arange(600) // 10))
    ran = ad(*RUN, events, "--timestamp", "at", "--columns", "cpu")
    assert "judged row by row and not as a time series: 90% of the rows have the time of another" in ran.err
    forced = ad(*RUN, events, "--timestamp", "at", "--columns", "cpu", "--algorithm", "ewma", "--json").json
    assert forced["made"]["algorithm"]["name"] == "ewma"
    assert "540 rows at the time of another" in " ".join(forced["notes"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--algorithm", "ewma"], "Name the column of time with --timestamp"),
        (["--direction", "rise"], "--direction is about time series. Name the column of time with --timestamp"),
        (["--timestamp", "at", "--offline", "-a", "knn"], "--offline is about time series, and knn is not"),
        (["--timestamp", "at", "-a", "ewma", "--transform", "log"], "and --transform is not"),
        (["--timestamp", "at", "-a", "ewma", "--param", "spam=3"], "Did you mean 'span'"),
        (["--timestamp", "at", "-a", "ewma", "--columns", "host"], "column 'host' holds String values, not numbers"),
        (["--timestamp", "at", "--direction", "up"], "must be one of 'rise', 'drop', 'both'"),
        (["--timestamp", "at", "-a", "ewma", "--train-rows", "600"], "it takes every row"),
        (["--timestamp", "host", "-a", "ewma"], "Column 'host' must hold a date in every row"),
        (["--timestamp", "at", "-a", "ewma", "--zone", "Mars/Base"], "Unknown time zone 'Mars/Base'"),
        (["--timestamp", "at", "-a", "ewma", "--fdr", "0.1", "--train-rows", "90"], "rows that are independent"),
    ],
)
def test_what_cannot_be_meant_is_refused(refused, tmp_path, options, words):
    path = write(tmp_path / "in.csv", series_of(600).with_columns(host=pl.Series(["a", "b"] * 300)))
    assert words in refused(*RUN, path, *options)


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_a_short_history_is_refused_with_how_much_more_it_takes(refused, tmp_path, n):
    path = write(tmp_path / "in.csv", series_of(600)[:n])
    words = refused(*RUN, path, "--timestamp", "at", "--columns", "cpu", "-a", "ewma")
    assert f"Give {8 - n} more" in words or n == 0


def test_eight_rows_have_usable_bounds(ad, tmp_path):
    path, out = write(tmp_path / "in.csv", series_of(600)[:10]), tmp_path / "out.csv"
    options = ("--timestamp", "at", "--columns", "cpu", "--train-rows", 8, "-a", "ewma", "-o", out)
    assert ad(*RUN, path, *options).code == 0
    assert pl.read_csv(out)["score"].is_finite().all()


def test_algorithms_of_series_are_listed(ad):
    rows = {row["name"]: row for row in ad("models", "list", "--algorithms", "--json").json}
    assert rows["ewma"]["labels"][0] == "time series"


def test_three_lines_of_python():
    pipeline = SeriesPipeline().fit(series_of(600)[:400].to_dicts(), timestamp="at", columns=["cpu"])
    assert pipeline.detect(series_of(600)[400:].to_dicts()).top(1).tolist() == [100]
    assert pipeline.profile(series_of(600).select("at", "cpu"), "at")[""].seasons == (24,)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv", "parquet"])
def test_explain_writes_channels_and_the_way_back(ad, tmp_path, suffix):
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"at": np.arange(400), **{name: rng.normal(k, 1.0, 400) for k, name in enumerate("ab")}})
    frame[300, "b"] = -30.0
    path, out = write(tmp_path / "in.parquet", frame), tmp_path / f"out.{suffix}"
    options = ("--algorithm", "ewma", "--timestamp", "at", "--contamination", "0.01", "--explain")
    ran = ad(*RUN, path, *options, "--output", out)
    assert ran.code == 0
    assert "row 300: Check b: it lies" in " ".join(ran.out.split())
    if suffix == "csv":
        written = pl.read_csv(out)
        assert "contributions" not in written.columns
        assert "instead of -30 it would be normal" in written["explanation"][300]
        return
    written = pl.read_parquet(out) if suffix == "parquet" else pl.DataFrame(rows_of(out), infer_schema_length=None)
    parts = written["contributions"].struct.unnest()
    assert parts.columns == ["a", "b"]
    assert parts["b"][300] > 10 * parts["a"][300]
    if suffix != "parquet":
        why = written["explanation"][300]
        assert why["columns"][0]["column"] == "b"
        assert why["counterfactual"]["changes"][0]["from"] == -30.0
        assert written["explanation"][299] is None


def rows_of(path):
    text = path.read_text()
    return json.loads(text)["results"] if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]


def test_explain_shows_channels_in_json_on_the_terminal_too(ad, cpu):
    found = ad(*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--explain", "--json").json["anomalies"]
    top = next(one for one in found if one["row"] == 500)
    assert top["reasons"][0]["column"] == "cpu"
    assert top["explanation"]["counterfactual"]["sentence"].startswith("With cpu")


def test_a_report_draws_series_and_stays_small(ad, tmp_path):
    n, hosts = 20_000, [f"host-{i}" for i in range(5)]
    values = 40 + np.random.default_rng(0).normal(0, 1, (n, 5))
    values[15_000, 2], values[9_000:9_010, 1] = 93, np.nan
    frame = pl.DataFrame({"t": np.repeat(np.arange(n), 5), "host": hosts * n, "cpu": values.ravel()})
    path, out = write(tmp_path / "in.parquet", frame), tmp_path / "out.json"
    assert ad(*RUN, path, "--timestamp", "t", "--key", "host", "--algorithm", "ewma", "-q", "-o", out).code == 0
    found = json.loads(out.read_text())["summary"]["series"]
    assert len(json.dumps(found)) < 300_000
    assert (found["keys_in_all"], found["timed"], len(found["plots"])) == (5, False, 5)
    worst = next(plot for plot in found["plots"] if plot["key"] == "host-2")
    assert max(worst["high"]) == 93.0
    assert {"place": 15_000.0, "value": 93.0}.items() <= max(worst["dots"], key=lambda dot: dot["value"]).items()
    assert sum(lane["rows"] for lane in found["lanes"]["keys"]) == 5 * n
    assert ad("reports", "detection", out, "-o", tmp_path / "out.html").code == 0
    page = (tmp_path / "out.html").read_text()
    assert len(page) < 900_000
    assert "host-2: cpu" in page


def test_with_a_budget_the_summary_says_what_was_spent(ad, cpu):
    ran = ad(*RUN, cpu, "--timestamp", "at", "--columns", "cpu", "--train-column", "is_train", "--budget", "5/week")
    assert ran.code == 0
    assert "budget 5/week: " in ran.err
    assert "allowed in the time of these rows" in ran.err
