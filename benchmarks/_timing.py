"""What the benchmarks share: interleaved CPU seconds, ratios with a bar and an equality check, one table at the end.

Import this before numpy: it keeps every numeric library on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(_name, "1")


def options(about: str | None) -> argparse.ArgumentParser:
    """What every benchmark takes: ``--data``, a folder of labelled tables, and ``--json``, a file to write."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with manifest.csv; without it, what needs it is left out")
    parser.add_argument("--json", help="also write the results to this file")
    return parser


def arguments(about: str | None, peer: str | None = None) -> argparse.Namespace:
    """The command line of a benchmark that takes no more than these.

    A peer that cannot be installed beside us adds an option of its name: the interpreter that has it.
    """
    parser = options(about)
    if peer is not None:
        parser.add_argument(f"--{peer}", metavar="PYTHON", help=f"interpreter that has {peer}; without it, left out")
    return parser.parse_args()


def cpu_seconds(
    runs: Mapping[str, Callable[[], object]], rounds: int = 7, calls: Mapping[str, int] | None = None
) -> dict[str, float]:
    """The median CPU seconds of one call of each run, the runs taking turns so that a noisy moment hits all of them.

    Parameters
    ----------
    runs : what to time, by name; each is called once beforehand, to be warm.
    rounds : how many turns each takes.
    calls : calls in a row per turn, for runs too short for the clock; 1 when not given.
    """
    for run in runs.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            taken[name].append(_one_turn(run, (calls or {}).get(name, 1)))
    return {name: statistics.median(values) for name, values in taken.items()}


def _one_turn(run: Callable[[], object], calls: int) -> float:
    start = time.process_time()
    for _ in range(calls):
        run()
    return (time.process_time() - start) / calls


@dataclass(frozen=True, slots=True)
class Line:
    """One measured promise: what was measured, the bar, and whether it holds."""

    what: str
    measured: str
    bar: str
    holds: bool
    check: str = ""


@dataclass(slots=True)
class Report:
    """The lines of one benchmark, and what else is told below them.

    >>> report = Report("forest")
    >>> report.ratio("batch", {"ours": 0.1, "sklearn": 0.5}, "ours", "sklearn", at_least=4, check="difference 0")
    >>> report.lines[0].measured
    '5.0x sklearn (100 ms against 500 ms)'
    """

    title: str
    lines: list[Line] = field(default_factory=list)
    below: str = ""

    def ratio(
        self, what: str, seconds: Mapping[str, float], ours: str, peer: str, *, at_least: float, check: str
    ) -> None:
        """How many times faster ``ours`` is than ``peer``, with what was checked to be equal; 0 sets no bar."""
        ratio = seconds[peer] / seconds[ours]
        times = f"({duration(seconds[ours])} against {duration(seconds[peer])})"
        bar = f">= {at_least:g}x" if at_least else "none set"
        self.add(what, f"{ratio:,.1f}x {peer} {times}", bar, holds=ratio >= at_least, check=check)

    def add(self, what: str, measured: str, bar: str, *, holds: bool, check: str = "") -> None:
        """Any other promise."""
        self.lines.append(Line(what, measured, bar, bool(holds), check))

    def markdown(self) -> str:
        """The report as a table."""
        head = f"### {self.title}\n\n| what | measured | bar | holds | check beside it |\n|---|---|---|---|---|\n"
        rows = (f"| {x.what} | {x.measured} | {x.bar} | {'yes' if x.holds else 'NO'} | {x.check} |" for x in self.lines)
        return head + "\n".join(rows) + "\n" + (f"\n{self.below}\n" if self.below else "")

    def publish(self, path: str | None = None) -> int:
        """Print the table, write it as JSON when a path is given; 1 when a bar does not hold, else 0."""
        print(self.markdown())
        if path is not None:
            document = {"title": self.title, "lines": [asdict(line) for line in self.lines], "below": self.below}
            Path(path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return 0 if all(line.holds for line in self.lines) else 1


def duration(seconds: float) -> str:
    """Seconds in the unit a reader would choose.

    >>> duration(0.0000021), duration(0.03), duration(2.5)
    ('2.1 µs', '30 ms', '2.5 s')
    """
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
