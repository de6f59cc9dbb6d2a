"""A PostgreSQL server of the tests' own: started in a folder that is thrown away, on a socket that nobody else sees."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest


def programs():
    """The folder with ``initdb`` and ``pg_ctl``; skips without it, or fails where every extra is asked for."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").is_file():
            return folder
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    if os.environ.get("AD_REQUIRE_EXTRAS") == "1":
        pytest.fail(
            "no PostgreSQL, and AD_REQUIRE_EXTRAS=1 asks for it; try: apt-get install postgresql", pytrace=False
        )
    pytest.skip("no PostgreSQL; try: apt-get install postgresql")


def _as_nobody(folder):
    """PostgreSQL refuses to run as root: be nobody then, and let the folder be theirs."""
    if os.getuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


@contextmanager
def server():
    """Start a server; gives the URL of its database for a user who may do anything, and stops it afterwards."""
    binaries = programs()
    folder = Path(tempfile.mkdtemp(prefix="ad-pg-"))
    prefix = _as_nobody(folder)

    def call(program, *arguments):
        command = [*prefix, str(binaries / program), *map(str, arguments)]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120, check=False)
        assert ran.returncode == 0, ran.stderr

    data = folder / "data"
    try:
        call("initdb", "-D", data, "-U", "admin", "--auth=trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c timezone=UTC"
        call("pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql://admin@/postgres?host={folder}"
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
