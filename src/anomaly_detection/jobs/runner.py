"""The process that jobs run in: whatever they do to it, the worker beside it goes on."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from anomaly_detection.errors import AnomalyDetectionError, InputError, UnknownNameError
from anomaly_detection.jobs.apart import serve_parent
from anomaly_detection.jobs.task import Cancelled, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from anomaly_detection.store.jobs import Job

    Kinds = Mapping[str, Callable[[Task], Mapping[str, Any]]]


MOST_WORDS = 1_000
"""So much is heard of a talkative job before the worker looks around."""

_context = multiprocessing.get_context("spawn")


class DiedError(Exception):
    """The process ended in the middle of a job."""


class Runner:
    """A process that does one job after the other; made when it is needed, and again if it died.

    Parameters
    ----------
    kinds : what to call for a job of each kind: functions that another process can import.
    """

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def start(self, job: Job) -> None:
        """Begin with a job."""
        if self._process is None or not self._process.is_alive():
            self.kill()
            self._open()
        self._send({"id": job.id, "kind": job.kind, "payload": job.payload})

    def cancel(self, job: Job) -> None:
        """Ask the job to end; it notices when it next says how far it is."""
        self._send({"cancel": job.id})

    def heard(self, seconds: float) -> list[dict[str, Any]]:
        """What the job said; waits so long for a first word.

        Raises
        ------
        DiedError
            saying how, once the process has ended and all it said was heard.
        """
        if self._connection is None or self._process is None:
            raise DiedError("The process that ran it was ended.")
        said: list[dict[str, Any]] = []
        try:
            while len(said) < MOST_WORDS and self._connection.poll(0 if said else seconds):
                said.append(msgspec.json.decode(self._connection.recv_bytes()))
        except (EOFError, OSError):
            if said:
                return said
            self._process.join(5)
            raise DiedError(_how(self._process.exitcode)) from None
        return said

    def kill(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _open(self) -> None:
        ours, theirs = _context.Pipe()
        self._process = _context.Process(target=_serve, args=(theirs, self._kinds), daemon=True, name="jobs")
        self._process.start()
        theirs.close()
        self._connection = ours

    def _send(self, what: dict[str, Any]) -> None:
        if self._connection is not None:
            try:
                self._connection.send_bytes(msgspec.json.encode(what))
            except OSError:
                return  # dead; heard() tells


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        hint = " It may have needed more memory than there is." if code == -signal.SIGKILL else ""
        return f"The process that ran it was killed by {signal.Signals(-code).name}.{hint}"
    return f"The process that ran it ended with the code {code}."


def _serve(connection: Connection, kinds: Kinds) -> None:
    """Do one job after the other, until the worker is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker, which decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    serve_parent()
    talk = _Talk(connection)
    while (asked := talk.next_job()) is not None:
        talk.tell(_outcome(asked, kinds, talk))


class _Talk:
    """The words between a job and its worker."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()

    def tell(self, what: dict[str, Any]) -> None:
        with self._lock:
            self._connection.send_bytes(msgspec.json.encode(what))

    def next_job(self) -> dict[str, Any] | None:
        while True:
            try:
                asked: dict[str, Any] = msgspec.json.decode(self._connection.recv_bytes())
            except (EOFError, OSError):
                return None
            if "id" in asked:
                self._cancelled.clear()
                return asked

    def cancel_asked(self, job: str) -> bool:
        with self._lock:
            while self._connection.poll(0):
                self._cancelled.add(msgspec.json.decode(self._connection.recv_bytes()).get("cancel", ""))
        return job in self._cancelled


def _outcome(asked: dict[str, Any], kinds: Kinds, talk: _Talk) -> dict[str, Any]:
    task = Task(asked["id"], asked["payload"], talk.tell, lambda: talk.cancel_asked(asked["id"]))
    kind = kinds.get(asked["kind"])
    if kind is None:
        return {"ended": "failed", "problem": str(UnknownNameError("kind", asked["kind"], kinds)), "final": True}
    try:
        return {"ended": "done", "result": msgspec.to_builtins(dict(kind(task)), enc_hook=str)}
    except (Cancelled, KeyboardInterrupt):
        return {"ended": "cancelled"}
    except InputError as error:
        return {"ended": "failed", "problem": str(error), "final": True}
    except AnomalyDetectionError as error:
        return {"ended": "failed", "problem": str(error), "final": False}
    except Exception as error:  # noqa: BLE001 - a job may fail in any way; the next one is another matter
        return {"ended": "failed", "problem": f"{type(error).__name__}: {error}", "final": False}
