"""Everything a user can hand over that is not right: one paragraph, exit code 2, nothing written."""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest

from anomaly_detection.detectors import pyod as adapter
from anomaly_detection.explain.background import Background
from cli.conftest import files_in, numbers

RUN = ("detection", "run", "--data")


@pytest.fixture
def refused_table(refused, table, tmp_path):
    """Refused by `detection run --output` and by `models train` alike."""

    def call(content, *options, name="data.csv"):
        path = table(content, name)
        said = refused(*RUN, path, "--output", tmp_path / "out.csv", *options)
        assert refused("models", "train", "--data", path, "--name", "m", *options) == said
        return said

    return call


@pytest.mark.usefixtures("orders")
def test_a_missing_file_is_named_with_the_nearest_one(refused, tmp_path):
    said = refused(*RUN, tmp_path / "order.csv", "--output", tmp_path / "out.csv")
    assert "There is no file" in said
    assert "did you mean" in said
    assert "orders.csv" in said


@pytest.mark.usefixtures("orders")
def test_a_directory_is_refused_with_a_file_in_it(refused, tmp_path):
    said = refused(*RUN, tmp_path)
    assert "is a directory" in said
    assert "orders.csv" in said


def test_an_empty_file_is_refused(refused_table):
    assert "is empty" in refused_table("")


def test_a_header_without_records_is_refused(refused_table):
    assert "no records" in refused_table("a,b\n")


def test_a_wrong_ending_is_noted_and_the_content_read(ad, table):
    path = table(b"", "data.parquet")
    numbers().write_csv(path)
    ran = ad(*RUN, path)
    assert ran.code == 0
    assert "it is read as csv" in ran.err


def test_an_ending_that_says_nothing_needs_a_format(refused_table):
    assert "--format" in refused_table("just some words\nand more\n", name="data.doc")


def test_binary_garbage_is_refused(refused_table):
    assert "binary" in refused_table(bytes(range(256)) * 20)


def test_an_excel_workbook_is_named_as_such(refused_table):
    assert "Excel" in refused_table(b"PK\x03\x04" + bytes(500), name="data.xlsx")


def test_a_ragged_csv_names_the_line(refused_table):
    said = refused_table("a,b\n1,2\n3,4,5\n6,7\n")
    assert "line 3" in said
    assert "3 fields where the header has 2" in said


def test_duplicate_column_names_are_refused(refused_table):
    assert "'a'" in refused_table("a,b,a\n" + "1,2,3\n" * 20)


def test_one_row_is_refused(refused_table):
    assert "takes at least 8 rows; got 1" in refused_table("a,b\n1.5,2.5\n")


def test_an_all_constant_table_is_refused(refused_table):
    said = refused_table("a,b\n" + "1,x\n" * 50)
    assert "No column is left" in said
    assert "constant" in said


def test_an_all_missing_table_is_refused(refused_table):
    assert "No column is left" in refused_table("a,b\n" + ",\n" * 50)


def test_missing_and_constant_columns_among_good_ones_are_set_aside(ad, table):
    frame = numbers().with_columns(pl.lit(None, pl.String).alias("void"), pl.lit(7).alias("seven"))
    ran = ad(*RUN, table(frame), "--label", "fraud")
    assert ran.code == 0
    assert "set aside: void (empty" in ran.err
    assert "set aside: seven (constant" in ran.err


def test_mixed_types_name_the_rows_and_the_ways_out(refused_table):
    values = [str(i / 7) for i in range(60)]
    values[5] = "oops"
    said = refused_table("a,b\n" + "".join(f"{value},{i % 13}.5\n" for i, value in enumerate(values)))
    assert "'oops' in row 5" in said
    assert "--categorical" in said
    assert "--ignore" in said


@pytest.mark.parametrize("word", ["inf", "-inf"])
def test_infinite_numbers_are_refused_with_their_row(refused_table, word):
    frame = numbers().drop("fraud").write_csv().replace("\n", f"\n{word},1.5\n", 1)
    said = refused_table(frame)
    assert "infinite" in said
    assert "row 0" in said
    assert "--ignore" in said


def test_infinite_numbers_are_refused_when_scoring_with_a_model(ad, refused, orders, table):
    assert ad("models", "train", "--data", orders, "--name", "m", "--ignore", "fraud").code == 0
    path = table(pl.DataFrame({"x": [1.0] * 9 + [np.inf], "y": [2.0] * 10}))
    assert "the first in row 9" in refused(*RUN, path, "--model", "m")


def test_bytes_that_are_not_utf8_are_refused_with_the_way_out(refused_table):
    said = refused_table(b"name,x\n" + b"".join(b"caf\xe9 %d,%d\n" % (i % 5, i) for i in range(50)))
    assert "--encoding" in said or "encoding" in said


