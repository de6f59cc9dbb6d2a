"""A file that is written aside and put in its place in one step, or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


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


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot sync a folder; the rename itself has happened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
