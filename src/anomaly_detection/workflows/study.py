"""The file a search is kept in: JSON lines, one for each trial that came to its end, appended and on disk at once.

A process that is killed loses the trial it was at and nothing else: a line that was cut short is cut off when the file
is opened again. One process at a time works on a study.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import msgspec

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FORMAT = 1

if sys.platform == "win32":

    def _lock(file: BinaryIO) -> None:
        """Windows has no flock: nobody is kept out."""

else:
    import fcntl

    def _lock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial that came to its end.

    Parameters
    ----------
    number : from 0 on.
    state : measured in all rounds; given up early, being worse than others; or failed.
    point : the values drawn, by the name of their dimension.
    rounds : the value of each round that was run.
    value : the mean over the rounds; None if it failed.
    parts : what the value is made of, the mean over the rounds.
    wish, alarms, f1 : its alarm line and what that does on held-out rows; None unless it is complete.
    seconds : how long it took.
    problem : why it failed.
    """

    number: int
    state: Literal["complete", "pruned", "failed"]
    point: dict[str, Any]
    rounds: list[float]
    value: float | None
    parts: dict[str, float]
    wish: float | str | None = None
    alarms: float | None = None
    f1: float | None = None
    seconds: float = 0.0
    problem: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all rounds were run."""
        return self.state == "complete"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


class StudyFile:
    """An open study; made by :func:`open_study`.

    Parameters
    ----------
    path : where it is.
    file : it, locked, at its end.
    trials : those that were there, in order.
    """

    def __init__(self, path: Path, file: BinaryIO, trials: list[Trial]) -> None:
        self.path = path
        self.trials = trials
        self._file = file

    def append(self, trial: Trial) -> None:
        """Keep one more trial; when this returns, it is on disk."""
        _write(self._file, trial)
        self.trials.append(trial)


@contextmanager
def open_study(path: Path, what: Mapping[str, Any]) -> Iterator[StudyFile]:
    """Open a study, or begin one.

    Parameters
    ----------
    path : the file.
    what : plain values that say what is searched, and on which data; a study is gone on with only where all are equal.

    Raises
    ------
    InputError
        if the file is no study, is damaged, belongs to another search, is in use, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError as error:
        raise InputError(f"The study {path} cannot be written: {error.strerror}. Name another with --study.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError(_foreign(path))
    with os.fdopen(descriptor, "r+b") as file:
        try:
            _lock(file)
        except BlockingIOError:
            raise InputError(f"Another process is tuning with the study {path}. Wait for it to end.") from None
        trials = _read(path, file, what)
        yield StudyFile(path, file, trials)


def _read(path: Path, file: BinaryIO, what: Mapping[str, Any]) -> list[Trial]:
    """The trials of a locked file, which is then at its end; a new one gets its first line."""
    header = {"study": FORMAT, **what}
    lines = file.read().split(b"\n")
    whole, rest = lines[:-1], lines[-1]
    if not whole:
        if rest and not msgspec.json.encode(header).startswith(rest):
            raise InputError(_foreign(path))
        file.seek(0)
        file.truncate()
        _write(file, header)
        return []
    _check_header(path, whole[0], header)
    trials = [_trial(path, number, line) for number, line in enumerate(whole[1:])]
    file.seek(sum(len(line) + 1 for line in whole))
    file.truncate()
    return trials


def _check_header(path: Path, line: bytes, header: Mapping[str, Any]) -> None:
    try:
        found = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError(_foreign(path)) from None
    if found.get("study") != FORMAT:
        raise InputError(_foreign(path))
    wanted = msgspec.json.decode(msgspec.json.encode(header))
    others = [name for name in wanted if found.get(name) != wanted[name]]
    if others:
        raise InputError(
            f"The study {path} belongs to another search: {', '.join(map(_words, others))} "
            f"{'is' if len(others) == 1 else 'are'} not the same. Name another file with --study, or delete this one."
        )


def _trial(path: Path, number: int, line: bytes) -> Trial:
    try:
        trial = msgspec.json.decode(line, type=Trial)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"The study {path} is damaged in line {number + 2}: {error}. Delete it, or name another file with --study."
        ) from None
    if trial.number != number:
        raise InputError(
            f"The study {path} is damaged: line {number + 2} holds trial {trial.number} instead of {number}. "
            "Delete it, or name another file with --study."
        )
    return trial


def _write(file: BinaryIO, value: Trial | Mapping[str, Any]) -> None:
    file.write(msgspec.json.encode(value) + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _words(name: str) -> str:
    return "the data" if name == "data" else f"its {name.replace('_', ' ')}"


def _foreign(path: Path) -> str:
    return f"{path} is not a study of anomaly-detection, and is left as it is. Name another file with --study."
