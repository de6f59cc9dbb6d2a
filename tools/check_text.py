"""Look through every tracked file for what must not be published: paths of a machine, package hosts, secrets.

    python tools/check_text.py

Also conflict markers and files over a megabyte.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 1_000_000
RULES = {
    "a path of a machine": r"(?<![\w.~])/(?:root|home/\w+|Users/\w+|work/[\w-]+)/|\b[A-Z]:\\Users\\",
    "the address of a package index": r"\b(?:files\.pythonhosted|(?:test\.)?pypi)\.(?:org|python)\b(?!/p(?:roject)?/)"
    r"|--(?:extra-)?index-url|https?://\S+/simple\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an access token": r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abprs]-\w{10,}"
    r"|sk-[A-Za-z0-9]{32,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})",
    "a password in an address": r"\b[a-z][a-z0-9+]*://[^\s/:@'\"{$<]+:[^\s/@'\"{$<]+@",
    "a conflict marker": r"^(?:<{7}|>{7}) ",
}


def main() -> int:
    """Check what git tracks or would track; 1 when something is found."""
    said = [problem for path in tracked() for problem in problems(path.relative_to(ROOT).as_posix(), path.read_bytes())]
    print("\n".join(said) if said else "no machine paths, package hosts or secrets")
    return 1 if said else 0


def tracked() -> list[Path]:
    """The files of the project that exist and are not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def problems(name: str, content: bytes) -> list[str]:
    """What is wrong with one file, one line each."""
    if len(content) > MOST_BYTES:
        return [f"{name}: {len(content):,} bytes, at most {MOST_BYTES:,}"]
    if b"\0" in content:
        return []
    lines = content.decode("utf-8", errors="replace").splitlines()
    return [
        f"{name}:{number}: {what}"
        for number, line in enumerate(lines, 1)
        for what, pattern in COMPILED.items()
        if pattern.search(line)
    ]


COMPILED = {what: re.compile(pattern) for what, pattern in RULES.items()}

if __name__ == "__main__":
    sys.exit(main())
