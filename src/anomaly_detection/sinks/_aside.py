"""A file that is written aside and put in its place in one step, or not at all; places where that cannot be."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import IO

from anomaly_detection.errors import InputError, SinkError


class Aside:
    """A new file beside ``target``, hidden until :meth:`put_in_place`.

    Parameters
    ----------
    target : where the file goes in the end; what is there stays as it is until then.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.part")
        flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666
        self.file: IO[bytes] = os.fdopen(os.open(self.path, flags, mode), "w+b", buffering=1 << 20)

    def put_in_place(self) -> None:
        """Make sure the bytes are on disk, then give the file its name."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        if self.target.exists():
            self.path.chmod(stat.S_IMODE(self.target.stat().st_mode))
        self.path.replace(self.target)
        _sync_folder(self.target.parent)

    def drop(self) -> None:
        """Delete the file; the target is as it was."""
        with suppress(OSError):
            self.file.close()
        self.path.unlink(missing_ok=True)


def refuse_unwritable(path: Path, target: Path, example: str) -> None:
    """Refuse a place where no file can be written; ``example`` is what a file may be called.

    Raises
    ------
    InputError
        for a directory, a folder that does not exist, or something that is not a regular file.
    SinkError
        where writing is not allowed.
    """
    if target.is_dir():
        raise InputError(f"{path} is a directory. Name a file in it, such as {str(path / example)!r}.")
    if not target.parent.is_dir():
        raise InputError(f"{path} cannot be written: there is no folder {str(target.parent)!r}. Create it first.")
    if target.exists() and not target.is_file():
        raise InputError(f"{path} is not a regular file, and results are only written to one.")
    if not os.access(target.parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise SinkError(f"{path} may not be written by this user. Change the permissions, or write elsewhere.")


def refuse_input(target: Path, source: str | Path | None) -> None:
    """Refuse to overwrite the file that is read; ``-`` and None are none.

    Raises
    ------
    InputError
        if both are the same file.
    """
    if source is None or str(source) == "-" or not target.exists() or not Path(source).exists():
        return
    if target.samefile(source):
        raise InputError(f"{source} is the input and would be overwritten by the results. Choose another output.")


def not_written(path: Path, error: Exception) -> SinkError:
    """The error for bytes that could not be written."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
    reason = "the disk is full" if full else getattr(error, "strerror", None) or str(error).splitlines()[0]
    way_out = "Free some space, or write elsewhere" if full else "Write elsewhere, or in another format"
    return SinkError(f"{path} could not be written: {reason}. Nothing was changed. {way_out}.")


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot sync a folder; the rename itself has happened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
