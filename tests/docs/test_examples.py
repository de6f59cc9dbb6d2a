"""What the documentation shows works: Python blocks run, commands exist."""

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from anomaly_detection.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(?P<language>[\w-]+)[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, language):
    """The line and the text of each block of a language, in order."""
    text = page.read_text(encoding="utf-8")
    found = [match for match in BLOCK.finditer(text) if match["language"] == language]
    return [(text[: match.start("code")].count("\n"), match["code"]) for match in found]


def commands(page):
    """Each ``anomaly-detection`` command of a page, as words; pipes end a command."""
    found = []
    for _, code in blocks(page, "console"):
        lines = code.replace("\\\n", " ").splitlines()
        for line in lines:
            if line.startswith("$ "):
                parts = [shlex.split(part) for part in re.split(r"\s(?:\||>|&&)\s", line[2:])]
                found += [words for words in parts if words[0] == "anomaly-detection"]
    return found


def named(paths):
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


PAGES_WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]
COMMANDS = sorted({tuple(words) for page in PAGES for words in commands(page)})


@pytest.mark.parametrize("page", named(PAGES_WITH_PYTHON))
def test_python_blocks_run_in_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path / "home"))
    names = {"__name__": "example"}
    for line, code in blocks(page, "python"):
        exec(compile("\n" * line + code, str(page), "exec", dont_inherit=True), names)


def problem(words):
    """What is wrong with a command line, found by Typer's own parser without running anything."""
    command, rest, name = get_command(app), list(words[1:]), words[0]
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    try:
        command.make_context(name, rest)
    except Exception as error:  # noqa: BLE001 - Typer's usage errors have no public name
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_exist_with_these_options(words):
    assert problem(words) is None


def test_enough_of_the_documentation_is_checked():
    assert len(PAGES_WITH_PYTHON) >= 5
    assert len(COMMANDS) >= 20


@pytest.mark.parametrize(
    "words", [["no-such"], ["detection", "run", "--no-such"], ["detection", "run"], ["models", "show", "a", "b"]]
)
def test_a_command_that_does_not_exist_is_noticed(words):
    assert problem(["anomaly-detection", *words])
