"""`reports detection`: from the results of a run to a page, and everything that is not such results."""

from __future__ import annotations

import gzip
import json

import polars as pl
import pytest

from anomaly_detection import explain
from anomaly_detection.errors import SourceError
from anomaly_detection.reports.pages import markdown_text
from anomaly_detection.sources.results import read_results
from cli.conftest import files_in, numbers
from reports.documents import document, rows

REPORT = ("reports", "detection")


@pytest.fixture
def results(ad, orders, tmp_path):
    """The results of a run."""
    path = tmp_path / "results.json"
    assert ad("detection", "run", "--data", orders, "--label", "fraud", "--output", path).code == 0
    return path


@pytest.fixture
def made(tmp_path):
    """Results with explanations."""
    path = tmp_path / "made.json"
    path.write_text(json.dumps(document()))
    return path


def test_a_run_becomes_a_page_beside_its_results(ad, results, tmp_path):
    ran = ad(*REPORT, results)
    assert ran.code == 0
    assert ran.err == ""
    page = tmp_path / "results.html"
    assert f"Report written to {page}" in ran.out.replace("\n", "")
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    for words in ("Anomalies in orders.csv", "AUROC", "of 300 rows", 'id="row-0"', "repeat another", "sha256"):
        assert (words in text) == (words != "repeat another")


@pytest.mark.xfail(
    not hasattr(explain, "Explanation"),
    reason="runs do not write explanations as objects yet",
    strict=True,
)
def test_explanations_of_a_run_are_in_its_page(ad, orders, tmp_path):
    path = tmp_path / "results.json"
    assert ad("detection", "run", "--data", orders, "--ignore", "fraud", "--explain", "--output", path).code == 0
    why = next(row["explanation"] for row in json.loads(path.read_text())["results"] if row["is_anomaly"])
    ran = ad(*REPORT, path, "--format", "md", "--output", "-")
    assert ran.code == 0
    assert markdown_text(why["sentence"]) in ran.out
    assert markdown_text(why["recommendation"]) in ran.out
    assert markdown_text(why["counterfactual"]["sentence"]) in ran.out
    assert "carry no explanations" not in ran.out


def test_the_default_says_which_views_it_combined(ad, results):
    page = ad(*REPORT, results, "--format", "md", "--output", "-").out
    assert "found in the scores (contamination auto); raw scores from " in page
    assert "| Views for | the rows that were learned from |" in page
    assert "| lesinn | 1.00 | " in page
    html = ad(*REPORT, results, "--format", "html", "--output", "-").out
    assert '<th scope="row">lesinn</th>' in html
    found = ad(*REPORT, results, "--format", "json", "--output", "-").json
    assert [view["name"] for view in found["views"]] == [one["name"] for one in found["made"]["evidence"]["members"]]


@pytest.fixture
def keyed_results(ad, table, tmp_path):
    """The results of a run on hosts of two regions; row 7 is odd."""
    frame = (
        numbers(600)
        .select("x", "y")
        .with_columns(pl.Series("region", ["eu", "us"] * 300), pl.Series("host", [f"h{i % 6}" for i in range(600)]))
    )
    path = table(frame, "hosts.csv")

    def run(*options):
        out = tmp_path / "hosts.json"
        arguments = ("--data", path, "--key", "region,host", "-a", "ecod", "--explain", "--output", out, *options)
        assert ad("detection", "run", *arguments).code == 0
        return out

    return run


