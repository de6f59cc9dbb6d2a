"""Files that appear whole or not at all, whatever is killed and whoever else writes.

Everything is written aside, in a folder that only its writer uses, brought to disk, and then renamed into place. The
writer holds a lock on that folder for as long as it lives, so the next writer can tell what a dead one left behind.
Readers never lock.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from anomaly_detection.errors import ArtifactError, RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
_FULL = (errno.ENOSPC, errno.EDQUOT)

if sys.platform == "win32":

    def _lock(descriptor: int, *, wait: bool) -> bool:  # noqa: ARG001
        """Windows has no flock: writers do not wait, and nobody's leftovers are taken for a dead writer's."""
        return wait

    @contextmanager
    def synced(folder: Path) -> Iterator[None]:  # noqa: ARG001
        """Windows cannot bring a folder to disk by itself."""
        yield

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file for this writer alone; False if another has it and we do not wait."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    @contextmanager
    def synced(folder: Path) -> Iterator[None]:
        """Bring the names in a folder to disk at the end; what can fail before that fails at the start."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            yield
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    with synced(folder):
        pass


@contextmanager
def writing(what: str, place: Path) -> Iterator[None]:
    """Turn a failure of the file system into a :class:`RegistryError` that says what to do about it."""
    try:
        yield
    except OSError as error:
        raise RegistryError(f"Could not {what}: {_reason(error, place)} Nothing was changed.") from error


def _reason(error: OSError, place: Path) -> str:
    if error.errno in _READ_ONLY:
        return (
            f"{place} cannot be written to ({error.strerror}). Use a place you may write to, or ask for the right to."
        )
    if error.errno in _FULL:
        return f"the disk that holds {place} is full. Free some space, or use a place on another disk."
    return f"{error.strerror or error} ({error.filename or place})."


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only writer that holds the lock file ``path``; waits for its turn."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        _lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def staging(area: Path, prefix: str = "") -> Iterator[Path]:
    """Give a folder of one's own in ``area`` to write in; it is gone afterwards, renamed away or removed.

    Clears away first what dead writers left under the same prefix.
    """
    sweep(area, prefix)
    descriptor, lock = _new_lock(area, prefix)
    folder = lock.with_suffix(".tmp")
    try:
        folder.mkdir()
        yield folder
    finally:
        with suppress(OSError):
            _clear(folder, lock)
        os.close(descriptor)


def sweep(area: Path, prefix: str = "") -> None:
    """Remove what writers that are no longer alive left in ``area``."""
    ours = re.compile(re.escape(prefix) + r"[0-9a-f]{16}\.lock")
    for lock in [entry for entry in area.iterdir() if ours.fullmatch(entry.name)]:
        with suppress(OSError):
            _remove_if_dead(lock)


def _remove_if_dead(lock: Path) -> None:
    descriptor = os.open(lock, os.O_RDWR)
    try:
        if _lock(descriptor, wait=False) and _still_there(descriptor, lock):
            _clear(lock.with_suffix(".tmp"), lock)
    finally:
        os.close(descriptor)


def _clear(folder: Path, lock: Path) -> None:
    """Remove a folder and then its lock, so that what could not be removed now is found by the next sweep."""
    if folder.exists():
        shutil.rmtree(folder)
    lock.unlink()


def _new_lock(area: Path, prefix: str) -> tuple[int, Path]:
    """Create and lock a file nobody else has; a sweep may take it away before it is locked, then try another."""
    while True:
        lock = area / f"{prefix}{secrets.token_hex(8)}.lock"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if _lock(descriptor, wait=True) and _still_there(descriptor, lock):
            return descriptor, lock
        os.close(descriptor)


def _still_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def make_folder(folder: Path) -> None:
    """Create a folder and those above it, each brought to disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with synced(folder.parent):
        folder.mkdir(exist_ok=True)


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and bring it to disk."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_file(path: Path) -> None:
    """Bring a file that was written to disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def publish(source: Path, target: Path) -> None:
    """Rename into place, and bring the new name to disk; a file replaces the one that was there."""
    with synced(target.parent):
        source.replace(target)


def read_file(path: Path, limit: int) -> bytes:
    """Read a plain file of at most ``limit`` bytes.

    Raises
    ------
    ArtifactError
        if it is missing, a link, a device, or larger.
    RegistryError
        if it cannot be read for another reason.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise _unreadable(path, error) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path} is not a plain file. Take the model from where it came from again.")
        if status.st_size > limit:
            raise ArtifactError(f"{path} has {status.st_size:,} bytes; at most {limit:,} are read.")
        return file.read(status.st_size)


def _unreadable(path: Path, error: OSError) -> RegistryError:
    if error.errno == errno.ENOENT:
        return ArtifactError(f"{path} is missing: the model is incomplete. Copy it again from where it came from.")
    if error.errno == errno.ELOOP or path.is_symlink():
        return ArtifactError(f"{path} is a link, and could lead anywhere. Copy the file itself into its place.")
    return RegistryError(f"{path} cannot be read: {error.strerror}. Ask for the right to read it, or try again.")
