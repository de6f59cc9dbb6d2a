"""Draw the pictures of the documentation from what the program says about its generated orders.

    python tools/picture.py docs/assets/terminal.svg docs/assets/scores.svg

The same code draws the same bytes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from anomaly_detection import detect
from anomaly_detection.workflows.orders import orders

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 108
COMMAND = ("detection", "run", "--data", "orders.csv", "--key", "order_id", "--ignore", "fraud", "--top", "6")
ALPHA = 0.01
BARS = 56
MIDDLE = 400


def main() -> int:
    """Write the pictures named on the command line; the file's name says which one."""
    for path in map(Path, sys.argv[1:]):
        path.write_text(PICTURES[path.name](), encoding="utf-8")
    return 0


def terminal() -> str:
    """The terminal of the README: the program is run, and what it prints becomes a drawing."""
    with tempfile.TemporaryDirectory() as folder:
        orders().write_csv(Path(folder, "orders.csv"))
        program = "from anomaly_detection.cli import main; main()"
        environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
        command = [sys.executable, "-c", program, *COMMAND]
        done = subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True, text=True)
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ anomaly-detection {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(done.stdout.rstrip()))
    drawing = console.export_svg(title="anomaly-detection", theme=MONOKAI, unique_id="terminal")
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", drawing, flags=re.DOTALL)


@dataclass(frozen=True)
class Axis:
    """Numbers from ``low`` to ``high`` onto pixels from ``start`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The pixel of a number."""
        return round(self.start + (self.stop - self.start) * (value - self.low) / (self.high - self.low), 1)


def scores() -> str:
    """How the scores of the orders are spread, where the alarm line is, and which orders were planted."""
    table = orders()
    result = detect(table.drop("order_id", "fraud"), contamination=ALPHA)
    planted = table["fraud"].to_numpy()
    x = Axis(float(result.score.min()), float(result.score.max()) + 0.01, 56, 744)
    line = float(result.score[result.is_anomaly].min()) - 0.001
    counted = f"{result.anomaly_count} of {len(result):,} orders are above it"
    marks = [_dot(x(score)) for score in sorted(result.score[planted])]
    parts = [*_bars(result.score[~planted], x), *_line(x(line), counted), *marks, *_words(x)]
    return _FRAME.format("\n".join(parts))


def _bars(values: NDArray[np.float64], x: Axis) -> list[str]:
    counts, edges = np.histogram(values, BARS, (x.low, x.high))
    y = Axis(-0.3, np.log10(500.0), 230, 60)
    ticks = [
        f'<text class="small" x="48" y="{y(np.log10(n)) + 4:.1f}" text-anchor="end">{n}</text>'
        f'<path class="grid" d="M56 {y(np.log10(n))}H744"/>'
        for n in (1, 10, 100)
    ]
    bars = [
        f'<rect class="bar" x="{x(left)}" y="{y(np.log10(n))}" width="{x(right) - x(left) - 1:.1f}" '
        f'height="{230 - y(np.log10(n)):.1f}"/>'
        for n, left, right in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if n
    ]
    return [*ticks, *bars]


def _line(at: float, counted: str) -> list[str]:
    beside = f'x="{at + 8}"' if at < MIDDLE else f'x="{at - 8}" text-anchor="end"'
    return [
        f'<path class="line" d="M{at} 48V264"/>',
        f'<text class="alarm" {beside} y="62">alarm line, α = {ALPHA}</text>',
        f'<text class="small" {beside} y="80">{counted}</text>',
    ]


def _dot(at: float) -> str:
    return f'<circle class="planted" cx="{at}" cy="250" r="4"/>'


def _words(x: Axis) -> list[str]:
    ticks = [f'<text class="small" x="{x(s)}" y="284" text-anchor="middle">{s}</text>' for s in range(4)]
    return [
        '<text class="title" x="56" y="30">Scores of 2,000 orders</text>',
        '<path class="axis" d="M56 230H744"/>',
        *ticks,
        '<text class="small" x="744" y="304" text-anchor="end">score of the default algorithm</text>',
        '<rect class="bar" x="56" y="295" width="10" height="10"/>',
        '<text class="small" x="72" y="304">ordinary orders (logarithmic)</text>',
        '<circle class="planted" cx="290" cy="300" r="4"/><text class="small" x="300" y="304">planted frauds</text>',
    ]


_FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 768 320">
<title>Scores of 2,000 orders</title>
<style>
text {{ font-family: system-ui, sans-serif; fill: #1f2328 }}
.title {{ font-size: 16px; font-weight: 600 }}
.alarm {{ font-size: 14px; font-weight: 600; fill: #b02a0c }}
.small {{ font-size: 13px; fill: #57606a }}
.bar {{ fill: #4c7fc4 }}
.planted {{ fill: #d9480f; fill-opacity: 0.75 }}
.line {{ stroke: #b02a0c; stroke-width: 2; stroke-dasharray: 6 4 }}
.grid {{ stroke: #d8dee4 }}
.axis {{ stroke: #57606a }}
</style>
<rect width="768" height="320" rx="8" fill="#ffffff" stroke="#d0d7de"/>
{}
</svg>
"""

PICTURES = {"terminal.svg": terminal, "scores.svg": scores}

if __name__ == "__main__":
    sys.exit(main())
