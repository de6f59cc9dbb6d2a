"""`detection run`: what it writes, where, and how it ends."""

from __future__ import annotations

import gzip
import io
import json

import numpy as np
import polars as pl
import pytest

from anomaly_detection import AnomalyDetector
from anomaly_detection.cli.app import run
from cli.conftest import numbers

RUN = ("detection", "run", "--data")
COLUMNS = ["row", "score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence"]


def test_json_is_one_document_and_nothing_else(ad, orders):
    ran = ad(*RUN, orders, "--label", "fraud", "--json", "--top", 2)
    assert ran.code == 0
    assert ran.err == ""
    found = ran.json
    assert set(found) == {
        *("rows", "anomaly_count", "severities", "alpha", "anomalies", "evaluation", "notes", "schema", "made")
    }
    assert found["rows"] == 300 == sum(found["severities"].values())
    assert found["anomaly_count"] == 300 - found["severities"]["normal"]
    assert found["evaluation"]["auroc"] == 1.0
    assert len(found["anomalies"]) == 2
    assert set(found["anomalies"][0]) == {*COLUMNS, "reasons", "record"}
    assert found["made"]["algorithm"]["name"] == "auto"


def read_back(path):
    """Verdicts of a file as a frame."""
    data = path.read_bytes()
    kind, _, packing = path.name.partition(".")[2].partition(".")
    data = gzip.decompress(data) if packing == "gz" else data
    if kind == "json":
        return pl.DataFrame(json.loads(data)["results"])
    readers = {"csv": pl.read_csv, "tsv": lambda text: pl.read_csv(text, separator="\t"), "jsonl": pl.read_ndjson}
    return (readers | {"parquet": pl.read_parquet})[kind](io.BytesIO(data))


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet", "csv.gz", "jsonl.gz"])
def test_every_format_has_the_same_verdicts_in_input_order(ad, orders, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    ran = ad(*RUN, orders, "--ignore", "fraud", "--key", "x", "--output", out)
    assert ran.code == 0
    assert f"Verdicts written to {out}" in ran.out
    found = read_back(out)
    assert found.columns == ["row", "key", *COLUMNS[1:]]
    assert found["row"].to_list() == list(range(300))
    assert found["key"].to_list() == numbers()["x"].to_list()
    assert found["is_anomaly"].to_list() == [score >= 0.6 for score in found["anomaly_score"]]
    assert (
        found["is_anomaly"].sum() == ad(*RUN, orders, "--ignore", "fraud", "--key", "x", "--json").json["anomaly_count"]
    )


def test_json_results_carry_how_they_were_made_and_typed_reasons(ad, orders, tmp_path):
    out = tmp_path / "out.json"
    assert ad(*RUN, orders, "--ignore", "fraud", "--output", out, "--explain").code == 0
    found = json.loads(out.read_text())
    assert found["made"]["parameters"]["random_state"] == 0
    assert found["made"]["data"]["name"] == str(orders)
    for row in found["results"]:
        assert (row["explanation"] is not None) == row["is_anomaly"]
    why = next(row["explanation"] for row in found["results"] if row["is_anomaly"])
    assert set(why) == {"sentence", "recommendation", "columns", "removed", "counterfactual", "similar"}
    reason = why["columns"][0]
    assert set(reason) == {"column", "value", "contribution", "share", "normal"}
    assert isinstance(reason["value"], float)
    assert reason["contribution"] > 0
    assert set(why["counterfactual"]) == {"changes", "p_value", "sentence"}
    assert set(why["counterfactual"]["changes"][0]) == {"column", "from", "to"}
    assert why["counterfactual"]["p_value"] > found["made"]["alpha"]


def test_reasons_may_hold_any_kind_of_value(ad, tmp_path):
    frame = numbers().with_columns(
        when=pl.datetime(2026, 1, 1) + pl.duration(hours=pl.int_range(300) * 7 % 500),
        word=pl.Series([f'line\u2028"{i % 3}"\n' for i in range(300)]),
        new=pl.int_range(300) % 2 == 0,
    )
    path = tmp_path / "data.parquet"
    frame.write_parquet(path)
    out = tmp_path / "out.jsonl"
    assert ad(*RUN, path, "--output", out, "--explain", "--contamination", "0.2").code == 0
    lines = [json.loads(line) for line in out.read_text().removesuffix("\n").split("\n")]
    assert len(lines) == 300
    assert sum(line["explanation"] is not None for line in lines) == 60


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_have_the_reasons_as_one_text(ad, orders, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    assert ad(*RUN, orders, "--ignore", "fraud", "--output", out, "--explain").code == 0
    frame = pl.read_csv(out) if ending == "csv" else pl.read_parquet(out)
    assert frame.columns[-1] == "explanation"
    told = frame.filter("is_anomaly")["explanation"]
    assert told.str.contains(r"^[xy] is .* \(normal: ").all()
    assert frame.filter(~pl.col("is_anomaly"))["explanation"].null_count() == 300 - len(told)


def test_explain_without_output_says_what_to_check(ad, orders):
    ran = ad(*RUN, orders, "--explain")
    assert ran.code == 0
    assert "instead of" in ran.out
    assert "Check " in ran.out
    assert "instead of" not in ad(*RUN, orders).out


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_standard_input_and_output_work_in_every_format(process, form):
    frame, stream = numbers().drop("fraud"), io.BytesIO()
    if form == "json":
        stream.write(frame.write_json().encode())
    else:
        {"csv": frame.write_csv, "jsonl": frame.write_ndjson, "parquet": frame.write_parquet}[form](stream)
    ran = process(*RUN, "-", "--output", "-", stdin=stream.getvalue())
    assert ran.code == 0
    assert pl.read_csv(io.StringIO(ran.out)).columns == COLUMNS
    assert "anomalies in 300 rows" in ran.err


@pytest.mark.parametrize("form", ["json", "jsonl", "csv.gz"])
def test_standard_output_takes_a_format(capfdbinary, orders, form):
    assert run([*RUN, str(orders), "--output", "-", "--output-format", form, "--quiet"]) == 0
    out = capfdbinary.readouterr().out
    if form == "json":
        assert len(json.loads(out)["results"]) == 300
    elif form == "jsonl":
        assert json.loads(out.splitlines()[299])["row"] == 299
    else:
        assert gzip.decompress(out).count(b"\n") == 301


def test_json_and_verdicts_cannot_both_go_to_standard_output(refused, orders):
    assert "both write to standard output" in refused(*RUN, orders, "--json", "--output", "-")


def test_fail_on_anomaly_sets_the_exit_code(ad, orders):
    assert ad(*RUN, orders, "--fail-on-anomaly", "--json").code == 1
    assert ad(*RUN, orders, "--json").code == 0


def test_fail_on_anomaly_is_quiet_when_there_is_none(ad, orders, table):
    assert ad("models", "train", "--data", orders, "--name", "m", "--ignore", "fraud").code == 0
    ran = ad(*RUN, table("x,y\n" + "0.0,0.0\n" * 10), "--model", "m", "--fail-on-anomaly")
    assert ran.code == 0
    assert ran.out == "0 anomalies in 10 rows at α = 0.01\n"


def test_top_zero_shows_no_table(ad, orders):
    ran = ad(*RUN, orders, "--top", 0, "--quiet")
    assert ran.code == 0
    assert "Most anomalous" not in ran.out
    assert ran.out.count("\n") == 1
    assert ran.err == ""


@pytest.mark.parametrize(
    "options",
    [
        ["--algorithm", "isolation_forest"],
        ["--param", "n_estimators=5"],
        ["--contamination", "auto"],
        ["--threshold", "static"],
        ["--seed", "0"],
        ["--train-rows", "100"],
        ["--train-column", "fraud"],
        ["--columns", "x"],
        ["--ignore", "x", "--categorical", "y"],
    ],
)
def test_a_model_and_options_that_decide_the_same_are_refused(refused, orders, options):
    said = refused(*RUN, orders, "--model", "m", *options)
    assert options[0] in said
    assert "Leave out" in said


def test_a_label_of_one_class_is_told_apart_from_bad_detection(ad, table):
    ran = ad(*RUN, table(numbers().with_columns(fraud=pl.lit(0))), "--label", "fraud")
    assert ran.code == 0
    assert "undefined" in ran.out
    assert "The label knows only normal rows" in ran.out


def test_a_file_scored_with_a_model_gives_the_same_as_in_python(ad, orders, tmp_path):
    assert ad("models", "train", "--data", orders, "--name", "m", "--ignore", "fraud").code == 0
    out = tmp_path / "out.parquet"
    assert ad(*RUN, orders, "--model", "m", "--output", out).code == 0
    detector = AnomalyDetector.from_registry("m", registry=tmp_path / "registry")
    expected = detector.detect(numbers().drop("fraud"))
    found = pl.read_parquet(out)
    np.testing.assert_array_equal(found["score"].to_numpy(), expected.score)
    np.testing.assert_array_equal(found["is_anomaly"].to_numpy(), expected.is_anomaly)


def test_transforms_by_name_are_part_of_the_model(ad, orders):
    assert (
        ad("models", "train", "--data", orders, "--ignore", "fraud", "--transform", "log,robust", "-n", "m").code == 0
    )
    shown = ad("models", "show", "m", "--json").json
    assert shown["spec"]["parameters"]["transforms"] == ["log", "robust"]
    assert shown["version"]["lineage"]["parameters"]["transforms"] == ["log", "robust"]
    with_model = ad(*RUN, orders, "--model", "m", "--json").json
    assert with_model["made"]["parameters"]["transforms"] == ["log", "robust"]


@pytest.mark.parametrize(("name", "words"), [("robst", "Did you mean 'robust'"), ("difference", "come in no order")])
def test_transforms_that_do_not_fit_are_refused(ad, orders, name, words):
    ran = ad(*RUN, orders, "--transform", name)
    assert ran.code == 2
    assert words in ran.err


def test_a_static_line_is_on_the_scale_of_the_written_scores(ad, orders, tmp_path):
    out = tmp_path / "out.csv"
    run = ("detection", "run", "--data", orders, "--ignore", "fraud", "--output", out)
    assert "static:upper_limit=3" in " ".join(ad("detection", "run", "--help").out.split())
    assert ad(*run).code == 0
    scores = pl.read_csv(out)["score"].sort(descending=True)
    line = (scores[6] + scores[7]) / 2
    assert ad(*run, "--threshold", f"static:upper_limit={line}").code == 0
    judged = pl.read_csv(out)
    assert judged.filter("is_anomaly")["score"].sort(descending=True).to_list() == scores.head(7).to_list()
