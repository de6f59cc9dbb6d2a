"""The bytes behind a source: a file, or a pipe that is kept in a temporary file so that it can be read twice."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING

from anomaly_detection import formats
from anomaly_detection.errors import NoRecordsError, SourceError
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.formats import Compression

BLOCK = 4 << 20
_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may make this process do.

    Parameters
    ----------
    line : the most bytes of one line, or of one CSV record.
    expansion : the most times a compressed file may grow, once it has grown beyond ``expansion_from`` bytes.
    expansion_from : decompressed bytes up to which any growth is fine.
    whole : the most decompressed bytes of a format that has to be read whole (JSON).
    columns : the most columns of a CSV file.
    cells : the most cells of a table for each byte of JSON, where nearly all are missing.
    cells_from : cells up to which any table is fine.
    """

    line: int = 64 << 20
    expansion: int = 1000
    expansion_from: int = 256 << 20
    whole: int = 2 << 30
    columns: int = 100_000
    cells: int = 32
    cells_from: int = 1 << 24


class Bytes:
    """A file's bytes, decompressed on the way; ``-`` is standard input."""

    def __init__(self, path: str | Path, limits: Limits) -> None:
        self.limits = limits
        self._spooled: list[IO[bytes]] = []
        if str(path) == "-":
            self.name = "standard input"
            self.path = self._spool(sys.stdin.buffer)
        else:
            self.name = str(path)
            self.path = self._checked(Path(path))
        self.size = self.path.stat().st_size
        if self.size == 0:
            raise NoRecordsError(f"{self.name} is empty: it has 0 bytes, and so neither column names nor records.")
        with self.path.open("rb") as file:
            start = file.read(4)
        self.compression = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)

    def close(self) -> None:
        """Delete what was kept of a pipe or unpacked."""
        for file in self._spooled:
            file.close()
        self._spooled.clear()

    def fingerprint(self) -> str:
        """SHA-256 of the bytes as they lie there, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def head(self, most: int = 1 << 16) -> bytes:
        """The first decompressed bytes."""
        with self._reading() as stream:
            return _read_full(stream, most)

    def blocks(self) -> Iterator[bytes]:
        """The decompressed bytes in order, a few MiB at a time."""
        with self._reading() as stream:
            total = 0
            while block := stream.read(BLOCK):
                total += len(block)
                self._check_growth(total)
                yield block

    def plain_path(self) -> Path:
        """A path with the decompressed bytes, for formats that are read by position."""
        if self.compression is None:
            return self.path
        file = tempfile.NamedTemporaryFile(prefix="anomaly-detection-")  # noqa: SIM115 - closed, and so deleted, by close()
        self._spooled.append(file)
        for block in self.blocks():
            file.write(block)
        file.flush()
        return Path(file.name)

    @contextmanager
    def _reading(self) -> Iterator[IO[bytes]]:
        with self.path.open("rb") as file:
            try:
                yield formats.reader(file, self.compression)
            except formats.damage() as error:
                if self.compression is None:
                    raise SourceError(f"{self.name} could not be read: {error}.") from error
                raise SourceError(
                    f"{self.name} is damaged or cut short: its {self.compression} compression breaks off or does not "
                    f"fit ({error}). Copy or download it again."
                ) from error

    def check_cells(self, columns: int, records: int, size: int) -> None:
        """Make sure that ``size`` bytes of records, each with names of its own, do not become an enormous table."""
        if columns * records > max(self.limits.cells_from, self.limits.cells * size):
            raise SourceError(
                f"{self.name} has {counted(columns, 'column')}, and nearly all are missing from each of "
                f"{counted(records, 'record')}. Give the fields of all records the same names."
            )

    def _check_growth(self, total: int) -> None:
        if self.compression is not None:
            self.check_expansion(total)

    def check_expansion(self, total: int) -> None:
        """Make sure that ``total`` bytes are not too many for a file of this size."""
        if total <= self.limits.expansion_from:
            return
        if total > self.size * self.limits.expansion:
            raise SourceError(
                f"{self.name} has {self.size:,} bytes that unpack to more than {total:,}, over "
                f"{self.limits.expansion:,} times as many: it looks like a decompression bomb. If you trust it, unpack "
                "it yourself and read the plain file."
            )

    def _spool(self, stream: IO[bytes]) -> Path:
        file = tempfile.NamedTemporaryFile(prefix="anomaly-detection-")  # noqa: SIM115 - closed, and so deleted, by close()
        self._spooled.append(file)
        shutil.copyfileobj(stream, file, BLOCK)
        file.flush()
        return Path(file.name)

    def _checked(self, path: Path) -> Path:
        if path.is_dir():
            raise SourceError(f"{path} is a directory. Name one file of records{_some_files(path)}.")
        if not path.exists():
            raise SourceError(f"There is no file {str(path)!r}{_nearest(path)}")
        if not os.access(path, os.R_OK):
            raise SourceError(f"{path} may not be read by this user. Change its permissions, or read a copy.")
        if path.is_file():
            return path
        with path.open("rb") as pipe:
            return self._spool(pipe)


def _read_full(stream: IO[bytes], most: int) -> bytes:
    parts = b""
    while len(parts) < most and (more := stream.read(most - len(parts))):
        parts += more
    return parts


def _nearest(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {str(folder)!r} either."
    names = [entry.name for entry in folder.iterdir() if entry.is_file()]
    near = get_close_matches(path.name, names, n=1, cutoff=0.6)
    return f"; did you mean {str(folder / near[0])!r}?" if near else "."


def _some_files(folder: Path) -> str:
    names = sorted(entry.name for entry in folder.iterdir() if formats.of_path(entry.name)[0] is not None)
    return f", such as {str(folder / names[0])!r}" if names else ""
