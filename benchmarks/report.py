"""A report on 100,000 rows, from their results to a page: how long it takes and how large the page is.

python benchmarks/report.py [--json FILE]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _timing import Report, arguments, duration

# isort: split

from anomaly_detection.workflows.orders import orders

PROGRAM = [sys.executable, "-c", "from anomaly_detection.cli import main; main()"]
ROWS = 100_000
ROUNDS = 5
MOST_SECONDS = 10.0
MOST_BYTES = 3_000_000


def main() -> int:
    """Make orders, find their anomalies with explanations, and report on them in every format."""
    given = arguments(__doc__)
    report = Report("A report on 100,000 rows")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        orders(ROWS).write_csv(place / "orders.csv")
        run = "detection run --data orders.csv --key order_id --timestamp created --label fraud --explain -q"
        called("standard output is not looked at", [*run.split(), "--output", "results.json"], place)
        size = (place / "results.json").stat().st_size
        for kind in ("html", "md", "json"):
            add(report, kind, place, size)
    return report.publish(given.json)


def add(report: Report, kind: str, place: Path, size: int) -> None:
    """Two lines of the report: a fresh process, byte code cached, and the size of what it wrote."""
    command = ["reports", "detection", "results.json", "--output", f"page.{kind}"]
    seconds = min(called(kind, command, place) for _ in range(ROUNDS))
    text = (place / f"page.{kind}").read_text(encoding="utf-8")
    told = re.search(r"[\d,]+ of 100,000 rows", text)
    check = f"it says: {told[0] if told else 'nothing'}; results of {size / 1e6:.0f} MB were read"
    fast = seconds <= MOST_SECONDS and told is not None
    report.add(f"{kind}: seconds", duration(seconds), f"<= {duration(MOST_SECONDS)}", holds=fast, check=check)
    written = len(text.encode())
    report.add(f"{kind}: size", f"{written / 1e6:.2f} MB", "<= 3 MB", holds=written <= MOST_BYTES, check=check)


def called(what: str, command: list[str], place: Path) -> float:
    """The wall seconds of one run of the program."""
    began = time.perf_counter()
    done = subprocess.run([*PROGRAM, *command], check=False, cwd=place, capture_output=True, env=dict(os.environ))
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr.decode()}")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
