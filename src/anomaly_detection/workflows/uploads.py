"""Files that users sent: each under a random name, whole or not there."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Self

from anomaly_detection import formats
from anomaly_detection.errors import JobNotFoundError, SinkError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from anomaly_detection.settings import Settings

_ID = re.compile(r"[0-9a-f]{32}(\.[a-z]{2,7}){0,2}", re.ASCII)
PART = ".part"


class Writing:
    """An upload under way; it is there once the block that it is written in ends without an error.

    Parameters
    ----------
    id : its name here: 32 characters of chance, and its format where the user's name for it told that.
    file : where it is written.
    """

    def __init__(self, id: str, file: IO[bytes]) -> None:
        self.id = id
        self.size = 0
        self._file = file

    def write(self, data: bytes) -> None:
        """Write on."""
        self._file.write(data)
        self.size += len(data)


class Uploads:
    r"""The files in a folder, which is made with the first of them.

    Parameters
    ----------
    folder : where they are.
    most_bytes : of all of them; more are refused until some are deleted.

    >>> import tempfile; from pathlib import Path
    >>> uploads = Uploads(Path(tempfile.mkdtemp()))
    >>> with uploads.writing("my orders.csv") as upload:
    ...     upload.write(b"amount\n3\n")
    >>> uploads.path(upload.id).read_bytes(), upload.id.endswith(".csv")
    (b'amount\n3\n', True)
    """

    def __init__(self, folder: Path, most_bytes: int = 2**62) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of a service."""
        return cls(settings.home / "uploads", settings.max_uploads)

    @contextmanager
    def writing(self, name: str = "") -> Iterator[Writing]:
        """Write a new upload; of the user's name for it only what it says about the format is kept.

        Raises
        ------
        SinkError
            if it cannot be written, such as where the disk is full or there are too many; then nothing is left of it.
        """
        size = self.size()
        if size >= self.most_bytes:
            raise SinkError(
                f"The uploads that are kept have {size / 2**20:,.0f} MiB; {self.most_bytes / 2**20:,.0f} MiB are "
                "the most (ANOMALY_DETECTION_MAX_UPLOADS). Delete old ones with a job of the kind retain."
            )
        new = secrets.token_hex(16) + ending_of(name)
        part = self.folder / f".{new}{PART}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("xb") as file:
                yield Writing(new, file)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self.folder / new)
            _sync(self.folder)
        except OSError as error:
            raise SinkError(f"The upload could not be kept: {error.strerror or error}. Free some space.") from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

    def size(self) -> int:
        """The bytes of all that are there, or are being written."""
        found = 0
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found += entry.stat(follow_symlinks=False).st_size
        return found

    def path(self, id: str) -> Path:
        """Where an upload is.

        Raises
        ------
        JobNotFoundError
            if there is none of that id.
        """
        path = self.folder / id
        if not _ID.fullmatch(id) or not path.is_file() or path.is_symlink():
            raise JobNotFoundError(f"There is no upload {id[:64]!r}. Send the file with POST /api/v1/uploads first.")
        return path

    def forget(self, before: float, kept: Collection[str]) -> int:
        """Delete uploads older than a time (seconds since 1970) but the ones named; how many."""
        if not self.folder.is_dir():
            return 0
        old = [one for one in self.folder.iterdir() if one.name not in kept and one.lstat().st_mtime < before]
        for one in old:
            one.unlink(missing_ok=True)
        return len(old)


def ending_of(name: str) -> str:
    """The ending of a name, as far as it says how a file is written; nothing else of it reaches the file system.

    >>> ending_of("../orders.CSV.gz"), ending_of("orders"), ending_of("a.exe")
    ('.csv.gz', '', '')
    """
    kind, compression = formats.of_path(name.replace("\\", "/")) if name else (None, None)
    return "" if kind is None else f".{formats.Format(kind, compression)}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
