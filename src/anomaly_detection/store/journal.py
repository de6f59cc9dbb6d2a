"""Verdicts in append-only files: one write a request, there after a kill, turned into Parquet later."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".jsonl"

LATEST_BYTES = 2**18
"""So much of the end of each journal is read for the latest verdicts."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class VerdictRecord(msgspec.Struct, array_like=True, gc=False):
    """A verdict that is kept.

    Parameters
    ----------
    id : of the record.
    key : what it is about, such as a service; empty for none.
    at : when it happened, microseconds since 1970 in UTC.
    score, p_value, anomaly_score, is_anomaly, severity, confidence : the verdict.
    reason : why it is an anomaly, in words; empty for one that is none.
    record : the record itself, of an anomaly.
    """

    id: str
    key: str
    at: int
    score: float | None
    p_value: float
    anomaly_score: float
    is_anomaly: bool
    severity: str
    confidence: float
    reason: str = ""
    record: dict[str, Any] | None = None

    @property
    def moment(self) -> datetime:
        """When it happened."""
        return _EPOCH + timedelta(microseconds=self.at)


class Judged(msgspec.Struct, array_like=True, gc=False):
    """The records of a request.

    Parameters
    ----------
    model, version : which model judged them.
    received : when, microseconds since 1970 in UTC.
    records : with their verdicts.
    """

    model: str
    version: int
    received: int
    records: list[VerdictRecord]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Judged)


class Journal:
    """The file that this process writes to; a lock on it says that the process lives.

    Parameters
    ----------
    folder : where journals are; made if need be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> journal = Journal(Path(mkdtemp()))
    >>> journal.append(Judged("logs", 1, 0, [VerdictRecord("a", "", 0, 0.1, 0.5, 0.2, False, "normal", 0.9)]))
    >>> [each.records[0].id for each in judged_in(journal.roll())]
    ['a']
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def append(self, judged: Judged) -> None:
        """Keep what was judged; a kill of the process after this does not lose it.

        Raises
        ------
        OSError
            if the disk is full or broken.
        """
        line = _ENCODER.encode(judged) + b"\n"
        if os.write(self._file, line) != len(line):
            os.write(self._file, b"\n")
            raise OSError(f"the disk of {self.folder} is full")
        self.size += len(line)

    def sync(self) -> None:
        """Bring what was appended to the disk itself."""
        os.fdatasync(self._file)

    def roll(self) -> Path:
        """Begin a new file; returns the one before, which is not written to any more."""
        old, file = self.path, self._file
        self._open()
        os.close(file)
        return old

    def close(self) -> None:
        """Write no more; another process takes over what is there."""
        os.close(self._file)
        if not self.size:
            self.path.unlink(missing_ok=True)

    def abandoned(self) -> Iterator[Path]:
        """The files that no process writes to any more, each this process's own until the next one is asked for."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}")):
            if path == self.path:
                continue
            with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield path

    def _open(self) -> None:
        self.path = self.folder / f"{uuid4().hex}{SUFFIX}"
        while True:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if os.fstat(self._file).st_nlink:
                break
            os.close(self._file)  # another process took it for abandoned between the two calls
        self.size = 0


def judged_in(path: Path) -> Iterator[Judged]:
    """What a journal holds; a line that was cut short, as by a full disk, is left out."""
    with path.open("rb") as file:
        for line in file:
            with suppress(msgspec.DecodeError):
                yield _DECODER.decode(line)


def latest_in(folder: Path, model: str, key: str | None, most: int) -> list[VerdictRecord]:
    """The latest verdicts of a model that are not history yet, whichever process gave them, the latest first.

    Parameters
    ----------
    folder : where journals are.
    model, key : of what; None for every key.
    most : how many.
    """
    judged = [one for path in folder.glob(f"*{SUFFIX}") for one in _end_of(path) if one.model == model]
    judged.sort(key=attrgetter("received"))
    found: list[VerdictRecord] = []
    for one in reversed(judged):
        found += [record for record in reversed(one.records) if key is None or record.key == key]
        if len(found) >= most:
            break
    return found[:most]


def _end_of(path: Path) -> Iterator[Judged]:
    """What was judged last; a request that is larger than what is read is left out."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        begin = max(0, os.fstat(file.fileno()).st_size - LATEST_BYTES)
        file.seek(begin)
        lines = file.read().splitlines()
        for line in lines[1:] if begin else lines:
            with suppress(msgspec.DecodeError):
                yield _DECODER.decode(line)