@pytest.mark.parametrize("options", [(), ("--per-key", "--min-rows", 50)])
def test_columns_of_a_composite_key_are_a_key_and_no_features(ad, keyed_results, options):
    results = keyed_results(*options)
    written = json.loads(results.read_text())
    assert {tuple(one["record"]) for one in written["summary"]["anomalies"]} == {("x", "y")}
    report = ad(*REPORT, results, "--format", "json", "--output", "-").json
    assert [view["name"] for view in sorted(report["columns"], key=lambda view: view["name"])] == ["x", "y"]
    assert report["columns_in_all"] == 2
    assert all({cell["column"] for cell in one["cells"]} == {"x", "y"} for one in report["anomalies"])
    assert report["anomalies"][0]["row"]["key"].count("/") == 1
    page = ad(*REPORT, results, "--format", "md", "--output", "-").out
    assert "| Key | region/host |" in page
    assert f". {report['anomalies'][0]['row']['key']}: " in page
    assert ("have a model of their own" in page) == ("Judged by" in page) == bool(options)
    html = ad(*REPORT, results, "--format", "html", "--output", "-").out
    assert "<dt>Key</dt><dd>region/host</dd>" in html
    assert (", judged by the model of" in html) == bool(options)


def test_key_columns_in_the_records_of_older_results_are_left_out(ad, made, table):
    document = json.loads(made.read_text())
    document["made"]["schema"]["key"] = ["shop", "till"]
    document["results"][0]["key"] = ["b", 3]
    report = ad(*REPORT, table(json.dumps(document), "old.json"), "--format", "json", "--output", "-").json
    assert [view["name"] for view in report["columns"]] == ["amount"]
    assert all([cell["column"] for cell in one["cells"]] == ["amount"] for one in report["anomalies"])
    page = ad(*REPORT, table(json.dumps(document), "old.json"), "--format", "md", "--output", "-").out
    assert ". b/3: " in page


@pytest.mark.parametrize(
    ("options", "name", "start"),
    [
        (("--format", "md"), "made.md", "# Anomalies in"),
        (("--format", "json"), "made.report.json", "{"),
        (("--format", "HTML"), "made.html", "<!doctype html>"),
        (("--output", "{}/out.markdown"), "out.markdown", "# Anomalies in"),
        (("--output", "{}/out.htm"), "out.htm", "<!doctype html>"),
        (("--output", "{}/page", "--format", "html"), "page", "<!doctype html>"),
    ],
)
def test_the_format_and_the_place_are_told_or_asked_for(ad, made, tmp_path, options, name, start):
    before = files_in(tmp_path)
    assert ad(*REPORT, made, *(option.format(tmp_path) for option in options)).code == 0
    after = files_in(tmp_path)
    assert set(after) - set(before) == {tmp_path / name}
    assert after[tmp_path / name].decode().startswith(start)


def test_a_dash_reads_standard_input_and_writes_standard_output(process, made):
    ran = process(*REPORT, "-", "--output", "-", "--format", "md", stdin=made.read_bytes())
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# Anomalies in orders.csv")
    assert ran.out.count("\n### ") == 12


def test_compressed_results_are_read(ad, made, tmp_path):
    path = tmp_path / "made.json.gz"
    path.write_bytes(gzip.compress(made.read_bytes()))
    assert ad(*REPORT, path).code == 0
    assert (tmp_path / "made.html").exists()


def test_top_says_how_many_are_told_in_full(ad, made):
    assert ad(*REPORT, made, "--top", 3, "--format", "md", "--output", "-").out.count("\n### ") == 3
    assert ad(*REPORT, made, "--top", 0, "--output", "-").code == 0


def test_an_old_report_is_replaced_in_one_step(ad, made, tmp_path):
    page = tmp_path / "made.html"
    page.write_text("old")
    page.chmod(0o640)
    assert ad(*REPORT, made).code == 0
    assert page.stat().st_mode & 0o777 == 0o640
    assert "old" not in page.read_text()[:10]


def test_a_list_of_rows_is_enough(ad, table):
    path = table(json.dumps(rows(explain=False)), "rows.json")
    assert "12 of 300 rows" in ad(*REPORT, path).out