def test_another_encoding_is_read_when_named(ad, table):
    rows = b"".join(b"caf\xe9 %d,%d.5\n" % (i % 5, i * i % 97) for i in range(80))
    assert ad(*RUN, table(b"name,x\n" + rows), "--encoding", "latin-1").code == 0


def test_an_unknown_algorithm_suggests_the_nearest(refused, orders):
    assert "Did you mean 'isolation_forest'" in refused(*RUN, orders, "--algorithm", "isolation_forst")


@pytest.mark.parametrize(
    ("parameter", "way_out"),
    [
        ("n_estimators=0", "n_estimators=0 must be"),
        ("n_estimators=many", "n_estimators='many' must be"),
        ("n_estimator=5", "Did you mean 'n_estimators'"),
        ("n_estimators", "name=value"),
    ],
)
def test_a_parameter_that_is_off_says_what_has_to_hold(refused, orders, parameter, way_out):
    assert way_out in refused(*RUN, orders, "--algorithm", "isolation_forest", "--param", parameter)


@pytest.mark.parametrize("parameter", ["n_estimators=50", "n_estimator=50"])
def test_a_parameter_of_another_algorithm_names_that_algorithm(refused, orders, parameter):
    said = refused(*RUN, orders, "-p", parameter)
    assert f"auto has no parameter {parameter.partition('=')[0]!r}" in said
    assert "isolation_forest and extended_isolation_forest have it" in said
    assert "--algorithm isolation_forest" in said
    assert "are: judged, random_state." in said


@pytest.mark.parametrize("name", ["xgbod", "DevNet", "pyod-xgbod"])
def test_an_algorithm_that_learns_from_labels_says_so(refused, orders, name):
    said = refused(*RUN, orders, "--algorithm", name)
    assert "it learns from labels" in said
    assert "Use auto" in said


@pytest.mark.parametrize(
    ("algorithm", "package", "words"),
    [("cof", "pyod", "pip install 'anomaly-detection[pyod]'"), ("vae", "torch", "needs the package 'torch'")],
)
def test_a_missing_package_is_named_with_what_to_install(refused, orders, monkeypatch, algorithm, package, words):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}", name=package)

    monkeypatch.setattr(adapter, "import_module", missing)
    for name in ("COF", "VAE"):
        monkeypatch.delitem(vars(adapter), name, raising=False)
    for command in (RUN, ("models", "train", "--name", "m", "--data")):
        assert words in refused(*command, orders, "--algorithm", algorithm)


def test_unseen_categories_and_rows_without_values_are_judged_and_explained(ad, table, tmp_path):
    frame = numbers().select("x").with_columns(pl.Series("shop", ["a", "b", "c"] * 100))
    assert ad("models", "train", "--data", table(frame), "--name", "m").code == 0
    odd = pl.DataFrame({"x": [0.1, None, 0.1], "shop": ["zzz", None, "a"]})
    out = tmp_path / "out.json"
    ran = ad(*RUN, table(odd, "odd.csv"), "--model", "m", "--explain", "--output", out, "--json")
    assert ran.code == 0
    whys = {one["row"]: one["explanation"]["recommendation"] for one in ran.json["anomalies"]}
    assert "never seen" in whys[0]
    assert 1 not in whys or "missing" in whys[1]
    assert ad("reports", "detection", out).code == 0


def test_a_model_without_normal_rows_cannot_explain_and_says_so(ad, orders, tmp_path, monkeypatch):
    assert ad("models", "train", "--data", orders, "--name", "m", "--ignore", "fraud").code == 0
    monkeypatch.setattr(Background, "restore", lambda *_: None)
    before = files_in(tmp_path)
    ran = ad(*RUN, orders, "--model", "m", "--explain", "--output", tmp_path / "out.json")
    assert ran.code == 2
    assert "train it again to have explanations" in ran.err
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused_with_the_range_written_out(refused, orders, seed):
    assert "at least 0 and at most 2**63 - 1" in refused(*RUN, orders, "--seed", seed)


def test_the_largest_seed_is_one(ad, orders):
    assert ad(*RUN, orders, "--seed", 2**63 - 1, "--top", 0).code == 0


@pytest.mark.parametrize("value", ["0", "0.6", "-1", "nan", "many"])
def test_a_contamination_out_of_range_is_refused(refused, orders, value):
    said = refused(*RUN, orders, f"--contamination={value}")
    assert "above 0 and at most 0.5" in said


def test_a_model_of_other_columns_names_both_sets(ad, refused, orders, table):
    assert ad("models", "train", "--data", orders, "--name", "m", "--ignore", "fraud").code == 0
    said = refused(*RUN, table("a,b\n" + "1,2\n" * 20), "--model", "m")
    assert "trained on 'x', 'y'" in said
    assert "the data has 'a', 'b'" in said


