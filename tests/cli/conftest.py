"""Tables and a program to run on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anomaly_detection.cli.app import run
from anomaly_detection.cli.terminal import console, side

SRC = str(Path(__file__).parents[2] / "src")


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(autouse=True)
def _terminal(monkeypatch, tmp_path):
    """A terminal of 80 columns without colour, and a registry of the test's own."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("ANOMALY_DETECTION_REGISTRY", str(tmp_path / "registry"))
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "ANOMALY_DETECTION_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    console.cache_clear()
    side.cache_clear()


@pytest.fixture
def ad(capsys):
    """Run the program in this process."""

    def call(*arguments):
        code = run([str(each) for each in arguments])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return call


@pytest.fixture
def refused(ad, tmp_path, monkeypatch):
    """Run the program, which must refuse in one plain paragraph and leave no trace; returns the paragraph."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def call(*arguments):
        before = files_in(tmp_path)
        ran = ad(*arguments)
        assert ran.code == 2, ran
        assert ran.out == ""
        assert ran.err.startswith("Error: ")
        assert ran.err.count("\n") == 1
        assert "Traceback" not in ran.err
        assert files_in(tmp_path) == before
        return ran.err

    return call


def files_in(folder):
    """Every file below a folder, with its bytes."""
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


@pytest.fixture
def table(tmp_path):
    """Write a frame, or text, or bytes, into a file; returns its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        if isinstance(content, pl.DataFrame):
            content.write_csv(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path

    return write


def numbers(rows=300, seed=0):
    """Two numbers a row, the first three rows far off and labelled."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 2)).round(4)
    values[:3] += 9
    labels = np.arange(rows) < 3
    return pl.DataFrame({"x": values[:, 0], "y": values[:, 1], "fraud": labels.astype(int)})


@pytest.fixture
def orders(table):
    """A CSV file of numbers with a label."""
    return table(numbers(), "orders.csv")


def command(*arguments):
    """The program as an own process would be started."""
    program = "import sys; sys.argv[0] = 'anomaly-detection'; from anomaly_detection.cli import main; main()"
    return [sys.executable, "-c", program, *map(str, arguments)]


def environment(**more):
    """This environment, with this checkout's package."""
    return {**os.environ, "PYTHONPATH": SRC, **more}


@pytest.fixture
def process():
    """Run the program in a process of its own."""

    def call(*arguments, stdin=None, cwd=None, **more):
        done = subprocess.run(
            command(*arguments),
            check=False,
            input=stdin,
            capture_output=True,
            env=environment(**more),
            cwd=cwd,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call