BROKEN = {
    "truncated": (lambda text: text[: len(text) // 2], "perhaps cut short"),
    "nothing": (lambda _: "", "is empty"),
    "csv": (lambda _: "row,score\n0,1\n", "is not JSON: it begins with 'row,score"),
    "lines": (lambda _: '{"row":0,"score":1}\n{"row":1,"score":2}\n', "is JSON Lines"),
    "foreign": (lambda _: '{"hits": [1, 2]}', "missing required field `results`"),
    "numbers": (lambda _: "[1, 2, 3]", "Expected `object`, got `int`"),
    "scalar": (lambda _: "42", "not the results of a run"),
    "records": (lambda _: '{"results": [{"amount": 3}]}', "missing required field `row`"),
    "verdict": (lambda text: text.replace('"is_anomaly": true', '"is_anomaly": "yes"', 1), "Expected `bool`"),
    "score": (lambda text: text.replace('"anomaly_score": 0.6', '"anomaly_score": 7.6', 1), "<= 1.0"),
    "severity": (lambda text: text.replace('"severity": "low"', '"severity": "awful"', 1), "Invalid enum value"),
    "edges": (lambda text: text.replace("[0.0, 20.0,", "[20.0, 0.0,", 1), "rising numbers"),
    "counts": (
        lambda text: text.replace('"anomalies": [6, 0,', '"anomalies": [6, 999,', 1),
        "more anomalies than rows",
    ),
    "bins": (lambda text: text.replace('"anomalies": [6, 0,', '"anomalies": [6, 0, 0,', 1), "one count more"),
    "reasons": (
        lambda text: text.replace('"columns": [{"column": "amount"', '"columns": [{"name": "amount"', 1),
        "`column`",
    ),
    "deep": (lambda text: text.replace('"K0"', "[" * 100_000, 1), "broken JSON"),
    "no rows": (lambda _: '{"results": []}', "no rows in the results"),
    "bytes": (lambda _: "PAR1\x00\x00PAR1", "is Parquet"),
    "huge row": (lambda text: text.replace('"row": 0', f'"row": {10**30}', 1), "not the results of a run"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_the_results_of_a_run_is_refused(refused, made, table, name):
    change, words = BROKEN[name]
    text = change(made.read_text())
    assert text != made.read_text()
    path = table(text, "broken.json")
    assert words in refused(*REPORT, path, "--output", path.parent / "out.html")


def test_every_way_to_cut_results_short_is_refused(tmp_path):
    text = json.dumps(document(rows(24)))
    path = tmp_path / "cut.json"
    for end in range(0, len(text), 97):
        path.write_text(text[:end])
        with pytest.raises(SourceError):
            read_results(path)


def test_more_than_one_page_can_take_is_refused(made):
    with pytest.raises(SourceError, match="too much for one page"):
        read_results(made, most_bytes=1_000)


def test_a_missing_file_is_named_with_the_nearest_one(refused, made):
    assert "did you mean" in refused(*REPORT, made.with_name("mades.json"))


def test_a_place_that_cannot_be_written_is_refused(refused, made, tmp_path):
    assert "no folder" in refused(*REPORT, made, "--output", tmp_path / "none" / "r.html")
    assert "is a directory" in refused(*REPORT, made, "--output", tmp_path, "--format", "html")
    assert "would be overwritten" in refused(*REPORT, made, "--output", made)
    assert "cannot be told from its name" in refused(*REPORT, made, "--output", tmp_path / "report.pdf")
    assert "Did you mean 'html'" in refused(*REPORT, made, "--format", "htlm")


def test_a_disk_that_is_full_leaves_the_old_report(ad, made, tmp_path, monkeypatch):
    page = tmp_path / "made.html"
    page.write_text("old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("anomaly_detection.sinks._aside.os.fsync", full)
    ran = ad(*REPORT, made)
    assert ran.code == 2
    assert "the disk is full" in ran.err
    assert page.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"made.json", "made.html"}


def test_a_run_without_anomalies_is_reported_on(ad, table, tmp_path):
    path = table(numbers().drop("fraud"), "calm.csv")
    out = tmp_path / "calm.json"
    assert ad("detection", "run", "--data", path, "--threshold", "static:upper_limit=5", "--output", out).code == 0
    assert "None of 300 rows is an anomaly." in ad(*REPORT, out).out
