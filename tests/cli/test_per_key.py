"""``--per-key``: runs, models, what they say of their levels, and which wishes are refused."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def hosts(tmp_path):
    """900 rows of six hosts in two regions; host 1 says in row 7 what is usual for host 5."""
    rng = np.random.default_rng(0)
    host = np.arange(900) % 6
    load = 30.0 * host + rng.normal(size=900) * (1 + host)
    load[7] = 150.0
    path = tmp_path / "hosts.csv"
    regions = np.where(host < 3, "eu", "a/b").tolist()
    pl.DataFrame({"region": regions, "host": host, "load": load, "wait": rng.normal(size=900)}).write_csv(path)
    return path


PER_KEY = ("--key", "host", "--per-key", "--min-rows", "100", "--ignore", "region")


def test_a_table_is_judged_key_by_key(ad, hosts, tmp_path):
    out = tmp_path / "out.json"
    ran = ad("detection", "run", "--data", hosts, *PER_KEY, "--output", out, "--json", "--explain", "--top", 3)
    assert ran.code == 0
    assert ran.json["anomalies"][0]["row"] == 7
    assert ran.json["anomalies"][0]["level"] in ("host", "all")
    assert ran.json["made"]["levels"]["own_models"] >= 1
    assert ran.json["made"]["parameters"]["key"] == ["host"]
    written = json.loads(out.read_text())
    rows = written["results"] if "results" in written else written["verdicts"]
    assert {row["level"] for row in rows} <= {"host", "all"}


def test_a_model_is_trained_shown_and_used(ad, hosts):
    ran = ad(
        "models", "train", "--data", hosts, "--key", "region,host", "--per-key", "--min-rows", "100", "--name", "m"
    )
    assert ran.code == 0
    assert "of their own for the" in ran.out
    shown = ad("models", "show", "m").out
    assert "Levels" in shown
    assert "region/host" in shown
    details = ad("models", "show", "m", "--json").json
    assert [level["level"] for level in details["spec"]["evidence"]["levels"]] == ["all", "region", "region/host"]
    assert details["version"]["lineage"]["parameters"]["key"] == ["region", "host"]
    found = ad("detection", "run", "--data", hosts, "--model", "m", "--json").json
    assert (7, "eu/1") in {(one["row"], one["key"]) for one in found["anomalies"]}


def test_the_ensemble_has_a_name_of_its_own(ad, hosts):
    ran = ad("detection", "run", "--data", hosts, "--key", "host", "--algorithm", "density-chosen", "--json", "--quiet")
    assert ran.json["made"]["algorithm"]["name"] == "isolation_forest"
    assert "levels" in ran.json["made"]


def test_several_columns_are_a_key_without_models_per_key_too(ad, hosts):
    found = ad("detection", "run", "--data", hosts, "--key", "region,host", "--json", "--top", 900).json
    assert {one["key"] for one in found["anomalies"]} <= {f"{r}/{h}" for r in ("eu", "a%2Fb") for h in range(6)}
    assert found["made"]["levels"] is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--per-key"], "--key"),
        (["--algorithm", "density"], "--per-key"),
        (["--key", "host", "--min-rows", "50"], "--per-key"),
        (["--key", "hots", "--per-key"], "host"),
        (["--key", "host,host", "--per-key"], "twice"),
        (["--key", "host", "--per-key", "--min-rows", "1"], "min-rows"),
    ],
)
def test_wishes_that_make_no_sense_are_refused(refused, hosts, options, words):
    assert words in refused("detection", "run", "--data", hosts, *options)


@pytest.mark.needs_extra("pyod", "skops")
def test_an_algorithm_that_needs_the_batch_is_refused_with_what_to_use_instead(refused, hosts):
    options = ("--data", hosts, "--key", "host", "--per-key")
    for command in (("detection", "run"), ("models", "train", "--name", "m")):
        said = refused(*command, *options, "--algorithm", "cof")
        assert "A model per key needs" in said
        assert "pyod_cof is labelled batch only. Use lof, or leave out --per-key" in said
    average = '{"name": "average", "parameters": {"detectors": ["ecod", "cof"]}}'
    said = refused("detection", "run", *options, "-a", "maximum", "-p", f'detectors=[{average}, "knn"]')
    assert "maximum is labelled batch only because of its member pyod_cof. Use lof in place of pyod_cof" in said


def test_a_model_per_key_needs_the_key_again(ad, refused, hosts, tmp_path):
    assert ad("models", "train", "--data", hosts, *PER_KEY, "--name", "m").code == 0
    other = tmp_path / "other.csv"
    pl.read_csv(hosts).drop("host").write_csv(other)
    assert "host" in refused("detection", "run", "--data", other, "--model", "m")
    assert "--per-key" in refused("detection", "run", "--data", hosts, "--model", "m", "--per-key", "--key", "host")
