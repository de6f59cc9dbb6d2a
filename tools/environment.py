"""Make a virtual environment hold exactly what a lock says, and do nothing when it already does.

    python3 tools/environment.py .venv dev

Packages come from ``requirements/*.txt`` by hash, wheels only, with uv; where uv cannot reach an index, with pip from
the same files. This package itself is installed in place, built by the locked build backend.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "core": ("build", "core"),
    "all": ("build", "all"),
    "core-test": ("build", "core", "test"),
    "dev": ("dev",),
    "bench": ("build", "bench"),
}
"""What each set installs: names of files in ``requirements/``."""

UV_SECONDS = 300.0
"""A uv command that takes longer has lost its index; pip takes over."""


def main(arguments: list[str]) -> int:
    """Set up the environment; 0 when it is there, 2 for wrong usage, 1 when it could not be made."""
    if len(arguments) != 2 or arguments[1] not in LOCKS:
        print(f"usage: environment.py FOLDER {{{','.join(LOCKS)}}}", file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. Try: make PYTHON=python3.12 …")
        return 1
    folder, name = Path(arguments[0]).absolute(), arguments[1]
    try:
        ensure(folder, name)
    except subprocess.CalledProcessError as error:
        print(f"Setting up {folder.name} failed in: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return 0


def ensure(folder: Path, name: str) -> None:
    """Install the set ``name`` into ``folder`` unless its stamp says that it is there."""
    stamp, wanted = folder / ".locks" / name, digest(name)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    turn = ROOT / ".cache" / f"{folder.name}.turn"  # not in the folder: uv locks a file of its own there
    turn.parent.mkdir(exist_ok=True)
    with turn.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        started = time.perf_counter()
        create(folder)
        install(folder, LOCKS[name])
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(wanted)
        print(f"{folder.name}: {name} is installed ({time.perf_counter() - started:.1f} s)")


def digest(name: str) -> str:
    """What the set depends on: its locks, the project's own metadata, the interpreter, this script."""
    files = [ROOT / "pyproject.toml", Path(__file__), *map(lock_file, ("bootstrap", *LOCKS[name]))]
    content = [path.read_bytes() for path in files]
    return hashlib.sha256(b"\0".join([sys.version.encode(), str(ROOT).encode(), *content])).hexdigest()


def lock_file(name: str) -> Path:
    """The lock of that name."""
    return ROOT / "requirements" / f"{name}.txt"


def create(folder: Path) -> None:
    """Make the virtual environment and put uv into it."""
    python = folder / "bin" / "python"
    if not (works(python, "pip") and version_of(python) == version_of(Path(sys.executable))):
        print(f"{folder.name}: creating it with Python {sys.version.split()[0]}")
        run(sys.executable, "-m", "venv", "--clear", folder)
    if not works(python, "uv") or not (folder / ".locks").is_dir():
        run(*pip(python), "--require-hashes", "--only-binary", ":all:", "-r", lock_file("bootstrap"))


def install(folder: Path, locks: tuple[str, ...]) -> None:
    """Install the locks and this package, with uv if it can, else with pip."""
    python = folder / "bin" / "python"
    files = [part for name in locks for part in ("-r", lock_file(name))]
    itself = ("--no-deps", "--no-build-isolation", "-e", ROOT)
    uv = (python, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    try:
        run(*uv, "--require-hashes", "--no-build", *files, timeout=UV_SECONDS)
        run(*uv, "--offline", *itself, timeout=UV_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        print("uv could not install the locked packages; trying pip with the same hashes")
        run(*pip(python), "--require-hashes", "--only-binary", ":all:", *files)
        run(*pip(python), *itself)


def pip(python: Path) -> tuple[str | Path, ...]:
    """The beginning of a pip command."""
    return (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def works(python: Path, module: str) -> bool:
    """Whether the environment's interpreter runs and has a module."""
    command = [str(python), "-c", f"import {module}"]
    return python.exists() and subprocess.run(command, check=False, capture_output=True).returncode == 0


def version_of(python: Path) -> str:
    """The interpreter's version, such as ``3.11.7``."""
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def run(*command: str | Path, timeout: float | None = None) -> None:
    """Run a command in the project's folder; its output is shown."""
    sys.stdout.flush()
    subprocess.run(command, check=True, cwd=ROOT, timeout=timeout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