def test_a_tampered_model_is_not_loaded(ad, refused, orders, tmp_path):
    assert ad("models", "train", "--data", orders, "--name", "m").code == 0
    largest = max((tmp_path / "registry").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    changed = bytearray(largest.read_bytes())
    changed[len(changed) // 2] ^= 1
    largest.chmod(0o644)
    largest.write_bytes(changed)
    refused(*RUN, orders, "--model", "m", "--output", tmp_path / "out.csv")


def test_an_unknown_model_suggests_the_nearest(ad, refused, orders):
    assert ad("models", "train", "--data", orders, "--name", "orders").code == 0
    assert "Did you mean 'orders'" in refused(*RUN, orders, "--model", "ordrs")


def test_a_registry_that_is_a_file_is_refused_before_any_work(refused, orders):
    assert "is not a folder" in refused("models", "train", "--data", orders, "--name", "m", "--registry", orders)


def test_a_registry_without_permission_is_refused_before_any_work(refused, orders, tmp_path, monkeypatch):
    place = tmp_path / "locked"
    place.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or str(path) != str(place))
    assert "may not be written" in refused("models", "train", "--data", orders, "--name", "m", "--registry", place)


@pytest.mark.parametrize("column", ["--label", "--key", "--timestamp", "--train-column", "--ignore", "--columns"])
def test_an_unknown_column_suggests_the_nearest(refused, orders, column):
    assert "Did you mean 'fraud'?" in refused(*RUN, orders, column, "frod")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--timestamp", "y", "--key", "y"], "The column 'y' is named for --timestamp and --key"),
        (["--key", "x,y", "--label", "y"], "The column 'y' is named for --key and --label"),
        (["--timestamp", "y", "--key", "y", "--label", "y"], "'y' is named for --timestamp and --key and --label"),
    ],
)
def test_a_column_with_two_roles_is_refused_whatever_the_command(ad, refused, orders, options, words):
    assert ad("models", "train", "--data", orders, "--name", "m").code == 0
    for command in (("detection", "run"), ("models", "train", "--name", "n"), ("detection", "run", "--model", "m")):
        assert words in refused(*command, "--data", orders, *options)


def test_a_label_that_is_not_understood_shows_its_values(refused, orders):
    assert "Labels have to be" in refused(*RUN, orders, "--label", "x")


def test_missing_labels_are_refused(refused, table):
    frame = numbers().with_columns(pl.when(pl.col("x") > 0).then("fraud").alias("fraud"))
    assert "labels are missing" in refused(*RUN, table(frame), "--label", "fraud")


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a b"])
def test_a_bad_model_name_is_refused_before_any_work(refused, orders, name):
    assert "cannot be named" in refused("models", "train", "--data", orders, "--name", name)


@pytest.mark.parametrize("output", ["missing/out.csv", "out.docx", "."])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(refused, orders, tmp_path, output):
    refused(*RUN, orders, "--output", tmp_path / output)


def test_a_format_of_no_output_is_refused(refused, orders):
    assert "Give --output, too" in refused(*RUN, orders, "--output-format", "csv")


def test_the_input_is_never_overwritten(refused, orders):
    assert "is the input" in refused(*RUN, orders, "--output", orders)


@pytest.mark.slow
def test_ten_thousand_columns_work(ad, table):
    values = np.random.default_rng(0).normal(size=(200, 10_000)).round(2)
    frame = pl.DataFrame(values, schema=[f"c{i}" for i in range(10_000)])
    ran = ad(*RUN, table(frame), "-a", "iforest", "-p", "n_estimators=10", "--json", "--top", 1)
    assert ran.code == 0
    assert len(ran.json["schema"]["features"]) == 10_000


def test_very_many_categories_work(ad, table):
    rows = 60_000
    frame = pl.DataFrame({"city": [f"c {i * 7919 % rows}" for i in range(rows)], "x": np.arange(rows) % 977 / 3})
    ran = ad(*RUN, table(frame), "--categorical", "city", "--algorithm", "hbos", "--top", 0)
    assert ran.code == 0
    assert "category: city" in ran.err


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["detection", "rnu"], "Did you mean 'run'"),
        (["modles", "list"], "Did you mean 'models'"),
        (["detection", "run", "--dta", "x"], "Did you mean '--data'"),
        (["detection", "run"], "Missing option '--data'"),
        (["detection", "run", "--data", "x", "--top", "-1"], "--top"),
        (["models", "train", "--data", "x"], "Missing option '--name'"),
    ],
)
def test_a_mistyped_command_line_says_what_was_meant(refused, arguments, way_out):
    said = refused(*arguments)
    assert way_out in said
    assert "See `anomaly-detection " in said
