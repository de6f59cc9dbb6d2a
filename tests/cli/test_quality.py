"""`quality pattern`: from a file to its wrong cells, and everything that is no table."""

import numpy as np
import polars as pl
import pytest

from quality.tables import ERRORS, sites, spoilt

PATTERN = ("quality", "pattern")


@pytest.fixture
def dirty(tmp_path):
    path = tmp_path / "sites.parquet"
    spoilt(sites(), ERRORS)[0].write_parquet(path)
    return path


@pytest.fixture
def clean(tmp_path):
    path = tmp_path / "clean.parquet"
    sites(seed=5).write_parquet(path)
    return path


def test_findings_are_shown(ad, dirty):
    ran = ad(*PATTERN, dirty)
    assert ran.code == 0
    assert "Aldfxrd" in ran.out
    assert "look wrong" in ran.out


def test_json_is_the_answer(ad, dirty):
    found = ad(*PATTERN, dirty, "--json").json
    assert found["is_anomaly"] is True
    assert found["expected_range"] == [0.0, 0.002]
    assert {"severity", "confidence", "expected_range", "message", "findings"} <= set(found)
    assert {"column", "kind", "rows", "examples", "message"} <= set(found["findings"][0])


def test_cell_scores_have_the_shape_of_the_table(ad, dirty, tmp_path):
    path = tmp_path / "scores.parquet"
    assert ad(*PATTERN, dirty, "--cell-scores", path).code == 0
    scores, (frame, mask) = pl.read_parquet(path), spoilt(sites(), ERRORS)
    assert scores.columns == frame.columns
    assert set(scores.dtypes) == {pl.Float64}
    values = scores.to_numpy()
    assert np.isfinite(values).all()
    assert mask.ravel()[np.argsort(-values.ravel())[:5]].all()


def test_exit_codes(ad, dirty, clean):
    assert ad(*PATTERN, dirty, "--fail-on-anomaly").code == 1
    assert ad(*PATTERN, clean, "--fail-on-anomaly").code == 0
    assert ad(*PATTERN, dirty, "--fail-on-anomaly", "--tolerance", "0.5").code == 0


def test_findings_go_into_a_file(ad, dirty, tmp_path):
    path = tmp_path / "findings.csv"
    assert ad(*PATTERN, dirty, "--output", path).code == 0
    found = pl.read_csv(path)
    assert {"column", "kind", "is_anomaly", "severity", "rows", "message"} <= set(found.columns)
    assert "Aldfxrd" in " ".join(found["message"].to_list() + found["example"].drop_nulls().to_list())


def test_earlier_tables_are_the_norm(ad, clean, tmp_path):
    now = tmp_path / "now.parquet"
    sites(seed=7).with_columns(region=pl.lit("west")).drop("phone").write_parquet(now)
    found = ad(*PATTERN, now, "--history", clean, "--json").json
    assert {"lost column", "new value"} <= {one["kind"] for one in found["findings"]}
    assert ad(*PATTERN, clean, "--history", clean, "--fail-on-anomaly").code == 0


def test_delimited_text_stays_as_it_is_written(ad, table):
    rows = "\n".join(f"{i:05d},{i % 7}.{(1, 25, 375)[i % 3]}" for i in range(100))
    path = table(f"code,rate\n{rows}\n7,3.0\n")
    found = ad(*PATTERN, path, "--json").json
    assert ("code", "7") in {(one["column"], one["examples"][0]["value"]) for one in found["findings"]}
    assert ("rate", "3.0") in {(one["column"], one["examples"][0]["value"]) for one in found["findings"]}


def test_columns_and_key(ad, dirty, tmp_path):
    path = tmp_path / "scores.csv"
    assert ad(*PATTERN, dirty, "--columns", "city", "--key", "zip", "--cell-scores", path).code == 0
    scores = pl.read_csv(path)
    assert (scores["phone"] == 0).all()
    assert scores["city"].arg_max() in {3, 17, 150}


def test_the_guilty_part_is_named(ad, dirty, tmp_path):
    now = sites(seed=7)
    wrong = (pl.col("region") == now["region"][0]) & (pl.int_range(pl.len()) < 60)
    path = tmp_path / "now.csv"
    now.with_columns(phone=pl.when(wrong).then(pl.lit("none at all")).otherwise("phone")).write_csv(path)
    options = ("--history", dirty, "--columns", "phone", "--segment", "region", "--json")
    found = next(one for one in ad(*PATTERN, path, *options).json["findings"] if one["column"] == "phone")
    assert found["guilty"].startswith(f"100% of them have region = '{now['region'][0]}'")
    assert found["guilty"] in found["message"]


def test_standard_output_holds_nothing_but_the_scores(ad, dirty):
    ran = ad(*PATTERN, dirty, "--cell-scores", "-")
    assert ran.out.splitlines()[0] == "id,zip,city,region,phone,area,opened"
    assert len(ran.out.splitlines()) == 401


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--columns", "town"), "no column 'town'"),
        (("--key", "town"), "no column 'town'"),
        (("--segment", "town"), "no column 'town'"),
        (("--tolerance", "3"), "tolerance is 3"),
        (("--json", "--cell-scores", "-"), "Give one of them"),
        (("--output", "x.csv", "--cell-scores", "x.csv"), "a place of its own"),
    ],
)
def test_bad_usage_is_refused(refused, dirty, more, words):
    assert words in refused(*PATTERN, dirty, *more)


@pytest.mark.parametrize("content", ["", "a,b\n", b"\x00\x01\x02"])
def test_what_is_no_table_is_refused(refused, table, content):
    assert "Error" in refused(*PATTERN, table(content))
