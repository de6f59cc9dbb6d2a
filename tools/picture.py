"""Draw the terminal of the README: the program is run on generated orders, and what it prints becomes an SVG.

python tools/picture.py docs/assets/terminal.svg
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

WIDTH = 108
COMMAND = ("detection", "run", "--data", "orders.csv", "--key", "order_id", "--ignore", "fraud", "--top", "6")


def main() -> int:
    """Run the program and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        make = "from anomaly_detection.workflows.orders import orders; orders().write_csv('orders.csv')"
        subprocess.run([sys.executable, "-c", make], check=True, cwd=folder)
        program = "from anomaly_detection.cli import main; main()"
        environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
        command = [sys.executable, "-c", program, *COMMAND]
        done = subprocess.run(command, check=True, cwd=folder, env=environment, capture_output=True, text=True)
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True)
    console.print(Text(f"$ anomaly-detection {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(done.stdout.rstrip()))
    drawing = console.export_svg(title="anomaly-detection", theme=MONOKAI, unique_id="terminal")
    Path(sys.argv[1]).write_text(_offline(drawing), encoding="utf-8")
    return 0


def _offline(drawing: str) -> str:
    """The same drawing without fonts from other hosts."""
    return re.sub(r"@font-face\s*\{.*?\}\s*", "", drawing, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
