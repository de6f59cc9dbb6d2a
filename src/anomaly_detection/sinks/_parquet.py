"""Frames into one Parquet file with bounded memory.

Parquet writes its index last and polars writes it from one query, so that frames beyond a bound are kept in Arrow
files beside the target until the last one has come.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

HELD = 64 << 20
"""Bytes of frames held in memory before they are set aside."""

ROW_GROUP = 250_000


class ParquetEncoder:
    """Parquet with row groups of 250,000 rows, compressed with Zstandard inside.

    Parameters
    ----------
    stream : where the file goes.
    folder : where frames are kept meanwhile when they are many.
    """

    def __init__(self, stream: IO[bytes], folder: Path) -> None:
        self._stream = stream
        self._folder = folder
        self._frames: list[pl.DataFrame] = []
        self._size = 0
        self._pieces: list[Path] = []
        self._kept: Path | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Take further rows."""
        self._frames.append(frame)
        self._size += int(frame.estimated_size())
        if self._size > HELD:
            self._set_aside()

    def finish(self, about: Mapping[str, Mapping[str, Any]]) -> None:  # noqa: ARG002 - one signature for all formats
        """Write the file."""
        if not self._pieces:
            frame = pl.concat(self._frames) if self._frames else pl.DataFrame()
            frame.write_parquet(self._stream, row_group_size=ROW_GROUP)
            return
        self._set_aside()
        joined = pl.scan_ipc(self._pieces, glob=False)
        joined.sink_parquet(self._stream, row_group_size=ROW_GROUP, maintain_order=True)

    def close(self) -> None:
        """Delete what was set aside."""
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)

    def _set_aside(self) -> None:
        if not self._frames:
            return
        if self._kept is None:
            self._kept = Path(tempfile.mkdtemp(prefix=".anomaly-detection-", suffix=".part", dir=self._folder))
        piece = self._kept / f"{len(self._pieces):06}.arrow"
        pl.concat(self._frames).write_ipc(piece)
        self._pieces.append(piece)
        self._frames.clear()
        self._size = 0
