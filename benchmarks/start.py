"""How long users wait before anything happens: import, help, and a small file, with byte code and kernels cached.

python benchmarks/start.py [--json FILE]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _timing import Report, arguments, duration

# isort: split

import numpy as np
import polars as pl

PROGRAM = "from anomaly_detection.cli import main; main()"
ROUNDS = 7


def main() -> int:
    """Time fresh processes."""
    given = arguments(__doc__)
    report = Report("Waiting")
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        pl.DataFrame(np.random.default_rng(0).normal(size=(10_000, 10))).write_csv(table)
        empty = best([sys.executable, "-c", "pass"])
        add(report, "import anomaly_detection", ["-c", "import anomaly_detection"], 0.3, empty)
        add(report, "anomaly-detection --help", ["-c", PROGRAM, "--help"], 0.6, empty)
        run = ["-c", PROGRAM, "detection", "run", "--data", str(table), "-q"]
        add(report, "detection run on a CSV of 10,000 x 10, second call", run, 3.0, empty)
    return report.publish(given.json)


def best(command: list[str]) -> float:
    """The least wall seconds of some runs, the first not counted: what others on the machine take is not ours."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        taken.append(time.perf_counter() - began)
    return min(taken[1:])


def add(report: Report, what: str, arguments_: list[str], most: float, empty: float) -> None:
    """One line of the report."""
    seconds = best([sys.executable, *arguments_])
    check = f"an empty Python takes {duration(empty)}"
    report.add(what, duration(seconds), f"<= {duration(most)}", holds=seconds <= most, check=check)


if __name__ == "__main__":
    sys.exit(main())
