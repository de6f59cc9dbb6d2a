"""`logs templates`: from a log file to its templates, and everything that is no log."""

from __future__ import annotations

import polars as pl
import pytest

from cli.conftest import files_in

TEMPLATES = ("logs", "templates")
LINES = (
    "2026-01-01 10:00:00,250 - shop - WARNING - Slow query took 12 ms\n"
    "2026-01-01 10:00:01,250 - shop - ERROR - Job 7 failed\n"
    "Traceback (most recent call last):\n"
    "  KeyError: 7\n"
    "2026-01-01 10:00:02,250 - shop - INFO - user 17 logged in\n"
    "2026-01-01 10:00:03,250 - shop - INFO - user 19 logged in\n"
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_text(LINES)
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "log.parquet"
    pl.DataFrame({"content": ["user 17 in", "disk full", "user 18 in"], "id": [1, 2, 3]}).write_parquet(path)
    return path


def test_templates_are_shown_with_their_lines(ad, log):
    ran = ad(*TEMPLATES, log)
    assert ran.code == 0
    assert "user <*> logged in" in ran.out
    assert "3 templates in 4 lines" in ran.out
    assert "is read as text" in ran.err.replace("\n", " ")


def test_json_has_an_example_of_each(ad, log):
    found = ad(*TEMPLATES, log, "--json").json
    assert found["lines"] == 4
    assert found["templates"][0] == {
        "template_id": 2,
        "template": "user <*> logged in",
        "lines": 2,
        "example": "user 17 logged in",
    }
    assert any("stack traces" in note for note in found["notes"])


def test_a_row_for_each_row_in_order(ad, table, tmp_path):
    path = tmp_path / "T.parquet"
    assert ad(*TEMPLATES, table, "--message", "content", "--output", path).code == 0
    frame = pl.read_parquet(path)
    assert frame.columns == ["line", "template_id", "template"]
    assert frame["template_id"].to_list() == [0, 1, 0]
    assert frame["template"].to_list() == ["user <*> in", "disk full", "user <*> in"]


def test_standard_output_holds_nothing_but_the_rows(ad, log):
    ran = ad(*TEMPLATES, log, "--output", "-")
    assert ran.out.splitlines()[:2] == ["line,template_id,template", "1,0,Slow query took <*>"]
    assert len(ran.out.splitlines()) == 5


def test_a_mask_of_ones_own(ad, tmp_path):
    path = tmp_path / "plain.log"
    path.write_text("order ORD-AB shipped\norder ORD-QX shipped\n")
    assert len(ad(*TEMPLATES, path, "--json").json["templates"]) == 2
    found = ad(*TEMPLATES, path, "--mask", "order=ORD-[A-Z]+", "--json").json["templates"]
    assert [one["template"] for one in found] == ["order <*> shipped"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.log",), "no file 'missing.log'"),
        (("app.log", "--message", "nothing"), "nothing"),
        (("app.log", "--mask", "order"), "needs a name and a regular expression"),
        (("app.log", "--mask", "order=("), "order"),
        (("app.log", "--format", "xml"), "xml"),
        (("app.log", "--format", "json", "--pattern", "(?<message>.*)"), "--pattern is for the format regex"),
        (("app.log", "--output", "-", "--json"), "both write to standard output"),
        (("app.log", "--output", "app.log"), "app.log"),
        (("empty.log",), "empty"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(ad, log, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.log").touch()
    before = files_in(tmp_path)
    ran = ad(*TEMPLATES, *arguments)
    assert ran.code == 2
    assert words in ran.err
    assert "Traceback (" not in ran.err
    assert files_in(tmp_path) == before
    assert log.read_text() == LINES
