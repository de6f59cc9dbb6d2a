"""What the documentation shows as output is what the program says, on the orders of the demonstration."""

import shlex

import pytest

from anomaly_detection.cli.app import run
from anomaly_detection.cli.terminal import console, side
from anomaly_detection.workflows.orders import orders
from docs.test_examples import PAGES, ROOT, blocks

ON_ORDERS = "$ anomaly-detection detection run --data orders.csv "
TAKES_MORE = ("--model", "--train-column")


def shown(page):
    """Each command on the orders alone that is followed by output, and that output."""
    found = []
    for _, code in blocks(page, "console"):
        for part in f"\n{code}".split("\n$ ")[1:]:
            command, *output = f"$ {part}".splitlines()
            if output and command.startswith(ON_ORDERS) and not any(option in command for option in TAKES_MORE):
                found.append((command, lines(output)))
    return found


def lines(said):
    return [line.rstrip() for line in said if line.strip()]


SHOWN = [
    pytest.param(*each, id=f"{page.relative_to(ROOT).as_posix()}:{i}")
    for page in PAGES
    for i, each in enumerate(shown(page))
]


@pytest.fixture
def _orders_in_a_wide_terminal(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "112")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "ANOMALY_DETECTION_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    orders().write_csv("orders.csv")
    console.cache_clear()
    side.cache_clear()
    yield
    console.cache_clear()
    side.cache_clear()


@pytest.mark.usefixtures("_orders_in_a_wide_terminal")
@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_output_shown_is_the_output(command, output, capsys):
    run(shlex.split(command)[2:])
    said = capsys.readouterr()
    assert lines(f"{said.err}\n{said.out}".splitlines()) == output


def test_some_outputs_are_shown():
    assert len(SHOWN) >= 4
