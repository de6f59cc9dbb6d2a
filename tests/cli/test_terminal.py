"""What a person sees: nothing a user's data says is obeyed, and it fits the width there is."""

from __future__ import annotations

import io

import polars as pl
import pytest
from rich.console import Console

from anomaly_detection.cli import terminal, verdicts
from anomaly_detection.cli.verdicts import short_reason
from cli.conftest import numbers

RUN = ("detection", "run", "--data")


@pytest.fixture
def wild(table):
    """Values, a key and a column name that look like markup and terminal codes."""
    frame = numbers().with_columns(
        pl.Series("[bold]shop[/]", ["[red]x[/red]"] * 3 + ["a", "b", "c"] * 99),
        pl.Series("id", [f"[link=x]\x1b[31m{i}" for i in range(300)]),
    )
    return table(frame.drop("fraud", "y"))


def test_markup_and_terminal_codes_in_data_are_printed_as_they_are(ad, wild, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    ran = ad(*RUN, wild, "--key", "id")
    assert ran.code == 0
    assert "[red]x[/red]'" in ran.out
    assert "[bold]shop[/] '" in ran.out
    assert "[link=x]\\x1b[31m" in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert "[bold]shop[/]" in ran.err


def test_control_characters_in_an_error_are_shown(ad, tmp_path):
    ran = ad(*RUN, tmp_path / "a\x1b[31mb.csv")
    assert ran.code == 2
    assert "\x1b" not in ran.err
    assert "\\x1b[31m" in ran.err


@pytest.mark.parametrize("width", [80, 200])
def test_the_table_fits_the_terminal(ad, orders, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    ran = ad(*RUN, orders, "--label", "fraud")
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= width
    first = next(line for line in lines if line.lstrip().startswith(("0 ", "1 ", "2 ")))
    assert "(normal " in first
    assert max(map(len, lines)) > 60


def test_reasons_are_rounded_and_short():
    reason = {"column": "total", "value": 3405.1834, "normal": "48.97123 to 12639.52"}
    assert short_reason(reason) == "total 3,405 (normal 48.97 to 12,640)"
    reason = {"column": "c" * 100, "value": "v" * 100, "normal": "'a' 60 %, 'b' 40 %"}
    assert len(short_reason(reason)) < 130


def test_advice_cuts_very_long_names(monkeypatch, capsys):
    name = "the_total_amount_of_the_order_including_all_taxes_" * 4
    change = {"changes": [{"column": name, "from": 9, "to": 1}], "sentence": f"With {name} 1 it would be normal."}
    why = {"recommendation": f"Check {name}: it is high.", "columns": [{"column": name}], "counterfactual": change}
    monkeypatch.setenv("COLUMNS", "200")
    terminal.console.cache_clear()
    verdicts._show_advice([{"row": 3, "explanation": why}], terminal.console())
    said = " ".join(capsys.readouterr().out.split())
    short = f"{name[:39]}…"
    assert said == f"row 3: Check {short}: it is high. With {short} 1 it would be normal."


def test_there_is_no_colour_unless_on_a_terminal(ad, orders, monkeypatch):
    assert "\x1b" not in ad(*RUN, orders).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal.console.cache_clear()
    assert "\x1b[" in ad(*RUN, orders).out


def test_no_color_is_respected_on_a_terminal(ad, orders, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.console.cache_clear()
    shown = ad(*RUN, orders).out
    assert "\x1b[3" not in shown  # no colour; bold may stay


@pytest.fixture
def screen(monkeypatch):
    """Standard error as a terminal that can be read."""
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, markup=False)
    monkeypatch.setattr(terminal, "side", lambda: console)
    return stream


def test_progress_appears_with_the_time_left_once_work_takes_long(screen, monkeypatch):
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.progress() as show:
        show("scoring [red]x", 50, 100)
    assert "scoring [red]x" in screen.getvalue()
    assert "50%" in screen.getvalue()
    assert "left" in screen.getvalue()


def test_short_or_quiet_work_shows_no_progress(screen, monkeypatch):
    with terminal.progress() as show:
        show("scoring", 50, 100)
    monkeypatch.setattr(terminal, "PATIENCE", 0.0)
    with terminal.progress(quiet=True) as show:
        show("scoring", 50, 100)
    assert "scoring" not in screen.getvalue()
