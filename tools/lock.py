"""Write ``requirements/*.txt`` from ``pyproject.toml``: every package pinned, by hash, for every supported platform.

    python tools/lock.py [--upgrade]

``dev`` is resolved first and binds the others, so that no two locks disagree. No address of a package index is
recorded.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
PLAIN = ["--generate-hashes", "--no-header", "--no-annotate"]
LOCKS = {
    "dev": ["pyproject.toml", "--all-extras", "--group", "dev"],
    "core": ["pyproject.toml"],
    "all": ["pyproject.toml", "--all-extras"],
    "build": ["--group", "build"],
    "test": ["--group", "test"],
    "bench": ["pyproject.toml", "--all-extras", "--group", "bench"],
    "bootstrap": ["--group", "bootstrap"],
}


def main(arguments: list[str]) -> int:
    """Compile every lock; existing pins are kept unless ``--upgrade`` is given."""
    upgrade = ["--upgrade"] if "--upgrade" in arguments else []
    for name, sources in LOCKS.items():
        target = f"requirements/{name}.txt"
        bound = [] if name in ("dev", "bootstrap") else ["--constraints", "requirements/dev.txt"]
        command = [sys.executable, "-m", *COMPILE, *PLAIN, *upgrade, *sources, *bound, "--output-file", target]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        pins = sum("==" in line for line in (ROOT / target).read_text().splitlines())
        print(f"{target}: {pins} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
