"""Score a Parquet file of 10,000,000 rows and 10 number columns from the command line: memory and rows per CPU second.

    python benchmarks/large_file.py [--json FILE]

The file is written to a temporary folder and removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments

# isort: split

import numpy as np
import polars as pl
from polars.io.plugins import register_io_source

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 10_000_000
GROUP = 500_000
MOST_MEMORY = 2**30
FEWEST_ROWS = 500_000
ALGORITHM = ["--algorithm", "isolation_forest"]
PROGRAM = [sys.executable, "-c", "from anomaly_detection.cli import main; main()"]


def main() -> int:
    """Fit on a sample and score the file; then score it with a registered model."""
    given = arguments(__doc__)
    report = Report("A Parquet file of 10,000,000 rows")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_table(place / "big.parquet")
        train = ["models", "train", "--data", str(place / "small.parquet"), "--name", "big", "--registry", folder]
        train += ALGORITHM
        pl.scan_parquet(place / "big.parquet").head(50_000).sink_parquet(place / "small.parquet")
        subprocess.run([*PROGRAM, *train], check=True, capture_output=True)
        run = ["detection", "run", "--data", str(place / "big.parquet"), "-q"]
        add(report, "with a registered model", [*run, "--model", "big", "--registry", folder], place / "a.parquet")
        add(report, "fitted on a sample of it first", [*run, *ALGORITHM], place / "b.parquet")
    return report.publish(given.json)


def write_table(path: Path) -> None:
    """Normal numbers, a row group at a time."""
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(10)]

    def groups(*_: object) -> Iterator[pl.DataFrame]:
        for _ in range(ROWS // GROUP):
            yield pl.DataFrame(rng.normal(size=(GROUP, 10)), schema=names)

    schema: dict[str, Any] = dict.fromkeys(names, pl.Float64)
    register_io_source(groups, schema=schema).sink_parquet(path, row_group_size=GROUP)


def add(report: Report, what: str, command: list[str], output: Path) -> None:
    """Run the program once and read off what it used."""
    child = subprocess.Popen([*PROGRAM, *command, "--output", str(output)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{what}: the program failed with status {status}.")
    seconds, memory = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    written = pl.scan_parquet(output).select(pl.len(), pl.col("row").max()).collect().row(0)
    check = f"{written[0]:,} verdicts written, the last for row {written[1]:,}"
    whole = written == (ROWS, ROWS - 1)
    speed = ROWS / seconds
    report.add(
        f"rows/CPU-s, {what}", f"{speed:,.0f}", f">= {FEWEST_ROWS:,}", holds=whole and speed >= FEWEST_ROWS, check=check
    )
    size = f"{memory / 2**20:,.0f} MiB"
    report.add(f"peak memory, {what}", size, "<= 1,024 MiB", holds=whole and memory <= MOST_MEMORY, check=check)


if __name__ == "__main__":
    sys.exit(main())
