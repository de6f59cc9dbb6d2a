"""Worker processes beside a server: they end with it, and are started again when they die."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMAND = (sys.executable, "-m", "anomaly_detection", "worker", "--with-parent")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0

STEADY = 60.0
"""A worker that lived so long is started again at once, in seconds."""

GRACE = 8.0
"""So long workers have to give their jobs back before they are ended by force."""


class Pool:
    """Some worker processes.

    Each holds the reading end of a pipe as its standard input; its other end closes with this process, even when it is
    killed, and the workers end.

    Parameters
    ----------
    number : how many.
    environment : of the workers.
    command : what a worker is.
    """

    def __init__(self, number: int, environment: Mapping[str, str], command: Sequence[str] = COMMAND) -> None:
        self._command = list(command)
        self._environment = dict(environment)
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._keep_one, daemon=True) for _ in range(number)]
        self._workers: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers that are up."""
        with self._lock:
            return tuple(worker.pid for worker in self._workers)

    def stop(self) -> None:
        """End all workers; they give their jobs back."""
        self._stopping.set()
        with self._lock:
            for worker in self._workers:
                if worker.stdin is not None:
                    worker.stdin.close()
        for thread in self._threads:
            thread.join()

    def _keep_one(self) -> None:
        """Keep one worker up until everything is to stop."""
        pause = FIRST_PAUSE
        while not self._stopping.wait(pause):
            began = time.monotonic()
            self._one()
            pause = FIRST_PAUSE if time.monotonic() - began > STEADY else min(LONGEST_PAUSE, pause * 2)

    def _one(self) -> None:
        """A worker, from its beginning to its end."""
        with self._lock:
            if self._stopping.is_set():
                return
            worker = subprocess.Popen(  # noqa: S603 - the command is ours
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=self._environment
            )
            self._workers.add(worker)
        while worker.poll() is None and not self._stopping.wait(0.2):
            pass
        try:
            worker.wait(GRACE)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        with self._lock:
            self._workers.discard(worker)
            if worker.stdin is not None:
                worker.stdin.close()
