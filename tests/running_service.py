"""A service in a process of its own, as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

SOON = 60.0
"""The longest that anything here waits for."""


class Running:
    """A started service: its address, a client, its process and its log."""

    def __init__(self, process, log):
        self.process = process
        self.log = log
        self.url = ""
        self.client = None

    @property
    def address(self):
        """Host and port."""
        return self.client.base_url.host, self.client.base_url.port

    def said(self):
        """Everything it has logged."""
        return self.log.read_text()

    def stop(self, number=signal.SIGTERM):
        """Tell it to stop, and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(SOON)


@contextmanager
def running(folder, *arguments, home=None, env=None):
    """Start ``serve`` with open access and no workers on a free port; it is ready when it is given.

    A home that is used again has its first models already.
    """
    log = Path(folder) / "service.log"
    command = [
        sys.executable,
        "-m",
        "anomaly_detection",
        "serve",
        "--port",
        "0",
        "--open",
        "--workers",
        "0",
        *arguments,
    ]
    surroundings = {
        **os.environ,
        "ANOMALY_DETECTION_HOME": str(home or Path(folder) / "home"),
        "PYTHONUNBUFFERED": "1",
        **(env or {}),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=surroundings)
    service = Running(process, log)
    try:
        service.url = _address(service)
        with httpx.Client(base_url=service.url, timeout=SOON) as service.client:
            until(lambda: service.client.get("/health/ready").status_code == 200)
            yield service
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def until(holds, seconds=SOON):
    """Wait until something holds; fail when it takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.02)
    return found


def children(pid):
    """The processes that one has started; threads and processes may end while they are looked at."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(one) for one in task.read_text().split()]
    return found


def is_up(pid):
    """Whether a process runs; one that waits to be buried does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _address(service):
    def look():
        assert service.process.poll() is None, service.said()
        return re.search(r"http://[^\s\"]+", service.said())

    return until(look).group()
