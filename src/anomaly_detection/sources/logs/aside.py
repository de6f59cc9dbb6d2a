"""The file that undecodable lines are kept in."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from anomaly_detection.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable


class AsideFile:
    """Undecodable lines as JSON lines: ``{"line": 17, "text": "…"}``.

    It is written under another name beside its own and renamed at the end, so that it is there whole or not at all;
    where every line could be decoded there is none, and one from before is left alone.

    Parameters
    ----------
    path : its name.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file: IO[bytes] | None = None

    def write(self, lines: Iterable[tuple[int, bytes]]) -> None:
        """Keep lines, each with its number.

        Raises
        ------
        SourceError
            where the file cannot be written.
        """
        try:
            file = self._file or self._opened()
            for number, text in lines:
                kept = {"line": number, "text": text.decode(errors="replace")}
                file.write(json.dumps(kept, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def keep(self) -> None:
        """Give the file its name."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self.path)
        except OSError as error:
            Path(file.name).unlink(missing_ok=True)
            raise self._unwritable(error) from error

    def discard(self) -> None:
        """Delete what was written so far."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            Path(file.name).unlink(missing_ok=True)

    def _opened(self) -> IO[bytes]:
        folder = self.path.parent
        self._file = tempfile.NamedTemporaryFile(dir=folder, prefix=f".{self.path.name}.", delete=False)  # noqa: SIM115 - closed by keep() or discard()
        return self._file

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(f"The undecodable lines could not be kept in {self.path}: {error}. Name another place.")
